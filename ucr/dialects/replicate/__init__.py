"""Replicate's predictions, for providers."""
