"""Runs the command line: ``python -m skmetricmlp compare``."""

import sys

from skmetricmlp._command import main

if __name__ == "__main__":
    sys.exit(main())
