"""The journal: what every request came to and why, kept for a while, so that it can be looked at and sent again.

A worker writes an entry of each request that has ended (`writer`), and tells its entries once a second to whoever keeps the
journal (`keeping`), which writes it behind into a file (`file`). Commands read the file (`reading`, `showing`).
"""
