"""The front lane: HTTP/1.1 for the routes that clients hit on every turn."""
