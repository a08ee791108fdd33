"""Supervised actors on Trio."""
