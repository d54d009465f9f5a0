"""The service: its tenants begin a slot one after the other, each at its place."""

import time
from collections import Counter
from functools import partial
from pathlib import Path

import pytest
from clocked import SETTINGS, Clocked, until
from fakes import Script, ScriptedAsking, Stage, Time, score
from hypothesis import given
from hypothesis import strategies as st

from collector.journal import Journal
from collector.service.spread import SHARE, Spread, place, span
from collector.settings import load

HOUR = 3600.0


def begun(names: list[str], seconds: float) -> dict[str, float]:
    """Return when each tenant began, in seconds from the start of the row."""
    clock = Time()
    stage = Stage(clock)
    start, found = clock.now, dict[str, float]()

    def begin(name: str) -> None:
        found[name] = clock.now - start

    Spread(stage, "slot", clock).begin([(name, partial(begin, name)) for name in names], seconds)
    stage.play()
    return found


@given(st.lists(st.text(), unique=True, max_size=60), st.floats(0, 21_600))
def test_every_tenant_begins_once_and_within_a_tenth(names: list[str], left: float) -> None:
    """Whatever they are called and whatever is left of the slot: all begin, and none after a tenth of that."""
    found = begun(names, span(len(names), left))
    assert found.keys() == set(names)
    assert all(0 <= moment <= SHARE * left + 0.2 for moment in found.values())


def test_a_thousand_tenants_begin_about_ten_a_second() -> None:
    """An hour's slot has a thousand of them begin over 100 seconds, evenly: no second has many more than its share."""
    found = begun([f"tenant-{n}" for n in range(1000)], span(1000, HOUR))
    assert 95 < max(found.values()) <= 100.2
    assert max(Counter(int(moment) for moment in found.values()).values()) < 30


def test_a_tenant_that_is_alone_never_waits_and_few_wait_little() -> None:
    """One tenant is polled as the slot begins, ten within a second; many of a short interval within a tenth of it."""
    assert [span(count, HOUR) for count in (0, 1, 10, 1000, 100_000)] == [0.0, 0.0, 1.0, 100.0, 360.0]
    assert span(1000, 60.0) == 6.0


def test_a_row_that_is_forgotten_as_it_goes_on_ends_there() -> None:
    """A clock that jumps while one tenant begins has the slot begun anew: those behind it begin then, once."""
    clock = Time()
    stage = Stage(clock)
    spread = Spread(stage, "slot", clock)
    found: list[str] = []

    def begin(name: str) -> None:
        found.append(name)
        if name == "jumps":
            spread.forget()
            spread.begin([("after", partial(begin, "after"))], 0.0)

    spread.begin([(name, partial(begin, name)) for name in ("jumps", "second", "third")], 0.0)
    spread.begin([(name, partial(begin, f"late {name}")) for name in ("one", "two")], 10.0)
    spread.forget()
    stage.play()
    assert found[found.index("jumps") :] == ["jumps", "after"]
    assert not [name for name in found if name.startswith("late")]


def test_a_tenants_place_is_its_own() -> None:
    """It depends on the name alone: the same in each slot, in each process, and whoever else is there."""
    assert [round(place(name), 6) for name in ("contoso", "fabrikam", "")] == [0.070079, 0.590176, 0.889416]
    few, many = (begun([f"tenant-{n}" for n in range(count)], 100.0) for count in (20, 200))
    assert all(abs(many[name] - moment) <= 0.1 for name, moment in few.items())


def test_one_that_fails_keeps_no_other_from_its_turn() -> None:
    """A fault of ours in one tenant's beginning is told, and the rest of the row begins all the same."""
    clock = Time()
    stage = Stage(clock)
    found: list[str] = []

    def fail() -> None:
        raise RuntimeError("made up")

    names = sorted((f"tenant-{n}" for n in range(10)), key=place)
    row = [(name, fail if name == names[0] else partial(found.append, name)) for name in names]
    with pytest.raises(RuntimeError):
        Spread(stage, "slot", clock).begin(row, 0.0)
    stage.play()
    assert found == names[1:]


class Asked(Script):
    """Answers, and remembers when it was asked."""

    moment = 0.0

    def ask(self, subject: str, slot: int) -> ScriptedAsking:
        self.moment = time.monotonic()
        self.turns.append([score(self.tenant, slot)])
        return super().ask(subject, slot)


def test_a_service_spreads_its_tenants_and_their_points_have_one_time(tmp_path: Path) -> None:
    """Forty tenants begin over four seconds, in the order of their places; all of their points are of one slot."""
    path = tmp_path / "collector.toml"
    path.write_text(SETTINGS)
    sources = [Asked(f"tenant-{n}") for n in range(40)]
    with Journal(tmp_path / "journal.db") as journal:
        settings = load(path, {})
        settings = settings.model_copy(update={"poll": settings.poll.model_copy(update={"interval_seconds": 21_600})})
        service = Clocked(settings, journal, sources[0])
        service.engine.sources = sources  # type: ignore[assignment]
        began = time.monotonic()
        with service.runs():
            until(lambda: len(service.outcomes) == 40)
        times = {point.time for point in service.points().values()}
    assert len(times) <= 2  # one, unless the slot ends just here
    moments = [source.moment - began for source in sorted(sources, key=lambda source: place(source.tenant))]
    assert moments == sorted(moments)
    assert moments[-1] - moments[0] > 2.5
