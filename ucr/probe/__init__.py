"""Asks a provider, through the router's own machinery, what it can do, and says what was seen."""
