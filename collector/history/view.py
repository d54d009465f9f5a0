"""What a page draws of a tenant or of one of its groups: the card, the line, what was usual, spikes, days as a table.

It costs by what is drawn, not by what is kept: beyond some days a line is made of daily points, and what is usual is
asked for once a day. Is not a page (`web/`), and not the figures, which are the card's.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from collector.history.card import DAY, Card, Group, Sample, Standing
from collector.history.drawing import COLUMNS, Row, Stroke, rows, strokes
from collector.history.past import Past
from collector.history.pieces import daily, pieces
from collector.history.reading import rank, read
from collector.history.rises import EVERYBODY, Spike, felt
from collector.point import NO_ID, Point, Series

_MOST_USUAL = 400
"""Moments at which it is asked what was usual."""
_SMALL = 40
"""Of a small trend: the moments whose scores it has."""
SHOWN = 100
"""Groups, or tenants, of one page."""
_POLLS = 30 * DAY
"""How far back the last poll is looked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Poll:
    """The last poll of a subject that was settled, at its slot (ms). `error`: its name, empty when it went well."""

    subject: str
    at: int
    ok: bool
    error: str


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """A tenant's page, or that of the one `group`; `card` then has this group alone.

    `first`: the place of the first of `card.groups` that is shown here, of `shown`; these have the samples of a small
    trend. `usual`: the baseline at a moment, None where it is not known.
    """

    card: Card
    group: Group | None
    since: int
    until: int
    strokes: Sequence[Stroke] = ()
    usual: Sequence[tuple[int, float | None]] = ()
    rows: Sequence[Row] = ()
    spikes: Sequence[Spike] = ()
    polls: Sequence[Poll] = ()
    shown: Sequence[Group] = ()
    first: int = 0

    @property
    def standing(self) -> Standing | None:
        """Where the score stands that the page is about."""
        return self.group.standing if self.group else self.card.standing

    @property
    def own(self) -> Sequence[Spike]:
        """The spikes of the score that the page is about."""
        if self.group is None:
            return [spike for spike in self.spikes if spike.group == EVERYBODY]
        names = {series.tag("rbacGroupName") for series in self.group.series}
        id_ = self.group.id
        return [one for one in self.spikes if (one.id == id_ if NO_ID not in (id_, one.id) else one.group in names)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranking:
    """Several tenants, the worst first. `shown`: those of one page from the place `first` on, each with its trend."""

    cards: Sequence[Card]
    shown: Sequence[Card]
    first: int
    since: int
    until: int


def reach(days: int, late_ms: int) -> int:
    """Return over which time (ms) a score is taken to stand as it was, where so many days are shown."""
    # A score is computed once a day: a hole of less hides nothing, unless a few days are all that is shown.
    return max(late_ms, min(DAY, days * DAY // 8))


def ranking(past: Past, tenants: Collection[str], *, now: int, late_ms: int, days: int, place: int = 0) -> Ranking:
    """Return the tenants' page. `place`: of the first tenant that is shown."""
    cards = rank(past, tenants, now=now, late_ms=late_ms)
    first = _first_shown(place, len(cards))
    shown = cards[first : first + SHOWN]
    since = now - days * DAY
    small = _small(past, [[_organization(card.tenant)] for card in shown], since, now)
    shown = [replace(card, samples=its) for card, its in zip(shown, small, strict=True)]
    return Ranking(cards=cards, shown=shown, first=first, since=since, until=now)


def view(
    past: Past, tenant: str, *, now: int, late_ms: int, days: int | None, group: str | None = None, place: int = 0
) -> View | None:
    """Return a tenant's page, or a group's, which is named by name or id; None where there is no such group.

    `days`: None for all that there is. `place`: of the first group that is shown.
    """
    (card,) = read(past, [tenant], now=now, late_ms=late_ms, days=days or now // DAY, group=group)
    one = card.groups[0] if card.groups and group is not None else None
    if group is not None and one is None:
        return None
    series = one.series if one else [_organization(tenant)]
    since = now - days * DAY if days else _begin(past, series, now)
    first = _first_shown(place, len(card.groups))
    shown = card.groups[first : first + SHOWN] if one is None else ()
    small = _small(past, [each.series for each in shown], since, now)
    known = list(pieces(past, series, since, now))
    usual = _usual(past, series, since, now)
    gap = reach(max(1, (now - since) // DAY), late_ms)
    return View(
        card=card,
        group=one,
        since=since,
        until=now,
        strokes=strokes(known, since, now, gap, COLUMNS),
        usual=usual,
        rows=rows(known, since, now, usual),
        spikes=felt(past, tenant, since, now + 1),
        polls=_polls(past, tenant, now),
        shown=[replace(each, samples=its) for each, its in zip(shown, small, strict=True)],
        first=first,
    )


def _first_shown(place: int, count: int) -> int:
    """Return where the page begins that has a place; the last page where there is no such place."""
    return max(0, min(place, count - 1)) // SHOWN * SHOWN


def _begin(past: Past, every: Sequence[Series], now: int) -> int:
    """Return when the first score of these series was (ms), `now` less a day where there is none."""
    firsts = [past.first(one, now + 1) for series in every for one in (daily(series), series)]
    return min([*(point.time for point in firsts if point is not None), now - DAY])


def _usual(past: Past, every: Sequence[Series], since: int, now: int) -> Sequence[tuple[int, float | None]]:
    """Return the baseline of each day, or of some that are evenly apart, at its end and now."""
    step = DAY * max(1, -(-(now - since) // DAY // _MOST_USUAL))
    moments = [*range((since // DAY + 1) * DAY - 1, now, step), now]
    newest = _newest(past, [(_trend(series), moment) for moment in moments for series in every], len(every))
    return [
        (moment, float(point.fields["baseline"]) if point is not None and point.fields["verdict"] else None)
        for moment, point in zip(moments, newest, strict=True)
    ]


def _small(past: Past, pasts: Sequence[Sequence[Series]], since: int, now: int) -> Sequence[Sequence[Sample]]:
    """Return for each past some of its scores, evenly apart; where they are pruned, those of its days."""
    step = max(1, (now - since) // (_SMALL - 1))
    moments = [now - step * n for n in reversed(range(_SMALL))]
    found: list[dict[int, float]] = [{} for _ in pasts]
    for of, name in ((lambda series: series, "score"), (daily, "last")):
        asked = [
            (place, moment, series)
            for place, every in enumerate(pasts)
            for moment in moments
            if moment >= 0 and moment not in found[place]
            for series in every
        ]
        points = past.before([(of(series), moment) for _, moment, series in asked])
        newest: dict[tuple[int, int], Point] = {}
        for (place, moment, _), point in zip(asked, points, strict=True):
            key = place, moment
            if point is not None and (key not in newest or newest[key].time < point.time):
                newest[key] = point
        for (place, moment), point in newest.items():
            found[place][moment] = float(point.fields[name])
    return [[Sample(moment, its[moment]) for moment in sorted(its)] for its in found]


def _newest(past: Past, asked: Sequence[tuple[Series, int]], each: int) -> Sequence[Point | None]:
    """Return the newest answer of each so many questions."""
    answers = past.before(asked)
    return [
        max(filter(None, answers[start : start + each]), key=lambda point: point.time, default=None)
        for start in range(0, len(answers), each)
    ]


def _polls(past: Past, tenant: str, now: int) -> Sequence[Poll]:
    last: Mapping[str, Point] = {
        point.series.tag("subject"): point
        for point in sorted(past.latest("collector_poll", now - _POLLS, tenant), key=lambda point: point.time)
    }
    return [
        Poll(subject=subject, at=point.time, ok=bool(point.fields["ok"]), error=str(point.fields["error"]))
        for subject, point in sorted(last.items(), reverse=True)
    ]


def _organization(tenant: str) -> Series:
    return Series("exposure_score", (("tenant", tenant),))


def _trend(series: Series) -> Series:
    return series.of(series.measurement.replace("exposure_score", "exposure_trend"))
