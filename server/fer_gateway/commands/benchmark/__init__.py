"""What `fer-gateway bench` is made of."""
