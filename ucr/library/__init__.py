"""The router within one's own Trio program: no socket, the same relay, actors and answers."""
