"""The clock of a tenant's servers: how far this machine is from it, by what they answer, and no further than sure."""

import email.utils
from collections.abc import Callable

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from origins import Authority, Reply
from tenants import FakeTenant, as_json

from collector.defender import Defender, agreed
from collector.defender.clock import ServerClock
from collector.errors import Unauthorized
from collector.http import Answer, Http

NOW = 1_782_907_200


def answer(seconds: float) -> Answer:
    """Return an answer that says that time."""
    return Answer(200, httpx.Headers({"Date": email.utils.formatdate(seconds, usegmt=True)}), b"")


@given(ahead=st.floats(-1e6, 1e6), sent=st.floats(0, 1e6), there=st.floats(0, 30), back=st.floats(0, 30))
def test_the_offset_is_never_overstated(ahead: float, sent: float, there: float, back: float) -> None:
    """However long the way was, the offset has the right sign, is at most the true one, and misses it by the way's."""
    made = NOW + sent + there
    clock = ServerClock(lambda: int((made + back + ahead) * 1e9))
    clock.see(answer(made), there + back)
    found = clock.ahead
    assert found is not None
    assert abs(found) <= abs(ahead) + 1e-3
    assert abs(found - ahead) <= there + back + 1 + 1e-3
    assert found * ahead >= 0


def test_an_answer_without_a_date_says_nothing() -> None:
    """Without a Date the offset stays what it was."""
    clock = ServerClock(lambda: NOW * 10**9)
    clock.see(Answer(200, httpx.Headers(), b""), 0.1)
    assert clock.ahead is None
    clock.see(answer(NOW - 600), 0.1)
    clock.see(Answer(200, httpx.Headers(), b""), 0.1)
    assert clock.ahead == pytest.approx(599, abs=1.5)


@pytest.mark.parametrize(
    ("offsets", "found"),
    [([], None), ([None], None), ([None, 3.0], 3.0), ([0.0, 0.0, 9e9], 0.0), ([600.0, 601.0, 0.0, None], 600.0)],
)
def test_one_server_that_is_wrong_itself_does_not_count(offsets: list[float | None], found: float | None) -> None:
    """What most servers say stands."""
    assert agreed(offsets) == found


@pytest.mark.parametrize("refused", [False, True])
def test_sign_in_and_api_both_tell_the_time(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch, *, refused: bool
) -> None:
    """A tenant's offset is known after a sign-in, also after one that was refused: that is when it is needed."""
    monkeypatch.setenv("NO_PROXY", "*")
    authority = Authority(tmp_path_factory.mktemp("authority"))
    fake = FakeTenant(authority)
    http = Http(authority.pem)
    dated = {"Date": email.utils.formatdate(NOW - 600, usegmt=True)}

    def with_date(say: Callable[[], Reply | None]) -> Callable[[], Reply | None]:
        def said() -> Reply | None:
            reply = as_json({"error": "invalid_client", "error_codes": [700024]}, 401) if refused else say()
            return Reply(reply.body, reply.status, {**reply.headers, **dated}) if reply else None

        return said

    fake.entra.say = with_date(fake.entra.say)
    defender = Defender("contoso", fake.settings(), http, dict, clock=lambda: NOW * 10**9)
    with fake.origin:
        if refused:
            with pytest.raises(Unauthorized):
                defender.sign_in(10)
        else:
            defender.sign_in(10)
    assert defender.clock_ahead is not None
    assert 580 < defender.clock_ahead <= 600
    http.close()
