"""The simulator: a whole router in virtual time, between virtual clients and virtual providers.

Nothing here is loaded by a router that serves; the tests use the parts as well.
"""
