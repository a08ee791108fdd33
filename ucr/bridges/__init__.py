"""Bridges over what a model lacks: tools that other providers run themselves, and eyes."""
