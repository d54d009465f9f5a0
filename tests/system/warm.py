"""Commands that start from a process that has the libraries loaded: as `subprocess` starts them, for half the CPU.

Never imports collector. For commands that were started in earnest before, and for the simulator, which proves nothing.
"""

import atexit
import json
import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import TextIO


class Warm:
    """A process that runs a command. Its methods do what those of `subprocess.Popen` do that have their names."""

    def __init__(self, arguments: Sequence[str], environment: Mapping[str, str], folder: Path | None = None) -> None:
        self.returncode: int | None = None
        asked = {
            "arguments": [_hex(word) for word in arguments],
            "environment": {key: _hex(value) for key, value in environment.items()},
            "folder": str((folder or Path()).absolute()),
            "umask": _umask(),
        }
        text = json.dumps(asked).encode()
        (out, out_end), (err, err_end) = os.pipe(), os.pipe()
        self.stdout: TextIO = os.fdopen(out, encoding="utf-8")
        self.stderr: TextIO = os.fdopen(err, encoding="utf-8")
        self._talk = socket.socket(socket.AF_UNIX)
        try:
            self._talk.connect(_address())
            socket.send_fds(self._talk, [f"{len(text)}\n".encode()], [0, out_end, err_end])
            self._talk.sendall(text)
        finally:
            os.close(out_end)
            os.close(err_end)
        self._said = b""
        self._hear(lines=1, end=None)
        self.pid = int(self._said.split()[0])

    def poll(self) -> int | None:
        if self.returncode is None:
            self._hear(lines=2, end=0.0)
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        end = None if timeout is None else time.monotonic() + timeout
        if self.returncode is None:
            self._hear(lines=2, end=end)
        if self.returncode is None:
            raise subprocess.TimeoutExpired("collector", timeout or 0.0)
        return self.returncode

    def send_signal(self, number: signal.Signals) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    def _hear(self, lines: int, end: float | None) -> None:
        """Hear so many lines, up to a moment (monotonic; None: for ever)."""
        while self._said.count(b"\n") < lines:
            left = None if end is None else max(0.0, end - time.monotonic())
            if not select.select([self._talk], [], [], left)[0]:
                return
            heard = self._talk.recv(100)
            assert heard, "the process that starts commands is gone"
            self._said += heard
        if lines == 2:
            self.returncode = int(self._said.split()[1])
            self._talk.close()


def run(
    arguments: Sequence[str], environment: Mapping[str, str], folder: Path | None, timeout: float
) -> subprocess.CompletedProcess[str]:
    """Run a command to its end, as `subprocess.run` does."""
    process = Warm(arguments, environment, folder)
    with process.stdout, process.stderr:
        said = {process.stdout: b"", process.stderr: b""}
        end = time.monotonic() + timeout
        waiting = set(said)
        while waiting:
            ready = select.select([*waiting], [], [], max(0.0, end - time.monotonic()))[0]
            if not ready:
                process.kill()
                process.wait()
                raise subprocess.TimeoutExpired([*arguments], timeout)
            for stream in ready:
                part = os.read(stream.fileno(), 1 << 16)
                said[stream] += part
                if not part:
                    waiting.discard(stream)
    out, err = (text.decode().replace("\r\n", "\n").replace("\r", "\n") for text in said.values())
    return subprocess.CompletedProcess([*arguments], process.wait(), out, err)


def _hex(word: str) -> str:
    return os.fsencode(word).hex()


def _umask() -> int:
    """Return what a child of this process would inherit: it can only be read by setting it."""
    os.umask(mask := os.umask(0o077))
    return mask


@cache
def _address() -> str:
    """Return where the process is asked; start it at the first call of this worker.

    However the worker ends, the process ends then, and takes the folder away in which it was asked.
    """
    address = str(Path(tempfile.mkdtemp(prefix="warm-")) / "socket")
    listening = socket.socket(socket.AF_UNIX)
    listening.bind(address)
    listening.listen(16)
    alive, held = os.pipe()
    process = subprocess.Popen(
        [sys.executable, str(Path(__file__).with_name("warm_process.py")), str(listening.fileno()), str(alive)],
        env={key: value for key, value in os.environ.items() if not key.startswith("COV")},
        pass_fds=(listening.fileno(), alive),
        stdin=subprocess.DEVNULL,
        # Pipes, as a command's streams will be: Python remembers of its own what they are.
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    listening.close()
    os.close(alive)
    atexit.register(_end, process, held)
    return address


def _end(process: subprocess.Popen[bytes], held: int) -> None:
    os.close(held)
    process.wait(10)
