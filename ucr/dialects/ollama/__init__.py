"""The dialect of Ollama's own API: `/api/chat`, one JSON object a line."""
