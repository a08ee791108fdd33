"""What attackers send, as tables: heads, framings and protocols, bodies, and requests that must not be served."""
