"""Stress: a whole router in virtual time, between virtual clients and providers, or as processes over loopback.

Nothing here is loaded by a router that serves; the tests use the parts as well.
"""
