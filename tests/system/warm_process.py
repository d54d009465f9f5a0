"""A process that has the libraries loaded, and starts commands of the collector from there. Loads none of its modules.

What a start costs is mostly the libraries, and the suite starts hundreds. Each command is a process of its own all the
same, with its own arguments, environment, folder and streams, and imports the collector from its first module on.
"""

import contextlib
import gc
import importlib
import json
import os
import runpy
import shutil
import signal
import socket
import sys
from pathlib import Path
from typing import Any

import coverage

_LIBRARIES = (
    *("httpx", "httpcore", "structlog", "pydantic", "typer", "rich.console", "rich.table", "rich.progress"),
    *("apscheduler.schedulers.background", "apscheduler.executors.pool", "cryptography.x509", "msal", "truststore"),
    *("starlette.applications", "starlette.routing", "uvicorn", "trustme", "jwt"),
)
_LEFT_OUT = ("httpx._main", "rich")
"""What the collector has httpx and structlog do without: they are loaded as it loads them."""


def _load() -> None:
    modules: dict[str, Any] = sys.modules
    for name in _LEFT_OUT:
        modules[name] = None
    for library in ("httpx", "structlog"):
        importlib.import_module(library)
    for name in _LEFT_OUT:
        del modules[name]
    for library in _LIBRARIES:
        importlib.import_module(library)
    # What is never collected is never written to either, and stays shared.
    gc.freeze()


def serve(listening: socket.socket, alive: int) -> dict[str, Any]:
    """Start a command for each that asks, until `alive` is closed at its other end; return in the command's process.

    Who asks is sent the command's process id and then, in another line, its exit code. At the end the folder goes in
    which it was asked.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.set_blocking(alive, False)
    listening.settimeout(0.5)
    while True:
        with contextlib.suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        with contextlib.suppress(BlockingIOError):
            if os.read(alive, 1) == b"":
                shutil.rmtree(Path(listening.getsockname()).parent)
                sys.exit(0)
        try:
            asking, _ = listening.accept()
        except TimeoutError:
            continue
        if not os.fork():
            return _attend(asking)
        asking.close()


def _attend(asking: socket.socket) -> dict[str, Any]:
    """Start one command and wait for its end; return in its process."""
    asking.setblocking(True)
    data, streams, _, _ = socket.recv_fds(asking, 1 << 20, 3)
    length, _, text = data.partition(b"\n")
    while len(text) < int(length):
        text += asking.recv(1 << 20)
    pid = os.fork()
    if not pid:
        # From here on, as Python does it for whoever starts: who hears the number may send a signal at once.
        signal.signal(signal.SIGINT, signal.default_int_handler)
        for to, stream in enumerate(streams):
            os.dup2(stream, to)
        os.closerange(3, 1024)
        asked: dict[str, Any] = json.loads(text)
        return asked
    for stream in (0, 1, 2, *streams):
        os.close(stream)
    with contextlib.suppress(OSError):
        asking.send(f"{pid}\n".encode())
    code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    with contextlib.suppress(OSError):
        asking.send(f"{code}\n".encode())
    os._exit(0)


def become(asked: dict[str, Any]) -> None:
    """Be the command that was asked for."""
    os.environ.clear()
    os.environ.update({key: os.fsdecode(bytes.fromhex(value)) for key, value in asked["environment"].items()})
    os.chdir(asked["folder"])
    os.umask(asked["umask"])
    sys.path[0] = str(Path.cwd())
    sys.argv[1:] = [os.fsdecode(bytes.fromhex(word)) for word in asked["arguments"]]
    # As it starts by itself where a process is a new one: nothing, unless the environment says that it counts.
    coverage.process_startup()


if __name__ == "__main__":
    _load()
    become(serve(socket.socket(fileno=int(sys.argv[1])), int(sys.argv[2])))
    runpy.run_module("collector", run_name="__main__", alter_sys=True)
