"""The vault: what providers want back of their earlier turns, kept for clients that do not bring it back."""
