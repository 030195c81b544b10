"""The training commands: `python -m fer_training --help` lists them."""

import sys

from fer_training.cli import main

if __name__ == "__main__":
    sys.exit(main())
