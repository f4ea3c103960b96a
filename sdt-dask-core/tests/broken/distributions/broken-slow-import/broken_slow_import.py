"""Takes seconds to import, as one does that loads an SDK at its top."""

import time

from sdt_dask_core.plug import Plug

time.sleep(4)


class SlowPlug(Plug):
    """Works, and is slow to start."""

    def get_data(self, key):
        raise NotImplementedError
