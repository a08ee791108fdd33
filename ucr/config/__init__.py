"""The configuration: its model, its file, its errors. Pure; files and environment are read by the edges."""
