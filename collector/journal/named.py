"""A series as its row in the journal: its texts, and the checksum by which they prove to be what was written."""

import json
import sys
from collections.abc import Sequence
from typing import Any

from collector.journal.codec import Damaged, checksum
from collector.point import Series

SERIES = "SELECT id, measurement, tenant, tags, crc FROM series"


def row_of(number: int, series: Series) -> tuple[int, str, str, str, int]:
    """Return the row of a series whose first tag is its tenant."""
    (_, tenant), *rest = series.tags
    written = ",".join([f'["{key}","{value}"]' for key, value in rest])
    # Where no text has anything to escape that is their JSON.
    plain = written.isprintable() and "\\" not in written and written.count('"') == 4 * len(rest)
    tags = f"[{written}]" if plain else json.dumps(rest, ensure_ascii=False, separators=(",", ":"))
    return number, series.measurement, tenant, tags, checksum(number, series.measurement, tenant, tags)


def texts(number: int, row: Sequence[Any]) -> Sequence[str]:
    """Return the texts of a row behind its number: the measurement, and each tag's key and value.

    Raise Damaged where they are not what was written.
    """
    measurement, tenant, tags, crc = row
    if checksum(number, measurement, tenant, tags) != crc:
        raise Damaged(f"series {number}", "the checksum differs")
    if "\\" in tags:
        return measurement, "tenant", tenant, *[text for pair in json.loads(tags) for text in pair]
    # Nothing is escaped, so that between quotes there are texts and what parts them, by turns.
    return measurement, "tenant", tenant, *tags.split('"')[1::2]


def decoded(number: int, row: Sequence[Any]) -> Series:
    """Return the series of a row behind its number; raise Damaged where it is not what was written."""
    # Interned: most series have these texts in common.
    return Series.proven(map(sys.intern, texts(number, row)))
