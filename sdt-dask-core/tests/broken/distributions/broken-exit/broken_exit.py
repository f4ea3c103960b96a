"""Ends the process that imports it, as a script does that was made a module."""

import sys

sys.exit("usage: exit-plug FILE")
