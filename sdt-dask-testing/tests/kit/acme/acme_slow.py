"""Takes its time to be imported."""

import time

from acme_plugs import GoodPlug

time.sleep(1.1)


class SlowPlug(GoodPlug):
    pass
