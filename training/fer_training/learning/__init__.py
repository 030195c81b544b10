"""Training: configuration, loop, optimizer, checkpoints."""
