"""`python -m fer_gateway` is `fer-gateway`."""

import sys

from fer_gateway.cli import main

if __name__ == "__main__":
    sys.exit(main())
