"""Faces over time: who is who, and what each one shows; pure, time is always an argument."""
