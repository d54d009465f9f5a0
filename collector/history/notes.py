"""What people wrote beside the scores: notes, and breaks, before which scores were not measured as they are since.

Pure: points in, notes out, and the one question to the journal that it takes. Is not what a person types.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from collector.point import Point, Series, Value

ANNOTATION = "exposure_annotation"
EVERY_GROUP = "(all)"
"""The `rbacGroupName` of what is said of the organization and all its groups."""

Kind = Literal["note", "break"]


class Written(Protocol):
    """A journal, as far as it is asked here. Times are ms since the epoch."""

    def between(self, measurement: str, since: int, until: int, tenant: str | None = None) -> Sequence[Point]:
        """Return a measurement's points from `since` to before `until`, of one tenant or of all, by time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """What is said of one tenant at the time `at` (ms). `group`: of that one alone, None for all.

    `kind`: "note" or "break". What was noted for several tenants at once is a note of each, all with one `id`.
    `withdrawn`: whether it was taken back.
    """

    id: str
    at: int
    kind: str
    tenant: str
    group: str | None = None
    title: str
    text: str = ""
    withdrawn: bool = False

    def point(self) -> Point:
        """Return the point that says so; it supersedes what this note has said before."""
        named = (("rbacGroupName", self.group or EVERY_GROUP), ("kind", self.kind), ("id", self.id))
        fields: Mapping[str, Value] = {"title": self.title, "text": self.text, "withdrawn": int(self.withdrawn)}
        return Point(Series(ANNOTATION, (("tenant", self.tenant), *named)), self.at, fields)


def notes(
    past: Written, tenants: Collection[str], since: int, until: int, *, withdrawn: bool = False
) -> Sequence[Note]:
    """Return the notes and breaks of the tenants from `since` to before `until` (ms), in the order of time.

    Those that were taken back are among them only where `withdrawn`. It costs by the days of that time and by what was
    noted in them.
    """
    only = next(iter(tenants)) if len(tenants) == 1 else None
    found = [_note(point) for point in past.between(ANNOTATION, since, until, only)]
    return [note for note in found if note.tenant in tenants and (withdrawn or not note.withdrawn)]


def _note(point: Point) -> Note:
    group = point.series.tag("rbacGroupName")
    return Note(
        id=point.series.tag("id"),
        at=point.time,
        kind=point.series.tag("kind"),
        tenant=point.series.tag("tenant"),
        group=None if group == EVERY_GROUP else group,
        # A file that was imported may lack a field.
        title=str(point.fields.get("title", "")),
        text=str(point.fields.get("text", "")),
        withdrawn=bool(point.fields.get("withdrawn", 0)),
    )
