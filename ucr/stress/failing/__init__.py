"""Scripted providers: what they say when they are well, and whatever else they may do."""
