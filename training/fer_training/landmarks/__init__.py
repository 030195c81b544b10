"""Training of the landmark network: five points of a face from a rough crop."""
