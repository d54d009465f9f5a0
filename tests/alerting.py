"""Alert rules as Grafana evaluates them, on histories that come to a real InfluxDB hour by hour. Is not Grafana.

What is played is what the documentation says of an alert instance: one for each series; pending until the condition has
held; gone when its series was missing twice; and what becomes of it without any data, and while nobody answers.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import quarter
from deployed import expanded
from quarter import DAY, HOUR
from servers import Influxd

from collector.batch import Cursor, Filter
from collector.errors import CollectorError
from collector.http import Http
from collector.influx import V1
from collector.journal import Journal
from collector.pipeline.outcome import Outcome, poll_point
from collector.point import Point, Series
from collector.settings import Influx

BEGIN = quarter.SINCE
MINUTE = 60_000
TENANT = "contoso"
_UNITS = {"s": 1_000, "m": MINUTE, "h": HOUR}
_EVERY = 5 * MINUTE
_MISSED = 2
"""Evaluations without its series after which an instance is gone."""

Labels = tuple[str, ...]
Scores = Mapping[str, float]


@dataclass(slots=True)
class _Instance:
    state: str = "normal"
    since: int = 0
    missed: int = 0


@dataclass(slots=True)
class Watch:
    """One rule, looked at each five minutes. `told`: when (ms) it began to fire, and for which labels."""

    rule: Mapping[str, Any]
    told: list[tuple[int, Labels]] = field(default_factory=list)
    _instances: dict[Labels, _Instance] = field(default_factory=dict)

    @property
    def firing(self) -> set[Labels]:
        """The labels for which it fires now."""
        return {labels for labels, one in self._instances.items() if one.state == "firing"}

    def query(self, now: int) -> str:
        """Return what it asks at a time."""
        asks, since = self.rule["data"][0], now - self.rule["data"][0]["relativeTimeRange"]["from"] * 1000
        return expanded(asks["model"]["query"], since, now)

    def look(self, now: int, rows: Sequence[Mapping[str, Any]] | None) -> None:
        """Take in what the database has answered; None: that it did not."""
        values = None if rows is None else self._reduced(rows)
        if values:
            for labels, value in values.items():
                self._judge(labels, now, holds=self._beyond(value))
            for labels in self._instances.keys() - values.keys():
                self._miss(labels)
            return
        state = self.rule["execErrState"] if values is None else self.rule["noDataState"]
        if state == "Alerting":
            for labels in list(self._instances) or [()]:
                self._judge(labels, now, holds=True)
        elif state == "OK":
            for labels in list(self._instances):
                self._miss(labels)
        else:
            assert state == "KeepLast"

    def _reduced(self, rows: Sequence[Mapping[str, Any]]) -> Mapping[Labels, float]:
        reduce = self.rule["data"][1]["model"]
        assert (reduce["reducer"], reduce["settings"]["mode"]) == ("last", "dropNN")
        last: dict[Labels, float] = {}
        for row in rows:
            columns = list(row)
            # Tags come first, then the time, then the one value.
            *tags, time, value = columns
            assert time == "time"
            if row[value] is not None:
                last[tuple(row[tag] for tag in tags)] = row[value]
        return last

    def _beyond(self, value: float) -> bool:
        (condition,) = self.rule["data"][2]["model"]["conditions"]
        (bound,) = condition["evaluator"]["params"]
        return bool({"gt": value > bound, "lt": value < bound}[condition["evaluator"]["type"]])

    def _judge(self, labels: Labels, now: int, *, holds: bool) -> None:
        one = self._instances.setdefault(labels, _Instance())
        one.missed = 0
        if not holds:
            one.state = "normal"
        elif one.state == "normal":
            one.state, one.since = "pending", now
        elif one.state == "pending" and now - one.since >= _milliseconds(self.rule["for"]):
            one.state = "firing"
            self.told.append((now, labels))

    def _miss(self, labels: Labels) -> None:
        self._instances[labels].missed += 1
        if self._instances[labels].missed >= _MISSED:
            del self._instances[labels]


def _milliseconds(text: str) -> int:
    match = re.fullmatch(r"(\d+)([smh])", text)
    assert match
    return int(match[1]) * _UNITS[match[2]]


class Story:
    """A journal and a database to which hours are added. `now`: the slot (ms) that comes next."""

    def __init__(self, folder: Path, server: Influxd) -> None:
        self.now = BEGIN
        self.database = server.database()
        self._server = server
        self._journal = Journal(folder / "story.db", clock=lambda: self.now / 1000)
        self._http = Http()
        self._sink = V1("main", Influx(api="v1", url=server.url, database=self.database), self._http)
        self._cursor = Cursor("main", 1, 0)

    def close(self) -> None:
        """Let go of the file."""
        self._journal.close()
        self._http.close()

    def usual(self, days: int, scores: Scores, groups: Mapping[str, Scores] | None = None) -> None:
        """Have whole days, each hour the same."""
        slots = range(self.now, self.now + days * DAY, HOUR)
        self.now += days * DAY
        self._add([point for slot in slots for point in _points(slot, scores, groups or {})])

    def hours(
        self,
        count: int,
        scores: Scores,
        groups: Mapping[str, Scores] | None = None,
        *,
        error: Mapping[str, CollectorError | None] | None = None,
        watches: Sequence[Watch] = (),
        answers: bool = True,
    ) -> None:
        """Have hours, one after the other, with these scores, and let each be watched.

        `error`: how the poll of a tenant has ended, where it is told. `answers`: whether the database does.
        """
        for _ in range(count):
            slot = self.now
            polls = [_poll(slot, tenant, how) for tenant, how in (error or {}).items()]
            self._add([*_points(slot, scores, groups or {}), *polls])
            for now in range(slot + MINUTE, slot + HOUR, _EVERY):
                for watch in watches:
                    watch.look(now, self._server.query(watch.query(now), self.database) if answers else None)
            self.now += HOUR

    def _add(self, points: Sequence[Point]) -> None:
        self._journal.append(points)
        quarter.derive(self._journal, self.now)
        batch = self._journal.read(self._cursor, 100_000, Filter())
        self._sink.write(batch.columns)
        self._cursor = Cursor("main", batch.after, 0)


def _points(slot: int, scores: Scores, groups: Mapping[str, Scores]) -> Sequence[Point]:
    whole = [
        Point(Series("exposure_score", (("tenant", tenant),)), slot, {"score": score, "api_time": slot * 1_000_000})
        for tenant, score in scores.items()
    ]
    parts = [
        Point(
            Series("exposure_score_by_group", (("tenant", tenant), ("rbacGroupName", name), ("rbacGroupId", name))),
            slot,
            {"score": score},
        )
        for tenant, own in groups.items()
        for name, score in own.items()
    ]
    return [*whole, *parts]


def _poll(slot: int, tenant: str, error: CollectorError | None) -> Point:
    outcome = Outcome(
        tenant=tenant, subject="organization", slot=slot, error=error, points=1, tries=1, throttled=0, seconds=0.2
    )
    return poll_point(outcome, "host-1")
