"""Data sets: files from a folder or a zip, their layouts, labels and parts."""
