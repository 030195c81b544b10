"""The network that says where in a picture faces may be."""
