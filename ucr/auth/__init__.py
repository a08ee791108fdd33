"""Signing in at providers: how it is done, where what was given is kept, and how it is renewed."""
