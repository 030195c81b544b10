"""Training of the hybrid on a processor in bfloat16: what surrounds its convolutions in passes of our own."""
