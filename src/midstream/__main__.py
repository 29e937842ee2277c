"""`python -m midstream` is the console, as the script `midstream` is."""

import sys

from midstream.cli import midstream

sys.exit(midstream())
