"""The oracle is right about what is wrong: each fault that can be planted in a history is found, and found alone."""

from collections.abc import Callable
from dataclasses import replace

import httpx
import pytest
from oracle.judge import judge, nanoseconds
from oracle.truth import ORGANIZATION, Answer, Poll, Score, Stored, Truth
from oracle.wires import DatabaseWire, TenantWire

S1, S2, S3 = 1_000_000, 1_001_000, 1_002_000
GROUPS = (("one", "1"), ("two", "2"))
TIME = "1970-01-01T00:16:40.1234567Z"


def organization(number: int, slot: int, value: float) -> Answer:
    """Return an answer for the organization."""
    rows = {ORGANIZATION: value}
    asked = slot + 10 + number
    return Answer(number=number, tenant="contoso", subject="organization", asked=asked, rows=rows, api_time=TIME)


def groups(number: int, slot: int, *values: float) -> Answer:
    """Return an answer for the groups, as many as there are values."""
    rows = dict(zip(GROUPS, values, strict=False))
    return Answer(number=number, tenant="contoso", subject="device_groups", asked=slot + 10 + number, rows=rows)


def settled(subject: str, slot: int, points: int, *, ok: bool = True, said: int = 0, tries: int = 1) -> Poll:
    """Return how a poll ended, as its log line says it."""
    error = "" if ok else "BadResponse"
    return Poll(
        tenant="contoso",
        subject=subject,
        slot=slot,
        ok=ok,
        points=points,
        tries=tries,
        error=error,
        said=said or slot + 500,
    )


def score(group: tuple[str, str], slot: int, value: float, tenant: str = "contoso") -> Score:
    """Return a score as it stands in the database."""
    api_time = nanoseconds(TIME) if group == ORGANIZATION else None
    return Score(tenant=tenant, group=group, slot=slot, value=value, api_time=api_time)


@pytest.fixture
def truth() -> Truth:
    """Three slots: a whole one, one with a bad row, and one that a kill cut off after it was journaled."""
    return Truth(
        answers=[
            organization(1, S1, 1.0),
            groups(2, S1, 2.0, 3.0),
            organization(3, S2, 4.0),
            groups(4, S2, 5.0),
            organization(5, S3, 6.0),
            groups(6, S3, 7.0, 8.0),
        ],
        acknowledged=[
            settled("organization", S1, 1),
            settled("device_groups", S1, 2),
            settled("organization", S2, 1),
            settled("device_groups", S2, 1, ok=False),
            settled("organization", S3, 1),
        ],
        kills=[S3 + 700],
    )


@pytest.fixture
def stored(truth: Truth) -> Stored:
    """All of it, as it should be."""
    polls = [*truth.acknowledged, settled("device_groups", S3, 2)]
    return Stored(
        scores=[
            score(ORGANIZATION, S1, 1.0),
            score(GROUPS[0], S1, 2.0),
            score(GROUPS[1], S1, 3.0),
            score(ORGANIZATION, S2, 4.0),
            score(GROUPS[0], S2, 5.0),
            score(ORGANIZATION, S3, 6.0),
            score(GROUPS[0], S3, 7.0),
            score(GROUPS[1], S3, 8.0),
        ],
        polls=[replace(poll, collector="oracle", said=0) for poll in polls],
    )


def test_a_right_history_passes(truth: Truth, stored: Stored) -> None:
    """With every acknowledged point there, once and right, nothing is found; each of them was asked for."""
    verdict = judge(truth, stored)
    assert verdict.faults == []
    assert verdict.points == 6 + 5


def test_what_a_kill_cut_off_may_be_there_or_not(truth: Truth, stored: Stored) -> None:
    """A poll that nobody acknowledged is whole or not at all."""
    without = Stored(scores=stored.scores[:6], polls=stored.polls[:5])
    assert judge(truth, without).faults == []


def test_a_poll_that_was_asked_again_after_a_kill_may_stand_in_the_first_ones_place(
    truth: Truth, stored: Stored
) -> None:
    """A later answer of the same slot supersedes; with nobody to acknowledge it only where there was a kill."""
    truth.answers = [*truth.answers, groups(7, S3, 9.0, 10.0)]
    again = [score(GROUPS[0], S3, 9.0), score(GROUPS[1], S3, 10.0)]
    assert judge(truth, Stored(scores=[*stored.scores[:6], *again], polls=stored.polls)).faults == []


def test_a_failed_poll_may_be_asked_again_by_the_next_life_in_its_slot(truth: Truth, stored: Stored) -> None:
    """Where that life is killed too before it acknowledges, its answer stands and the first one's failure doesn't."""
    truth.answers = [*truth.answers, groups(7, S2, 9.0, 10.0)]
    polls = [*stored.polls[:3], replace(stored.polls[3], ok=True, error="", points=2), *stored.polls[4:]]
    scores = [score(GROUPS[0], S2, 9.0), score(GROUPS[1], S2, 10.0), *stored.scores[:4], *stored.scores[5:]]
    again = Stored(scores=scores, polls=polls)
    assert judge(truth, again).wrong
    truth.begun = [S2 + 600]
    assert judge(truth, again).faults == []
    truth.kills = []
    assert judge(truth, again).wrong


PLANTED: dict[str, tuple[str, Callable[[Stored], Stored]]] = {
    "a score is deleted": ("lost", lambda s: Stored(scores=s.scores[1:], polls=s.polls)),
    "a group's score is deleted": ("lost", lambda s: Stored(scores=[*s.scores[:1], *s.scores[2:]], polls=s.polls)),
    "a poll with its failure is deleted": (
        "lost",
        lambda s: Stored(scores=s.scores, polls=[*s.polls[:3], *s.polls[4:]]),
    ),
    "a score stands under another tag too": (
        "repeated",
        lambda s: Stored(scores=[*s.scores, score(("one", "none"), S1, 2.0)], polls=s.polls),
    ),
    "a score stands at a shifted slot too": (
        "repeated",
        lambda s: Stored(scores=[*s.scores, score(GROUPS[1], S2, 3.0)], polls=s.polls),
    ),
    "a score stands for another tenant too": (
        "repeated",
        lambda s: Stored(scores=[*s.scores, score(ORGANIZATION, S1, 1.0, "fabrikam")], polls=s.polls),
    ),
    "a point stands there twice": ("repeated", lambda s: Stored(scores=[*s.scores, s.scores[0]], polls=s.polls)),
    "a poll stands there twice": ("repeated", lambda s: Stored(scores=s.scores, polls=[*s.polls, s.polls[0]])),
    "a value is wrong": (
        "wrong",
        lambda s: Stored(scores=[replace(s.scores[0], value=1.5), *s.scores[1:]], polls=s.polls),
    ),
    "two groups have each other's values": (
        "wrong",
        lambda s: Stored(
            scores=[s.scores[0], replace(s.scores[1], value=3.0), replace(s.scores[2], value=2.0), *s.scores[3:]],
            polls=s.polls,
        ),
    ),
    "a time of the API is wrong": (
        "wrong",
        lambda s: Stored(scores=[replace(s.scores[0], api_time=7), *s.scores[1:]], polls=s.polls),
    ),
    "a failure stands as a success": (
        "wrong",
        lambda s: Stored(scores=s.scores, polls=[*s.polls[:3], replace(s.polls[3], ok=True, error=""), *s.polls[4:]]),
    ),
    "a poll is another collector's": (
        "wrong",
        lambda s: Stored(scores=s.scores, polls=[replace(s.polls[0], collector="other"), *s.polls[1:]]),
    ),
    "a poll was never acknowledged, and nothing was killed": (
        "wrong",
        lambda s: Stored(scores=s.scores, polls=[*s.polls, replace(s.polls[0], slot=S1 - 5000, points=0)]),
    ),
    "a score has lost its poll": (
        "wrong",
        lambda s: Stored(scores=s.scores, polls=s.polls[:5]),
    ),
    "a poll that a kill cut off is not whole": (
        "wrong",
        lambda s: Stored(scores=s.scores[:7], polls=s.polls),
    ),
}


@pytest.mark.parametrize("planted", PLANTED)
def test_a_planted_fault_is_found_and_no_other(planted: str, truth: Truth, stored: Stored) -> None:
    """Loss, repetition and a wrong point are each told for what they are."""
    kind, plant = PLANTED[planted]
    faults = judge(truth, plant(stored)).faults
    assert faults
    assert {fault.partition(":")[0] for fault in faults} == {kind}


def test_an_older_answer_in_a_later_ones_place_is_wrong(truth: Truth, stored: Stored) -> None:
    """The last answer that was acknowledged for a slot is the one that stands."""
    truth.answers = [*truth.answers, organization(7, S1, 9.0)]
    truth.acknowledged = [*truth.acknowledged, settled("organization", S1, 1, said=S1 + 900)]
    (fault,) = judge(truth, stored).faults
    assert "an older answer stands" in fault


def test_points_that_nobody_served_are_not_acknowledged_unseen(truth: Truth, stored: Stored) -> None:
    """A poll that claims more points than any answer had is wrong, also where the database agrees with it."""
    truth.acknowledged = [settled("organization", S1, 2), *truth.acknowledged[1:]]
    more = replace(stored.polls[0], points=2)
    (fault,) = judge(truth, Stored(scores=stored.scores, polls=[more, *stored.polls[1:]])).faults
    assert "no answer of that slot had" in fault


def test_what_came_after_the_end_is_not_judged(truth: Truth, stored: Stored) -> None:
    """Up to a slot: what was on its way when the campaign ended is nobody's loss."""
    early = Stored(scores=stored.scores[:3], polls=stored.polls[:2])
    assert judge(truth, early).lost
    assert judge(truth, early, until=S1).faults == []


def upstream(answer: Callable[[httpx.Request], httpx.Response]) -> httpx.Client:
    """Return a client whose far end answers so."""
    return httpx.Client(base_url="http://far.example", transport=httpx.MockTransport(answer))


def test_points_that_are_sent_again_are_counted() -> None:
    """What the database said it had, and is sent all the same, counts; a refusal doesn't, nor does filling it anew."""
    statuses = iter([204, 500, 204, 204, 204, 204])
    with (
        upstream(lambda _: httpx.Response(next(statuses))) as far,
        DatabaseWire(far) as wire,
        httpx.Client(base_url=wire.url, trust_env=False) as near,
    ):
        for lines in ("a v=1 1\nb v=2 1", "c v=3 1", "c v=3 1", "b v=2 1\nd v=4 1"):
            near.post("/write", content=lines)
        assert (wire.sent, wire.repeated, wire.batches_repeated) == (5, 1, 1)
        wire.lose()
        near.post("/write", content="a v=1 1\nb v=2 1")
        wire.filling = False
        near.post("/write", content="a v=1 1")
        assert (wire.filled, wire.repeated, wire.batches_repeated) == (2, 2, 2)


def test_no_score_is_served_twice_and_all_are_noted() -> None:
    """However alike the tenant's answers are, each row gets a score of its own; one that has none stays without."""
    rows = [{"score": 5, "rbacGroupName": "one", "rbacGroupId": 1}, {"score": None, "rbacGroupName": "two"}]
    token = {"Authorization": "Bearer e30.eyJ0aWQiOiAiMSJ9."}
    with (
        upstream(lambda _: httpx.Response(200, json={"value": rows})) as far,
        TenantWire(far, {"1": "contoso"}) as wire,
        httpx.Client(base_url=wire.url, trust_env=False, headers=token) as near,
    ):
        near.get("/api/exposureScore/ByMachineGroups")  # the very first one lacks a group
        served = [near.get("/api/exposureScore/ByMachineGroups").json()["value"] for _ in range(5)]
    noted = [answer.rows[GROUPS[0]] for answer in wire.answers[1:]]
    assert noted == [rows[0]["score"] for rows in served]
    assert len({answer.rows[GROUPS[0]] for answer in wire.answers}) == 6
    assert all(rows[1]["score"] is None for rows in served)
    assert {(answer.tenant, len(answer.rows)) for answer in wire.answers} == {("contoso", 1)}


def test_a_wire_to_nobody_hangs_up() -> None:
    """A far end that is silent is silence at the near end too: the wire makes up no answer."""

    def silent(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("nobody", request=request)

    with upstream(silent) as far, DatabaseWire(far) as wire:
        with pytest.raises(httpx.RemoteProtocolError):
            httpx.post(f"{wire.url}/write", content="a v=1 1", trust_env=False)
        assert wire.sent == 0
