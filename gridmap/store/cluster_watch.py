"""The watcher of a private cluster, a process of its own: `python -m gridmap.store.cluster_watch HOME`."""

import sys
from pathlib import Path

from gridmap.store.cluster import wait_and_stop

if __name__ == "__main__":
    wait_and_stop(Path(sys.argv[1]))
