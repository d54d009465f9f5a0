"""collector.log: one line an event, whatever it holds, and nothing in it that should not be."""

import io
import json
import logging
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog
import time_machine
from hypothesis import given
from hypothesis import strategies as st

import collector.log
from collector.log import configure
from collector.settings import Influx, Secret

HIDDEN = "hunter2"


class Terminal(io.StringIO):
    """A stream that says that people read it."""

    def isatty(self) -> bool:
        """Say so."""
        return True


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    root, config = logging.getLogger(), structlog.get_config()
    yield
    structlog.configure(**config)
    for handler in [each for each in root.handlers if isinstance(each, collector.log._Handler)]:
        root.removeHandler(handler)
    for name in collector.log._LIBRARIES:
        logging.getLogger(name).setLevel(logging.NOTSET)


def said(stream: io.StringIO) -> list[dict[str, Any]]:
    """Return the events of a stream of JSON lines."""
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_elsewhere_than_on_a_terminal_an_event_is_a_line_of_json() -> None:
    """Time (RFC 3339, UTC), level and event come first, the facts after them as they are."""
    stream = io.StringIO()
    configure("info", "auto", stream)
    with time_machine.travel("2026-03-01T12:00:00.25+01:00", tick=False):
        structlog.get_logger().info("points.delivered", sink="Größe", count=412, ok=True, names=("a", None))
    assert stream.getvalue() == (
        '{"time": "2026-03-01T11:00:00.250000Z", "level": "info", "event": "points.delivered", '
        '"sink": "Gr\\u00f6\\u00dfe", "count": 412, "ok": true, "names": ["a", null]}\n'
    )


def test_on_a_terminal_an_event_is_a_line_for_people(monkeypatch: pytest.MonkeyPatch) -> None:
    """In colours, unless NO_COLOR is set. Either form can be asked for anywhere; colours are for terminals alone."""
    monkeypatch.delenv("NO_COLOR", raising=False)
    lines = {}
    for name, stream, form in [
        ("terminal", Terminal(), "auto"),
        ("terminal json", Terminal(), "json"),
        ("file console", io.StringIO(), "console"),
    ]:
        configure("info", form, stream)  # type: ignore[arg-type]
        structlog.get_logger().info("points.delivered", sink="main")
        lines[name] = stream.getvalue()
    monkeypatch.setenv("NO_COLOR", "1")
    stream = Terminal()
    configure("info", "auto", stream)
    structlog.get_logger().info("points.delivered", sink="main")
    assert "\x1b[" in lines["terminal"]
    assert json.loads(lines["terminal json"])["sink"] == "main"
    for line in (lines["file console"], stream.getvalue()):
        assert "\x1b" not in line
        assert "Z [info     ] points.delivered" in line
        assert line.endswith("sink='main'\n")


def test_lines_go_to_stderr_by_default(capsys: pytest.CaptureFixture[str]) -> None:
    """What is printed on stdout is results alone."""
    configure("info", "auto")
    structlog.get_logger().info("points.delivered")
    out, err = capsys.readouterr()
    assert out == ""
    assert json.loads(err)["event"] == "points.delivered"


def test_a_level_leaves_out_what_is_below_it() -> None:
    """Of a logger that was there before, too; and configuring again counts for every logger."""
    stream = io.StringIO()
    log = structlog.get_logger()
    configure("warning", "json", stream)
    for name in ("debug", "info", "warning", "error"):
        getattr(log, name)(name)
    configure("debug", "json", stream)
    log.debug("debug again")
    assert [event["event"] for event in said(stream)] == ["warning", "error", "debug again"]
    assert [event["level"] for event in said(stream)] == ["warning", "error", "debug"]


@pytest.mark.parametrize(
    "library", ["apscheduler.scheduler", "msal.token_cache", "uvicorn.error", "httpx", "urllib3.pool"]
)
def test_what_a_library_warns_of_is_an_event_too(library: str) -> None:
    """Through the same form, once, with the library's name; its chatter below a warning is left out at every level."""
    stream = io.StringIO()
    # The suite's own handler raises on the last record.
    logging.getLogger().handlers.clear()
    configure("debug", "json", io.StringIO())
    configure("debug", "json", stream)
    logging.getLogger(library).info("chatter")
    logging.getLogger(library).warning("job %s missed", "poll")
    logging.getLogger(library).log(35, "between")
    logging.getLogger(library).error("%d", "no number")
    assert [(event["level"], event["event"], event["logger"]) for event in said(stream)] == [
        ("warning", "job poll missed", library),
        ("warning", "between", library),
        ("error", "%d", library),
    ]


def test_other_handlers_of_the_process_are_left_alone() -> None:
    """Whoever embeds the collector keeps what they set up."""
    handler = logging.NullHandler()
    logging.getLogger().addHandler(handler)
    configure("info", "json", io.StringIO())
    assert handler in logging.getLogger().handlers


@pytest.mark.parametrize("form", ["json", "console"])
def test_a_traceback_shows_no_values_of_variables(form: Any) -> None:
    """Where it went wrong is told, not what was at hand there; also for a library's."""
    stream = Terminal()
    configure("info", form, stream)

    def fail(at_hand: str) -> None:
        raise ValueError(f"{len(at_hand)} letters\x1b[31m")

    try:
        fail(HIDDEN)
    except ValueError:
        structlog.get_logger().exception("poll.failed")
        logging.getLogger("apscheduler").exception("job failed")
    shown = stream.getvalue()
    assert HIDDEN not in shown
    assert shown.count("Traceback (most recent call last):") == 2
    assert shown.count("ValueError: 7 letters") == 2
    assert "letters\x1b" not in shown
    if form == "json":
        assert [list(event)[-1] for event in said(stream)] == ["exception", "exception"]


@pytest.mark.parametrize("form", ["json", "console"])
def test_no_secret_is_shown_in_a_fact(form: Any) -> None:
    """Alone, within another value, and within settings."""
    stream = io.StringIO()
    configure("info", form, stream)
    secret = Secret("key", inline=HIDDEN)
    sink = Influx(url="http://h", bucket="b", token=secret)
    structlog.get_logger().info("told", one=secret, some=[secret], by={"key": secret}, sink=sink, either={secret})
    assert HIDDEN not in stream.getvalue()
    assert stream.getvalue().count("Secret(key)") == 5


@given(
    st.text() | st.just("\ud800\n\x1b[2J\u2028\u202e\r"),
    st.text()
    | st.floats()
    | st.lists(st.text())
    | st.dictionaries(st.integers() | st.text(), st.floats())
    | st.binary(),
)
def test_no_value_breaks_a_line(event: str, fact: Any) -> None:
    """Group names are any Unicode: line breaks, half characters and terminal codes stay on one line of either form."""
    for form in ("json", "console"):
        stream = io.StringIO()
        configure("info", form, stream)
        structlog.get_logger().info(event, fact=fact)
        assert stream.getvalue().endswith("\n")
        assert stream.getvalue()[:-1].isprintable()
        assert stream.getvalue().encode()
        if form == "json":
            [line] = said(stream)
            assert line["event"] == event
            assert not isinstance(fact, str) or line["fact"] == fact


def test_a_stream_that_cannot_carry_a_character_gets_its_escape(tmp_path: Path) -> None:
    """A console in an old locale loses no line."""
    with (tmp_path / "log").open("w", encoding="ascii") as stream:
        configure("info", "console", stream)
        structlog.get_logger().info("points.delivered", sink="Größe")
    assert "sink='Gr\\xf6\\xdfe'" in (tmp_path / "log").read_text()


def test_a_stream_that_is_gone_stops_no_work() -> None:
    """Whoever read the lines has closed the pipe, or the file: the event is lost, the job that told it is not."""
    reader, writer = os.pipe()
    os.close(reader)
    stream = os.fdopen(writer, "w")
    configure("info", "json", stream)
    structlog.get_logger().info("points.delivered")
    with pytest.raises(BrokenPipeError):
        stream.close()
    structlog.get_logger().info("points.delivered")
    assert stream.closed


def test_lines_of_many_threads_stay_whole() -> None:
    """Each event is one write, and none comes between."""
    stream = io.StringIO()
    configure("info", "json", stream)
    log = structlog.get_logger()
    together = threading.Barrier(8)

    def tell(thread: int) -> None:
        together.wait()
        for number in range(100):
            log.info("told", thread=thread, number=number)

    threads = [threading.Thread(target=tell, args=(thread,)) for thread in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted((event["thread"], event["number"]) for event in said(stream)) == [
        (thread, number) for thread in range(8) for number in range(100)
    ]


@pytest.mark.parametrize("first", ["log.logger().warning('told', sink='main')", "logging.warning('told')"])
def test_what_writes_lines_is_there_from_the_first_one_on(first: str) -> None:
    """A command that says nothing is done before structlog would be imported; the first line is like all others."""
    code = (
        "import logging, sys\nfrom collector import log\nlog.configure('info', 'json')\n"
        "assert 'structlog' not in sys.modules\n"
        f"{first}\nassert 'structlog' in sys.modules\nlog.logger().info('more')"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=30)
    told, more = map(json.loads, done.stderr.splitlines())
    assert (told["level"], told["event"], more["event"]) == ("warning", "told", "more")
