"""A stand-in for an Ollama server: real HTTP, real texts and statuses, vectors made on the spot.

It knows nothing of the package under test, and is held to the real server by ``tests/contract``.
"""
