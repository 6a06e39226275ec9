"""What Ollama really answers, recorded, and held against the double and a real server."""
