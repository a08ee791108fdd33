"""The dashboard at `/ui`: one page of plain files, what it asks for, and the sessions by which a browser may ask.

`static/` holds the page: no build step made it, and what others wrote is in `static/vendor/` with its licence.
"""
