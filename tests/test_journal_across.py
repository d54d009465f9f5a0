"""What is asked across many series at once: the scores of a poll, found in one stretch where they stand in one."""

from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from journals import DAY, HOUR, MIDNIGHT, group, org, steps

from collector.journal import Journal
from collector.point import Point, Series, Value

_NAMES = ("a", "b", "c", "d")
_POLLS = st.lists(
    st.tuples(st.integers(0, 30), st.permutations(_NAMES), st.integers(0, 4), st.booleans()), min_size=1, max_size=8
)


def _said(time: int, tenant: str = "contoso") -> Point:
    """Return what is said of a poll, behind its scores."""
    tags = (("tenant", tenant), ("subject", "device_groups"), ("collector", "host-1"))
    fields: dict[str, Value] = {"ok": 1, "seconds": 0.2, "points": 4, "tries": 1, "throttled": 0, "error": ""}
    return Point(Series("collector_poll", tags), time, fields)


@settings(max_examples=60, deadline=None)
@given(polls=_POLLS, asked=st.permutations(_NAMES), hour=st.integers(0, 31))
def test_one_stretch_says_what_single_looks_say(
    tmp_path_factory: pytest.TempPathFactory,
    polls: Sequence[tuple[int, Sequence[str], int, bool]],
    asked: Sequence[str],
    hour: int,
) -> None:
    """Whatever the order of the polls and of their groups, whoever is missing, and whatever stands between them."""
    every = [*(group(name).series for name in asked), org().series, group("nobody").series]
    moment = MIDNIGHT + hour * HOUR
    with Journal(tmp_path_factory.mktemp("across") / "journal.db") as journal:
        for n, (at, names, most, said) in enumerate(polls):
            time = MIDNIGHT + at * HOUR
            points = [group(name, time, float(n)) for name in names[:most]]
            journal.append([*points, *([_said(time)] if said else []), org(time, float(n))])
        (found,) = journal.across.earlier(every, [moment])
        single = journal.across.before({moment: every})[moment]
    assert list(found) == [single.get(series) for series in every]


def test_what_is_said_of_polls_does_not_part_the_scores_of_many_tenants(tmp_path: Path) -> None:
    """It stands behind each tenant's organization and groups: a look costs about what it does without it."""
    counts = []
    for said in (False, True):
        with Journal(tmp_path / f"{said}.db") as journal:
            every = []
            for time in (MIDNIGHT, MIDNIGHT + DAY):
                for n in range(12):
                    tenant = f"customer {n}"
                    scores = [org(time, 1.0, tenant), *(group(name, time, 2.0, tenant) for name in map(str, range(30)))]
                    between = [_said(time, tenant)] if said else []
                    journal.append([scores[0], *between, *scores[1:], *between])
                    every += [point.series for point in scores] if time == MIDNIGHT else []
            journal.across.earlier(every, [MIDNIGHT])
            taken = steps(journal)
            journal.across.earlier(every, [MIDNIGHT])
            counts.append(len(taken))
    assert counts[1] < 2 * counts[0]
