"""Trains, evaluates and exports the model of the gateway."""
