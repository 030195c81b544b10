"""The model: its layers, size, weights files and serving graph."""
