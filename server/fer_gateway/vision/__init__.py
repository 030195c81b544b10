"""Pixels to face crops: pure numpy and OpenCV, shared by serving and training."""
