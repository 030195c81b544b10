"""Crops to probabilities under ONNX Runtime."""
