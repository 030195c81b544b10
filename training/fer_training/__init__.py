"""Trains, evaluates and exports the model of the gateway."""

import fer_gateway  # noqa: F401 - before ONNX Runtime, which it keeps from reporting to its maker
