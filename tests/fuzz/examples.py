"""How much is tried: little in `make test`, a lot in `make fuzz`."""

import os

from hypothesis import HealthCheck, settings

USUAL_INPUTS = 5000
INPUTS = int(os.environ.get("FUZZ_INPUTS", USUAL_INPUTS))
"""Damaged pictures."""


def share(examples: int) -> settings:
    """So many examples in `make test`, and more where `INPUTS` are more."""
    return settings(
        max_examples=examples * max(INPUTS, USUAL_INPUTS) // USUAL_INPUTS,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
