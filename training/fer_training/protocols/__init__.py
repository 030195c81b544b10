"""Protocols of measuring on CK+: which faces train, which test, what leaks, and the report on it."""
