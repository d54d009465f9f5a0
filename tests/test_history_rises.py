"""The spikes that a journal has, whatever wrote them."""

from pathlib import Path

import pytest
from journals import DAY, MIDNIGHT

from collector.history.rises import felt, spikes
from collector.journal import Journal
from collector.point import MAX_TIME, Point, Series, Value

_TAGS = (("tenant", "contoso"), ("rbacGroupName", "(organization)"), ("rbacGroupId", "none"))


@pytest.mark.parametrize(
    ("state", "end", "said"),
    [
        (0, MIDNIGHT + DAY, ("over", MIDNIGHT + DAY)),
        (1, 0, ("open", None)),
        (2, 0, ("withdrawn", None)),
        (5, 0, ("open", None)),
        (-1, MIDNIGHT + DAY, ("over", MIDNIGHT + DAY)),
        (1, 2**62, ("open", None)),
        (1, -5, ("open", None)),
    ],
)
def test_a_state_or_an_end_that_nobody_knows_is_borne(
    tmp_path: Path, state: int, end: int, said: tuple[str, int | None]
) -> None:
    """What stands in a journal is shown, by its end where the state says nothing."""
    fields: dict[str, Value] = {
        "baseline": 20.0,
        "peak": 40.0,
        "rise": 20.0,
        "state": state,
        "end_time": end,
        "title": "",
        "text": "",
    }
    with Journal(tmp_path / "journal.db") as journal:
        journal.append([Point(Series("exposure_spike", _TAGS), MIDNIGHT, fields)])
        (spike,) = spikes(journal, ["contoso"])
        assert (spike.state, spike.end) == said
        assert len(felt(journal, "contoso", MIDNIGHT, MAX_TIME)) == (spike.state != "withdrawn")
