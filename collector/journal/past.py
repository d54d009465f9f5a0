"""The questions about the past that rows answer: the index by day says which, then they are read by id.

Only the days that have rows are visited: one point of the year 1970 or 2262 costs one step. All functions run inside a
transaction of the caller's.
"""

import json
import sqlite3
from bisect import bisect_left
from collections.abc import Collection, Iterator, Sequence

from collector.batch import Row
from collector.journal.rows import Rows
from collector.journal.schema import DAY
from collector.point import Series

_HISTORY = f"""WITH RECURSIVE day (n) AS (
        SELECT ?1 UNION ALL SELECT (SELECT min(time / {DAY}) FROM point WHERE time / {DAY} > day.n) FROM day
        WHERE day.n < ?2)
    SELECT p.id FROM day
    CROSS JOIN point p ON p.time / {DAY} = day.n AND p.series = ?3 AND p.time >= ?4 AND p.time < ?5
    ORDER BY day.n, p.time"""
_FIRST = f"""WITH RECURSIVE day (n) AS (
        SELECT min(time / {DAY}) FROM point WHERE time / {DAY} >= 0
        UNION ALL SELECT (SELECT min(time / {DAY}) FROM point WHERE time / {DAY} > day.n) FROM day WHERE day.n < ?3)
    SELECT p.id FROM day
    CROSS JOIN point p ON p.time / {DAY} = day.n AND p.series = ?1 AND p.time >= 0 AND p.time < ?2
    LIMIT 1"""
_NEWEST = f"""SELECT wanted.value, (
        SELECT id FROM point WHERE time / {DAY} = ?2 AND series = wanted.value AND time >= ?3 AND time < ?4
        ORDER BY time DESC LIMIT 1)
    FROM json_each(?1) wanted"""
# A moment and a day before it lie in two days: two looks into the index, whatever is kept.
_BEFORE = f"""WITH wanted (place, series, moment) AS (
        SELECT key, json_extract(value, '$[0]'), json_extract(value, '$[1]') FROM json_each(?1))
    SELECT place, coalesce(
        (SELECT id FROM point WHERE time / {DAY} = moment / {DAY} AND point.series = wanted.series
            AND time <= moment ORDER BY time DESC LIMIT 1),
        (SELECT id FROM point WHERE time / {DAY} = moment / {DAY} - 1 AND point.series = wanted.series
            AND time >= moment - {DAY} ORDER BY time DESC LIMIT 1))
    FROM wanted"""
# Not `p.time = ?3`: SQLite would put that value into `p.time / day` too, and no longer know it for the index's.
_AT = f"""SELECT p.id FROM json_each(?1) wanted
    CROSS JOIN point p ON p.time / {DAY} = ?2 AND p.series = wanted.value
        AND p.time BETWEEN ?3 AND ?3"""
_BEGUN = f"""SELECT wanted.value FROM json_each(?1) wanted WHERE EXISTS (
        SELECT 1 FROM point WHERE time / {DAY} = ?2 AND series = wanted.value AND time < ?3)"""
_FOLLOWING_DAY = f"SELECT min(time / {DAY}) FROM point WHERE time / {DAY} > ? AND time / {DAY} <= ?"
_FOLLOWING_SERIES = f"SELECT series FROM point WHERE time / {DAY} = ? AND series >= ? ORDER BY series LIMIT 1"
_OF_DAY = f"SELECT id FROM point WHERE time / {DAY} = ? AND series = ? AND time >= ? AND time < ?"


def history(connection: sqlite3.Connection, rows: Rows, series: Series, since: int, until: int) -> Sequence[Row]:
    """Return the rows of a series from `since` to before `until` (ms), in the order of time."""
    number = rows.names.known_number(connection, series)
    values = (since // DAY, (until - 1) // DAY, number, since, until)
    return rows.these(connection, [id_ for (id_,) in connection.execute(_HISTORY, values)])


def first(connection: sqlite3.Connection, rows: Rows, series: Series, until: int) -> Row | None:
    """Return the first row of a series before `until` (ms), None where there is none."""
    number = rows.names.known_number(connection, series)
    found = connection.execute(_FIRST, (number, until, (until - 1) // DAY)).fetchone()
    if found is None:
        return None
    # Where it is damaged the one behind it is the first.
    whole = rows.these(connection, found) or history(connection, rows, series, 0, until)
    return next(iter(whole), None)


def latest(
    connection: sqlite3.Connection, rows: Rows, wanted: Sequence[tuple[int, Series]], since: int, until: int
) -> Sequence[Row]:
    """Return the newest row of each wanted series that has one from `since` to before `until` (ms)."""
    left = dict(wanted)
    found: list[Row] = []
    day = (until - 1) // DAY
    while left and day is not None and day >= since // DAY:
        newest = connection.execute(_NEWEST, (json.dumps(list(left)), day, since, until)).fetchall()
        owners = {id_: left.pop(number) for number, id_ in newest if id_ is not None}
        whole = rows.these(connection, list(owners))
        found += whole
        for damaged in owners.keys() - {row.id for row in whole}:
            # The one before it is the newest then.
            found += history(connection, rows, owners[damaged], since, until)[-1:]
        day = connection.execute(f"SELECT max(time / {DAY}) FROM point WHERE time / {DAY} < ?", (day,)).fetchone()[0]
    return found


def at(connection: sqlite3.Connection, rows: Rows, wanted: Sequence[tuple[int, Series]], moment: int) -> Sequence[Row]:
    """Return the rows of the wanted series at one time (ms)."""
    numbers = json.dumps([number for number, _ in wanted])
    return rows.these(connection, [id_ for (id_,) in connection.execute(_AT, (numbers, moment // DAY, moment))])


def between(
    connection: sqlite3.Connection, rows: Rows, wanted: Sequence[tuple[int, Series]], since: int, until: int
) -> Sequence[Row]:
    """Return the rows of the wanted series from `since` to before `until` (ms), in the order of time.

    A day costs what it has of them, and a look for each time that other series stand between them: not a look for each
    series that is wanted.
    """
    ids = [
        id_
        for day, number in _having(connection, sorted(number for number, _ in wanted), since // DAY, (until - 1) // DAY)
        for (id_,) in connection.execute(_OF_DAY, (day, number, since, until))
    ]
    return sorted(rows.these(connection, ids), key=lambda row: row.point.time)


def begun(connection: sqlite3.Connection, numbers: Collection[int], until: int) -> Collection[int]:
    """Return those of the series (by number) that have a row before `until` (ms).

    A series that is newer than all that a day has costs that day nothing of its own.
    """
    last = until // DAY
    found = {int(number) for (number,) in connection.execute(_BEGUN, (json.dumps([*numbers]), last, until))}
    left = sorted(set(numbers) - found)
    day = -1
    while left and (day := connection.execute(_FOLLOWING_DAY, (day, last - 1)).fetchone()[0]) is not None:
        its = {number for _, number in _having(connection, left, day, day)}
        if its:
            found |= its
            left = [number for number in left if number not in its]
    return found


def _having(connection: sqlite3.Connection, numbers: Sequence[int], first: int, last: int) -> Iterator[tuple[int, int]]:
    """Yield each day from `first` to `last` with each of the series (`numbers`, ascending) that has rows in it."""
    day = first - 1
    while numbers and (day := connection.execute(_FOLLOWING_DAY, (day, last)).fetchone()[0]) is not None:
        place = 0
        # The two orders leap over each other: from a wanted number to the next that has rows, and from that to the
        # next that is wanted.
        while place < len(numbers):
            found = connection.execute(_FOLLOWING_SERIES, (day, numbers[place])).fetchone()
            if found is None:
                break
            place = bisect_left(numbers, found[0])
            if place < len(numbers) and numbers[place] == found[0]:
                yield day, numbers[place]
                place += 1


def before(connection: sqlite3.Connection, rows: Rows, moments: Sequence[tuple[Series, int]]) -> Sequence[Row | None]:
    """Return the newest row of each series at or before its moment (ms), None where it is more than a day older."""
    # A series is often asked for several moments.
    numbers = {series: rows.names.known_number(connection, series) for series in {series for series, _ in moments}}
    asked = json.dumps([(numbers[series], moment) for series, moment in moments])
    ids = dict(connection.execute(_BEFORE, (asked,)).fetchall())
    whole = {row.id: row for row in rows.these(connection, [id_ for id_ in ids.values() if id_ is not None])}
    found = []
    for place, (series, moment) in enumerate(moments):
        row = whole.get(ids[place])
        if row is None and ids[place] is not None:
            # It is damaged: the one before it is the newest then, which is not at the moment.
            row = next(iter(history(connection, rows, series, moment - DAY, moment)[-1:]), None)
        found.append(row)
    return found
