"""Measurements of a finished model, and the scores they are made of."""
