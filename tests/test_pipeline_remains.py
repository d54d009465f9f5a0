"""What failed leaves its words behind and nothing else: no answer, no batch, nothing that has to be looked for."""

import gc
import weakref
from collections.abc import Iterator

import pytest
from fakes import Script, ScriptedAsking, Stage, Store, Time, score
from origins import Authority, Reply
from sign_ins import SignIns
from stages import SLOT, Polls

from collector.defender import Defender
from collector.defender.asking import Asking
from collector.errors import Unavailable
from collector.http import Http
from collector.journal import Journal
from collector.pipeline import Backoff, Delivery, Terms
from collector.step import Step

BODY = b"<html>" + b"x" * 100_000


@pytest.fixture(autouse=True)
def _no_search(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No cyclic garbage is looked for meanwhile."""
    monkeypatch.setenv("NO_PROXY", "*")
    gc.disable()
    yield
    gc.enable()


@pytest.mark.parametrize(
    ("reply", "name"),
    [
        (Reply(BODY), "BadResponse"),
        (Reply(b'{"value": 3}'), "BadResponse"),
        (Reply(BODY, 500), "Unavailable"),
        (Reply(BODY, 429, {"Retry-After": "3000"}), "Unavailable"),
        (Reply(BODY, 403), "Unauthorized"),
    ],
    ids=["no JSON", "no rows", "down", "throttled", "denied"],
)
def test_an_answer_that_is_of_no_use_is_gone_with_its_poll(
    make: SignIns, authority: Authority, journal: Journal, reply: Reply, name: str
) -> None:
    """Thousands of tenants that fail, each by a page of a proxy's or of megabytes, fill no memory with what they said.

    Not even where the server is left alone for long, which is kept with its words.
    """
    make.fake.api = lambda _: reply
    polls, http = Polls(journal), Http(authority.pem)
    defender = Defender("contoso", make.fake.settings(), http, dict)
    defender.sign_in(10)
    asked = _Asked(defender)
    now = polls.time.now
    terms = Terms(last_start=now, end=now + 60, backoff=Backoff(base=2.0, most=60.0))
    polls.collecting.poll(asked, "device_groups", SLOT, terms, polls.outcomes.append, succeeded=False)
    polls.stage.play()
    http.close()
    (outcome,) = polls.outcomes
    assert outcome.error
    assert outcome.error.name == name
    assert [ref() for ref in asked.refs] == [None]


class _Asked(Script):
    """A tenant, and whether what it was asked is still there."""

    def __init__(self, defender: Defender) -> None:
        super().__init__(defender.tenant)
        self.refs: list[weakref.ref[Asking]] = []
        self._defender = defender

    def ask(self, subject: str, slot: int) -> Asking:  # type: ignore[override]  # the real one
        asking = self._defender.ask(subject, slot)
        self.refs.append(weakref.ref(asking))
        return asking


def test_a_sign_in_that_fails_leaves_its_words_alone(journal: Journal) -> None:
    """What was on its way is gone, though the error is told with the poll."""
    polls = Polls(journal)
    source = _Failing()
    polls.poll(source, seconds=1.5)
    polls.stage.play()
    assert [str(outcome.error) for outcome in polls.outcomes] == ["down"]
    assert [ref() for ref in source.refs] == [None] * source.signed_in


class _Held:
    """Something that a sign-in has at hand."""


class _Failing(Script):
    def __init__(self) -> None:
        super().__init__("contoso")
        self.refs: list[weakref.ref[_Held]] = []

    def ask(self, subject: str, slot: int) -> ScriptedAsking:
        self.turns.append(Step.SIGN_IN)
        return super().ask(subject, slot)

    def sign_in(self, seconds: float) -> None:
        held = _Held()
        self.refs.append(weakref.ref(held))
        self.sign_ins.append(Unavailable("down"))
        super().sign_in(seconds)


def test_a_sink_that_rests_holds_no_batch(journal: Journal) -> None:
    """It may rest for days; what it could not deliver stands in the journal, not in its error's trace."""
    sent: list[weakref.ref[_Held]] = []

    def down(_: object) -> None:
        held = _Held()
        sent.append(weakref.ref(held))
        raise Unavailable("down")

    journal.append([score("contoso", SLOT)])
    stage = Stage(Time())
    delivery = Delivery(sink=Store(judge=down), journal=journal, workers=stage, changed=lambda _: None)
    delivery.nudge()
    stage.step()
    assert str(delivery.state.error) == "down"
    assert [ref() for ref in sent] == [None]
