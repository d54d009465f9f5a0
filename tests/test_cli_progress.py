"""Progress: a line every few seconds where nobody watches, a bar on a terminal, and nothing of it on stdout."""

import io

import pytest
from fakes import Time

from collector.cli.progress import Progress, counted


class Terminal(io.StringIO):
    """What says that it is a terminal."""

    def isatty(self) -> bool:
        return True


def test_a_line_every_few_seconds_says_how_far_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    """Without a terminal there are plain lines with count, rate and what is left; none for what ends at once."""
    stream, time = io.StringIO(), Time(100.0)
    with Progress(stream=stream, monotonic=time) as progress:
        for second in range(13):
            time.now = 100.0 + second
            progress.show("main", 1000 * second, 45_000)
    assert stream.getvalue().splitlines() == [
        "main: 5,000 of 45,000 points, 1,000/s, 40 s left",
        "main: 10,000 of 45,000 points, 1,000/s, 35 s left",
    ]
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("of", "left"), [(607_000, "10 min 0 s"), (7_267_000, "2 h 1 min"), (7_600, "1 s"), (100, "0 s")]
)
def test_what_is_left_is_said_as_people_say_it(of: int, left: str) -> None:
    """Hours, minutes and seconds; where more was done than was counted before, nothing is left."""
    stream, time = io.StringIO(), Time(0.0)
    with Progress(stream=stream, monotonic=time) as progress:
        progress.show("main", 0, of)
        time.now = 7.0
        progress.show("main", 7_000, of)
    assert stream.getvalue() == f"main: 7,000 of {max(of, 7_000):,} points, 1,000/s, {left} left\n"


def test_what_has_not_begun_has_no_rate() -> None:
    """A sink that takes nothing shows its count alone: no rate, and no time that is left."""
    stream, time = io.StringIO(), Time(0.0)
    with Progress(stream=stream, monotonic=time) as progress:
        time.now = 6.0
        progress.show("main", 0, 5)
    assert stream.getvalue() == "main: 0 of 5 points\n"


def test_a_terminal_has_a_bar_that_leaves_nothing_behind() -> None:
    """The bar names what is done; markup in a sink's name is text."""
    stream, time = Terminal(), Time(0.0)
    with Progress(stream=stream, monotonic=time) as progress:
        progress.show("[red]copying", 0, 100, "pages")
        time.now = 2.0
        progress.show("[red]copying", 50, 100, "pages")
        assert progress._bar is not None
        progress._bar.refresh()
    assert "[red]copying" in stream.getvalue()
    assert "50 of 100 pages, 25/s, 2 s left" in stream.getvalue()


def test_counts_have_their_nouns() -> None:
    """One point, two points, two series."""
    assert [counted(n, noun) for n, noun in ((1, "point"), (1200, "point"), (2, "series"))] == [
        "1 point",
        "1,200 points",
        "2 series",
    ]
