"""What a library imports only because it happens to be there is left out, and nothing else is."""

import importlib
import subprocess
import sys

import pytest
from system.blackbox import environment

from collector.optional import without


def test_what_is_left_out_is_not_there_and_is_afterwards() -> None:
    """Within the block an import fails as of what is not installed; behind it the module is imported as ever."""
    sys.modules.pop("this", None)
    with without("this"), pytest.raises(ImportError):
        importlib.import_module("this")
    assert "this" not in sys.modules


def test_what_is_in_use_stays_in_use() -> None:
    """A module that is there already is not taken from who has it."""
    before = sys.modules["json"]
    with without("json"):
        assert importlib.import_module("json") is before
    assert sys.modules["json"] is before


def test_many_threads_may_leave_out_the_same() -> None:
    """Who comes to the end of his block after another finds nothing to undo, and that is no fault."""
    sys.modules.pop("this", None)
    with without("this"), without("this"):
        del sys.modules["this"]
    assert "this" not in sys.modules


@pytest.mark.parametrize(
    ("imported", "missing"),
    [
        ("import collector.service", ("rich", "pygments", "click", "httpx._main", "starlette", "uvicorn", "structlog")),
        ("from collector.log import logger; logger().info('said')", ("rich", "pygments")),
        ("from collector.cli import app", ("importlib.metadata", "pydantic", "sqlite3", "rich", "httpx")),
    ],
)
def test_a_start_imports_nothing_that_it_does_not_use(imported: str, missing: tuple[str, ...]) -> None:
    """The service is up, a line is written and `--help` is there without what others need."""
    code = f"{imported}\nimport sys\nprint([name for name in {missing!r} if name in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=environment(measured=False),
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert done.stdout.splitlines()[-1] == "[]"
