"""A server of the routes that is killed and started again: the parent loads the program once, each child serves.

Run as a program it opens two ports and reads `start 0`, `start 1` and `quit` from its standard input; it answers each `start`
with the number of a new child process that serves on that port, and keeps the ports open in between. Killing the child is killing the server: nothing of it is left but the database.
"""

import os
import signal
import socket
import sys

import uvicorn
from starlette.applications import Starlette

from gridmap.api.routes import routes


def main() -> None:
    """Start servers until told to stop."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    doors = [socket.create_server(("127.0.0.1", 0)) for _ in range(2)]
    sys.stdout.write(" ".join(str(door.getsockname()[1]) for door in doors) + "\n")
    sys.stdout.flush()
    for line in sys.stdin:
        word, _, door = line.strip().partition(" ")
        if word != "start":
            return
        child = os.fork()
        if child == 0:
            config = uvicorn.Config(Starlette(routes=routes()), log_level="warning", lifespan="off")
            uvicorn.Server(config).run(sockets=[doors[int(door)]])
            os._exit(0)
        sys.stdout.write(f"{child}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
