"""What makes the router a tool: its start and end in the background, the clients that it starts, doctor and setup."""
