"""The watcher of a private cluster, a process of its own: `python -m gridmap.store.cluster_watch HOME`."""

import os
import sys
from pathlib import Path

if __name__ == "__main__":
    # The one who starts the watcher waits for this process only; its child belongs to nobody and outlives them all.
    if os.fork():
        os._exit(0)
    from gridmap.store.cluster import wait_and_stop

    wait_and_stop(Path(sys.argv[1]))
