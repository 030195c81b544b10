"""`average`: the mean of the weights of several runs."""

import argparse

from fer_training.network.averaging import averaged
from fer_training.network.checkpoint import load_model, save_weights


def run(arguments: argparse.Namespace) -> None:
    """Load all, write their mean."""
    mean = averaged([load_model(path) for path in arguments.weights], arguments.shares)
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    save_weights(mean, arguments.out, half=arguments.half)
    print(
        f"`{arguments.out}`: the mean of {len(arguments.weights)} weights, a {float(mean.share.detach()):.3f}"
    )
