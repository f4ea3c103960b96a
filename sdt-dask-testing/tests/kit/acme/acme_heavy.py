"""Imports NumPy to begin with."""

import numpy  # noqa: F401
from acme_plugs import GoodPlug


class HeavyPlug(GoodPlug):
    pass
