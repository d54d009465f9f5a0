"""A real Chromium without a window, steered over a pipe by its DevTools protocol: what it shows, says and asks for."""

import base64
import fcntl
import itertools
import json
import os
import select
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Self

CHROMIUM = "/usr/bin/chromium"
AXE = Path(__file__).parent / "browser" / "node_modules" / "axe-core" / "axe.min.js"
_FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
    "--remote-debugging-pipe",
)
_SECONDS = 60.0
# It reads commands from descriptor 3 and writes to 4.
_PIPED = (
    "import os, sys; os.dup2(int(sys.argv[1]), 3); os.dup2(int(sys.argv[2]), 4); os.execv(sys.argv[3], sys.argv[3:])"
)


class Chromium:
    """One browser with one page. `said`: what its console had; `asked`: the addresses that it requested."""

    def __init__(self, folder: Path) -> None:
        theirs, ours = _high_pipe()
        from_it, to_us = _high_pipe()
        self._numbers = itertools.count(1)
        self._left = b""
        self._to, self._from = ours, from_it
        self._process = subprocess.Popen(
            [sys.executable, "-c", _PIPED, str(theirs), str(to_us), CHROMIUM, *_FLAGS, f"--user-data-dir={folder}"],
            pass_fds=(theirs, to_us),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(theirs)
        os.close(to_us)
        self.said: list[str] = []
        self.asked: list[str] = []
        self._events: list[str] = []
        target = self._call("Target.createTarget", {"url": "about:blank"}, page=False)["targetId"]
        attached = self._call("Target.attachToTarget", {"targetId": target, "flatten": True}, page=False)
        self._session: str = attached["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self._call(f"{domain}.enable")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        os.close(self._to)
        os.close(self._from)

    def screen(self, width: int, height: int, *, dark: bool = False) -> None:
        """Be a screen of this size (CSS pixels), light or dark."""
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        self._call("Emulation.setDeviceMetricsOverride", size)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self._call("Emulation.setEmulatedMedia", {"features": [scheme]})

    def open(self, url: str) -> None:
        """Return when a page has been loaded."""
        self._events.clear()
        answer = self._call("Page.navigate", {"url": url})
        assert "errorText" not in answer, answer
        self.loaded()

    def loaded(self) -> None:
        """Return when a page that was asked for has been loaded."""
        end = time.monotonic() + _SECONDS
        while "Page.loadEventFired" not in self._events:
            self._take(end)
        self._events.clear()

    def evaluate(self, script: str) -> Any:
        """Return the value of an expression on the page, or what its promise comes to."""
        asked = {"expression": script, "returnByValue": True, "awaitPromise": True}
        answer = self._call("Runtime.evaluate", asked)
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    def key(self, name: str, code: int) -> None:
        """Press a key."""
        for kind in ("keyDown", "keyUp"):
            pressed = {"type": kind, "key": name, "code": name, "windowsVirtualKeyCode": code}
            if name == "Enter" and kind == "keyDown":
                pressed["text"] = "\r"
            self._call("Input.dispatchKeyEvent", pressed)

    def picture(self, *, whole: bool = False) -> bytes:
        """Return what is seen, or the whole page, as PNG."""
        asked = {"format": "png", "captureBeyondViewport": whole, "optimizeForSpeed": False}
        return base64.b64decode(self._call("Page.captureScreenshot", asked)["data"])

    def faults(self) -> Sequence[str]:
        """Return what axe-core finds serious or worse."""
        self.evaluate(f"{AXE.read_text(encoding='utf-8')}; undefined")
        found = self.evaluate("axe.run().then(found => JSON.stringify(found.violations))")
        return [
            f"{fault['impact']} {fault['id']}: {node['html'][:200]}"
            for fault in json.loads(found)
            if fault["impact"] in ("serious", "critical")
            for node in fault["nodes"]
        ]

    def _call(self, method: str, parameters: Mapping[str, object] | None = None, *, page: bool = True) -> Any:
        number = next(self._numbers)
        asked = {"id": number, "method": method, "params": parameters or {}}
        if page:
            asked["sessionId"] = self._session
        os.write(self._to, json.dumps(asked).encode() + b"\0")
        end = time.monotonic() + _SECONDS
        while (answer := self._take(end)).get("id") != number:
            pass
        assert "error" not in answer, answer
        return answer["result"]

    def _take(self, end: float) -> dict[str, Any]:
        """Return the next message, and keep what it says of the page."""
        while b"\0" not in self._left:
            ready, _, _ = select.select([self._from], [], [], max(0.0, end - time.monotonic()))
            assert ready, "Chromium does not answer"
            part = os.read(self._from, 1 << 20)
            assert part, "Chromium has ended"
            self._left += part
        raw, _, self._left = self._left.partition(b"\0")
        message: dict[str, Any] = json.loads(raw)
        method, told = message.get("method", ""), message.get("params", {})
        if method in ("Runtime.consoleAPICalled", "Runtime.exceptionThrown", "Log.entryAdded"):
            self.said.append(json.dumps(told))
        elif method == "Network.requestWillBeSent":
            self.asked.append(told["request"]["url"])
        self._events.append(method)
        return message


def _high_pipe() -> tuple[int, int]:
    """Return the ends of a pipe, none of them a descriptor that Chromium wants to have."""
    ends = os.pipe()
    high = [fcntl.fcntl(end, fcntl.F_DUPFD_CLOEXEC, 10) for end in ends]
    for end in ends:
        os.close(end)
    return high[0], high[1]
