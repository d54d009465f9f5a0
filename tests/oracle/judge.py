"""Whether a database has what was acknowledged, once and right, and nothing that was never served. Is pure.

Right is: a score that was served for this series within this slot, by no older answer than the last acknowledged one.
What a killed service had not acknowledged may stand there too, but whole: a poll with all its points, or neither.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from oracle.truth import INTERVAL, ORGANIZATION, Answer, Group, Poll, Score, Stored, Truth, Verdict, slot_of

_REACH = 3 * INTERVAL
"""How long after its slot began a poll may still be under way that a kill interrupts."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def judge(truth: Truth, stored: Stored, until: int | None = None) -> Verdict:
    """Return what is lost, repeated or wrong among slots up to `until` (ms; None: all)."""
    if until is not None:
        truth = Truth(
            answers=truth.answers,
            acknowledged=[poll for poll in truth.acknowledged if poll.slot <= until],
            kills=truth.kills,
            begun=truth.begun,
            collector=truth.collector,
        )
        stored = Stored(
            scores=[score for score in stored.scores if score.slot <= until],
            polls=[poll for poll in stored.polls if poll.slot <= until],
        )
    verdict = Verdict()
    origins = {value: _Origin(answer, group, value) for answer in truth.answers for group, value in answer.rows.items()}
    rows = _judge_scores(stored, origins, verdict)
    _judge_acknowledged(truth, stored, origins, verdict)
    _judge_polls(truth, stored, rows, verdict)
    return verdict


@dataclass(frozen=True, slots=True)
class _Origin:
    """Where a score came from: one row of one answer."""

    answer: Answer
    group: Group
    value: float

    @property
    def identity(self) -> tuple[str, Group, int]:
        return self.answer.tenant, self.group, slot_of(self.answer.asked)


def _judge_scores(stored: Stored, origins: dict[float, _Origin], verdict: Verdict) -> Counter[tuple[str, str, int]]:
    """Every score was served, for the series and the slot under which it stands, and stands there alone.

    Return how many stand where they were served for, by their poll.
    """
    at_home = {
        score.value
        for score in stored.scores
        if score.value in origins and origins[score.value].identity == score.identity
    }
    met: set[tuple[str, Group, int]] = set()
    for score in stored.scores:
        origin = origins.get(score.value)
        if score.identity in met:
            verdict.repeated.append(f"{_named(score)} stands there twice")
        elif origin is None:
            verdict.wrong.append(f"{_named(score)}: {score.value!r} was never served")
        elif origin.identity != score.identity:
            faults = verdict.repeated if score.value in at_home else verdict.wrong
            faults.append(f"{_named(score)}: {score.value!r} was served for {origin.identity}")
        elif score.group == ORGANIZATION and score.api_time != nanoseconds(origin.answer.api_time):
            verdict.wrong.append(f"{_named(score)}: api_time {score.api_time} is not {origin.answer.api_time}")
        met.add(score.identity)
    homes = (origins[value] for value in at_home)
    return Counter((*home.answer.key, slot_of(home.answer.asked)) for home in homes)


def _judge_acknowledged(truth: Truth, stored: Stored, origins: dict[float, _Origin], verdict: Verdict) -> None:
    """Every score of an acknowledged poll is there, and no older one in its place."""
    due: dict[tuple[str, Group, int], int] = {}
    served = defaultdict(list)
    for answer in truth.answers:
        served[answer.tenant, answer.subject, slot_of(answer.asked)].append(answer)
    for poll in truth.acknowledged:
        if not poll.points:
            continue
        answers = [
            answer for answer in served[poll.key] if answer.asked <= poll.said and len(answer.rows) == poll.points
        ]
        if not answers:
            verdict.wrong.append(f"{poll.key}: {poll.points} points were acknowledged that no answer of that slot had")
            continue
        last = max(answers, key=lambda answer: answer.number)
        due |= {(poll.tenant, group, poll.slot): last.number for group in last.rows}
    verdict.points += len(due)
    found = {score.identity: score for score in stored.scores}
    for identity, number in due.items():
        score = found.get(identity)
        if score is None:
            verdict.lost.append(f"{identity} was acknowledged")
        elif score.value in origins and origins[score.value].answer.number < number:
            verdict.wrong.append(f"{identity}: an older answer stands where a later one was acknowledged")


def _judge_polls(truth: Truth, stored: Stored, rows: Counter[tuple[str, str, int]], verdict: Verdict) -> None:
    """Every acknowledged poll is there as it was acknowledged; any other was cut off by a kill, and is whole."""
    acknowledged = {poll.key: poll for poll in truth.acknowledged}
    verdict.points += len(acknowledged)
    found: dict[tuple[str, str, int], Poll] = {}
    for poll in stored.polls:
        if poll.key in found:
            verdict.repeated.append(f"the poll {poll.key} stands there twice")
        found[poll.key] = poll
    verdict.lost += [f"the poll {key} was acknowledged" for key in acknowledged.keys() - found.keys()]
    orphans = rows.keys() - found.keys() - acknowledged.keys()
    verdict.wrong += [f"{key} has scores without their poll" for key in orphans]
    for poll in found.values():
        verdict.wrong += _faults(poll, acknowledged.get(poll.key), truth, rows[poll.key])


def _faults(poll: Poll, acknowledged: Poll | None, truth: Truth, rows: int) -> Iterator[str]:
    """Yield what is wrong with a poll that stands in the database beside so many `rows`."""
    if poll.collector != truth.collector:
        yield f"the poll {poll.key} is said to be of {poll.collector!r}"
    if acknowledged and acknowledged.facts == poll.facts:
        return
    if not _cut_off(poll, acknowledged, truth):
        yield f"the poll {poll.key} has {poll.facts}, and {acknowledged and acknowledged.facts} was acknowledged"
    elif rows < poll.points:
        yield f"the poll {poll.key} has {poll.points} points, and {rows} of them are there"


def _cut_off(poll: Poll, acknowledged: Poll | None, truth: Truth) -> bool:
    """Whether a kill may have kept a poll of this slot from being acknowledged.

    What has succeeded is not polled again; what has failed is, by a life that begins in the same slot.
    """
    if acknowledged is not None:
        again = any(acknowledged.said <= begun < poll.slot + INTERVAL for begun in truth.begun)
        if acknowledged.ok or not again:
            return False
    return any(poll.slot <= kill <= poll.slot + _REACH for kill in truth.kills)


def _named(score: Score) -> str:
    return f"{score.tenant} {score.group[0] or '(organization)'} at {score.slot}"


def nanoseconds(text: str) -> int:
    """Return the ns since the epoch of an API's time: up to 7 fraction digits, of which a datetime would lose one."""
    whole, _, fraction = text.removesuffix("Z").partition(".")
    seconds = int((datetime.fromisoformat(f"{whole}+00:00") - _EPOCH).total_seconds())
    return seconds * 1_000_000_000 + int(fraction.ljust(9, "0"))
