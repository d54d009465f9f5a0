"""The log, on stderr. Is not where results go, and not how lines look (`lines.py`).

Modules write `_log = logger()` at their top, and `_log.info("points.delivered", sink="main")`. structlog is imported
for the first line that is written: most commands write none, and are done before it would be there.
"""

import logging
import sys
import threading
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any, Literal, TextIO

from collector.optional import without

if TYPE_CHECKING:
    from structlog.typing import FilteringBoundLogger

Level = Literal["debug", "info", "warning", "error"]
Format = Literal["auto", "console", "json"]

_LIBRARIES = ("apscheduler", "httpcore", "httpx", "influxdb_client", "msal", "urllib3", "uvicorn")


class _Lines:
    """How lines look, from the first one on."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._wanted: Callable[[], None] | None = None

    def want(self, level: Level, format: Format, stream: TextIO) -> None:  # noqa: A002 - the setting's name
        with self._lock:
            self._wanted = partial(_set_up, level, format, stream)
        if "structlog" in sys.modules:
            self.logger()

    def logger(self) -> "FilteringBoundLogger":
        if "structlog" not in sys.modules:
            # It would import rich to show tracebacks as we never do.
            with self._lock, without("rich"):
                import structlog
        import structlog

        with self._lock:
            wanted, self._wanted = self._wanted, None
            if wanted is not None:
                wanted()
        found: FilteringBoundLogger = structlog.get_logger()
        return found


_lines = _Lines()


def configure(level: Level, format: Format, stream: TextIO | None = None) -> None:  # noqa: A002 - the setting's name
    """Send every line of `level` and above to `stream` (stderr), and what libraries warn. A later call replaces it."""
    _lines.want(level, format, sys.stderr if stream is None else stream)
    root = logging.getLogger()
    for handler in [each for each in root.handlers if isinstance(each, _Handler)]:
        root.removeHandler(handler)
    root.addHandler(_Handler(logging.WARNING))
    root.setLevel(logging.WARNING)
    for name in _LIBRARIES:
        logging.getLogger(name).setLevel(logging.WARNING)


class Logger:
    """Writes lines. A fact can be anything; what JSON doesn't know is text there."""

    def debug(self, event: str, **facts: Any) -> None:  # noqa: ANN401 - a fact can be anything
        """Write what helps who looks for a fault."""
        _lines.logger().debug(event, **facts)

    def info(self, event: str, **facts: Any) -> None:  # noqa: ANN401 - as above
        """Write what happened."""
        _lines.logger().info(event, **facts)

    def warning(self, event: str, **facts: Any) -> None:  # noqa: ANN401 - as above
        """Write what somebody may want to see to."""
        _lines.logger().warning(event, **facts)

    def error(self, event: str, **facts: Any) -> None:  # noqa: ANN401 - as above
        """Write what somebody has to see to."""
        _lines.logger().error(event, **facts)

    def exception(self, event: str, **facts: Any) -> None:  # noqa: ANN401 - as above
        """Write an error with the traceback of what is being handled."""
        _lines.logger().exception(event, **facts)


def logger() -> Logger:
    """Return what a module writes its lines by."""
    return Logger()


class _Handler(logging.Handler):
    """What libraries say through `logging`, as an event of ours."""

    def emit(self, record: logging.LogRecord) -> None:
        try:
            event = record.getMessage()
        except (TypeError, ValueError):
            # The library's arguments don't fit its own format.
            event = str(record.msg)
        # structlog knows the whole tens alone, and a library may have levels between.
        level = min(record.levelno // 10 * 10, logging.CRITICAL)
        _lines.logger().log(level, event, logger=record.name, exc_info=record.exc_info)


def _set_up(level: Level, format: Format, stream: TextIO) -> None:  # noqa: A002 - the setting's name
    from collector.lines import set_up

    set_up(level, format, stream)
