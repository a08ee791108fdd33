"""Dialects: pure, sans-I/O code that reads and writes the providers' and the clients' protocols."""
