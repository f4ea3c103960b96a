"""Imports what its distribution requires to begin with."""

import acme_sdk  # noqa: F401
from acme_plugs import GoodPlug


class SdkPlug(GoodPlug):
    pass
