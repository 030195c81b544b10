"""The training commands: `python -m fer_training train | evaluate | calibrate | framing | export`."""

import sys

from fer_training.cli import main

if __name__ == "__main__":
    sys.exit(main())
