"""The journal as a whole: from when to when its points are. It costs by the series of two days at the most.

All functions run inside a transaction of the caller's.
"""

import sqlite3
from dataclasses import dataclass
from typing import Literal

from collector.journal.schema import DAY
from collector.point import MAX_TIME

Edge = Literal["min", "max"]

_FEW = 50_000
"""Rows of a day that are all looked at. A day of 200,000 groups has millions: of it each series is asked once."""
_TENANTS = ("exposure_score", "device_secure_score", "collector_poll")
"""What has a series or a few a tenant."""
# With both bounds: a flipped bit makes NULL or bytes of a number, and those sort before and behind all numbers.
_VALID = f"time BETWEEN 0 AND {MAX_TIME}"
# A note may speak of a time that lies ahead, or of one before there was a collector.
_POLLED = "measurement <> 'exposure_annotation'"


@dataclass(frozen=True, slots=True)
class Summary:
    """The whole journal: points, bytes on disk, and the times (ms) of its oldest and newest that is no annotation.

    `exact`: whether all points were counted, and not a part of them.
    """

    points: int
    bytes: int
    oldest: int | None
    newest: int | None
    exact: bool


def edge(connection: sqlite3.Connection, which: Edge) -> int | None:
    """Return the time (ms) of the oldest (`min`) or newest (`max`) row that is no annotation, None without a row.

    Where a day has millions of rows, and scores of organizations or polls among them, it is the time of one of these.
    """
    onward = ">" if which == "min" else "<"
    following = (
        f"SELECT {which}(time / {DAY}) FROM point WHERE time / {DAY} {onward} ?1 AND time / {DAY} BETWEEN 0 AND ?2"
    )
    last = MAX_TIME // DAY
    day = -1 if which == "min" else last + 1
    while (day := connection.execute(following, (day, last)).fetchone()[0]) is not None:
        found = _within(connection, which, day)
        if found is not None:
            return found
    return None


def _within(connection: sqlite3.Connection, which: Edge, day: int) -> int | None:
    """Return the edge of what a day has, None where it has annotations alone."""
    of_day = f"FROM point WHERE time / {DAY} = ?1 AND {_VALID}"
    rows = connection.execute(f"SELECT count(*) FROM (SELECT 1 {of_day} LIMIT {_FEW + 1})", (day,)).fetchone()[0]
    if rows <= _FEW:
        polled = f"EXISTS (SELECT 1 FROM series s WHERE s.id = point.series AND {_POLLED})"
        return _time(connection, f"SELECT {which}(time) {of_day} AND {polled}", day)
    each = f"SELECT {which}((SELECT {which}(time) {of_day} AND point.series = s.id)) FROM series s WHERE"
    tenants = ", ".join(f"'{name}'" for name in _TENANTS)
    found = _time(connection, f"{each} s.measurement IN ({tenants})", day)
    return _time(connection, f"{each} s.{_POLLED}", day) if found is None else found


def _time(connection: sqlite3.Connection, statement: str, day: int) -> int | None:
    found: int | None = connection.execute(statement, (day,)).fetchone()[0]
    return found
