"""How log lines look: for people on a terminal, JSON elsewhere, always one line an event. Is not the log (`log.py`)."""

import contextlib
import json
import math
import os
import threading
from collections.abc import Mapping
from typing import Any, TextIO

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger


def set_up(level: str, format: str, stream: TextIO) -> None:  # noqa: A002 - the setting's name
    """Send every line of `level` and above to `stream`. A later call replaces it.

    JSON has the keys `time` (RFC 3339, UTC), `level` and `event`, then the facts, then `exception`: a traceback without
    the values of variables. A stream that can't be written to is passed over: logging stops no work.
    """
    terminal = stream.isatty()
    console = format == "console" or (format == "auto" and terminal)
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True, key="time"),
            structlog.processors.format_exc_info,
            *(_console(colors=terminal and not os.environ.get("NO_COLOR")) if console else (_json,)),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=_Lines(stream),
        # A logger that is kept would go on as before when this is called again.
        cache_logger_on_first_use=False,
    )


class _Lines:
    """The end of the chain: whole lines, one thread at a time."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._lock = threading.Lock()

    def __call__(self, *_: object) -> "_Lines":
        return self

    def msg(self, line: str) -> None:
        # A closed pipe, a full disk or a closed file: there is nowhere left to say so.
        with self._lock, contextlib.suppress(OSError, ValueError):
            try:
                self._stream.write(f"{line}\n")
            except UnicodeEncodeError:
                self._stream.write(ascii(line)[1:-1] + "\n")
            self._stream.flush()

    debug = info = warning = error = critical = msg


def _json(logger: WrappedLogger, name: str, event: EventDict) -> str:  # noqa: ARG001 - a processor's signature
    first = {key: event.pop(key, None) for key in ("time", "level", "event")}
    # ASCII alone: a lone surrogate is then an escape like any other, and no locale can refuse the line.
    return json.dumps(_plain({**first, **event}), ensure_ascii=True, allow_nan=False)


def _plain(value: Any) -> Any:  # noqa: ANN401 - a fact can be anything
    """Return `value` as JSON has it; what JSON doesn't know is text, and so are NaN and infinity."""
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, Mapping):
        return {str(key): _plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(each) for each in value]
    return str(value)


def _console(*, colors: bool) -> tuple[Processor, ...]:
    renderer = structlog.dev.ConsoleRenderer(
        colors=colors,
        timestamp_key="time",
        sort_keys=False,
        repr_native_str=True,
        exception_formatter=structlog.dev.plain_traceback,
    )
    return _tame, renderer


def _tame(logger: WrappedLogger, name: str, event: EventDict) -> EventDict:  # noqa: ARG001 - a processor's signature
    """Keep line breaks out of the event, and control characters away from the terminal. Facts are shown by `repr`."""
    event["event"] = _printable(str(event["event"]))
    if "exception" in event:
        event["exception"] = _printable(str(event["exception"]), but="\n\t")
    return event


def _printable(text: str, *, but: str = "") -> str:
    return "".join(each if each.isprintable() or each in but else ascii(each)[1:-1] for each in text)
