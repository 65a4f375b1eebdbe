"""`python -m carillon`: the same as the command `carillon`."""

import sys

from carillon.config.cli import main

if __name__ == "__main__":
    sys.exit(main())
