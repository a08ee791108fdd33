"""The OpenAI chat-completions dialect, and the many providers that speak it."""
