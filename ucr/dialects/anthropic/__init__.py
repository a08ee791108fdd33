"""The Anthropic Messages dialect in both roles, and its pass-through."""
