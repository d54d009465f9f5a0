"""Any points of the schema, and files of them, for the tests that send them out of the journal and back."""

import csv
import io
from collections.abc import Iterable, Sequence

from hypothesis import strategies as st

from collector.history.sheet import COLUMNS, Sheet
from collector.measurements import MEASUREMENTS, Kind, Origin
from collector.point import MAX_ID_BYTES, MAX_TIME, Point, Series, Value, carried, tag_value

NOW = 1_900_000_000_000
"""Later than any of them but annotations, in ms."""
NASTY = st.sampled_from(
    [
        *(
            "=1+1",
            "+1",
            "-1",
            "@SUM(A1)",
            "\t=1",
            "\r=1",
            "\n=1",
            "'=1",
            "''+1",
            "'quoted'",
            "-",
            "\uff1d1",
            '"',
            '""',
            'a"b',
        ),
        *(
            "a,b",
            "a;b",
            "two\nlines",
            "two\r\nlines",
            "\r",
            "\n",
            " ",
            " edge ",
            "\ufeffmark",
            "5.0",
            "1E5",
            "NaN",
            "ä€𝄞",
        ),
        *("tag:subject", "measurement", "\x00", "\u2028", "'1735689600000000000", "x" * 200_000),
    ]
)
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=12) | NASTY
TAGS = (st.text(min_size=1, max_size=8) | NASTY).map(lambda text: tag_value(text, most=MAX_ID_BYTES)).filter(carried)
_FLOATS = st.floats(allow_nan=False, allow_infinity=False) | st.integers(-100, 100).map(float)
_VALUES: dict[Kind, st.SearchStrategy[Value]] = {
    "float": _FLOATS,
    "int": st.integers(-(2**63), 2**63 - 1) | st.integers(-5, 5),
    "string": TEXTS,
}
_SCORES = st.floats(0, 100) | st.integers(0, 100).map(float)


@st.composite
def points(draw: st.DrawFn, origins: frozenset[Origin] = frozenset(Origin)) -> Point:
    """Draw a point of a measurement of these origins, with tags and times that are often the same."""
    name = draw(st.sampled_from([name for name, its in MEASUREMENTS.items() if its.origin in origins]))
    known = MEASUREMENTS[name]
    tags = tuple((tag, draw(st.sampled_from(["a", "b"]) | TAGS)) for tag in known.tags)
    latest = MAX_TIME - 1 if name == "exposure_annotation" else NOW
    time = draw(st.sampled_from([0, 1_700_000_000_000, 1_700_003_600_000]) | st.integers(0, latest))
    fields: dict[str, Value] = {}
    for field, kind in known.fields.items():
        if field not in known.optional or draw(st.booleans()):
            within = name.startswith("exposure_score") and field == "score"
            bounds = known.within.get(field)
            any_of = st.integers(*bounds) if bounds else _VALUES[kind]
            fields[field] = draw(_SCORES if within else any_of)
    return Point(Series(name, tags), time, fields)


def file(rows: Iterable[Sequence[str]], separator: str = ",") -> Sheet:
    """Return a file of these lines."""
    text = io.StringIO()
    writer = csv.writer(text, delimiter=separator, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    writer.writerows(rows)
    return Sheet(io.BytesIO(text.getvalue().encode()))
