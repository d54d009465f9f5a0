"""Sign-in by certificate and workload identity: the real msal over real TLS, to a sign-in that checks assertions."""

import logging
import re
import time
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
import structlog
from keys import PASSWORD, Made, made
from signing import Sources, failure, polled, shown, simulator, tenant

from collector.errors import Unauthorized, Unavailable
from collector.settings import Certificate, Secret
from collector.simulator import Credential, Simulator


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "*")


@pytest.fixture(name="source")
def _source() -> Iterator[Sources]:
    with Sources() as sources:
        yield sources


@pytest.fixture(name="certified")
def _certified(tmp_path: Path) -> Iterator[Simulator]:
    with simulator(tmp_path, "certificate") as simulated:
        yield simulated


@pytest.fixture(name="federated")
def _federated(tmp_path: Path) -> Iterator[Simulator]:
    with simulator(tmp_path, "workload_identity") as simulated:
        yield simulated


def certificate_file(simulated: Simulator) -> Path:
    """Return the file of the application's certificate."""
    credential = tenant(simulated).credential
    assert isinstance(credential, Certificate)
    return credential.certificate_file


def thumbprint(simulated: Simulator) -> str:
    """Return the registered certificate's thumbprint, as the portal shows it."""
    certificate = simulated._application.certificate
    assert certificate
    return certificate.thumbprint


@pytest.mark.parametrize("credential", ["client_secret", "certificate", "certificate_pfx", "workload_identity"])
def test_an_application_signs_in_and_is_answered(source: Sources, tmp_path: Path, credential: Credential) -> None:
    """A secret, a certificate in PEM or PFX, and a platform's token each bring a token that the API takes."""
    with simulator(tmp_path, credential) as simulated:
        defender = source(simulated)
        defender.sign_in(10)
        assert 0 <= polled(defender) <= 100
        assert defender.permissions() == ("Score.Read.All", ["Score.Read.All"])


@pytest.mark.parametrize("credential", ["client_secret", "certificate", "certificate_pfx", "workload_identity"])
def test_what_was_replaced_on_disk_counts_at_the_next_sign_in(
    source: Sources, tmp_path: Path, credential: Credential
) -> None:
    """After the credential was renewed, and its file replaced, the running source signs in without being made anew."""
    with simulator(tmp_path, credential) as simulated:
        defender = source(simulated)
        before = tenant(simulated)
        defender.sign_in(10)
        simulated.renew()
        assert tenant(simulated).credential == before.credential
        defender.sign_in(10)
        assert polled(defender)


def test_a_certificate_that_is_not_registered_is_named(source: Sources, certified: Simulator) -> None:
    """700027 says which certificate was sent, by the portal's own name of it, and which file it is in."""
    stranger = made()
    file = certificate_file(certified)
    file.write_bytes(stranger.cert + stranger.pem())
    error = failure(source(certified))
    assert isinstance(error, Unauthorized)
    assert "AADSTS700027" in str(error)
    assert stranger.thumbprint in str(error)
    assert f"tenants.contoso.credential.certificate_file ({file}, thumbprint {stranger.thumbprint})" in error.mend
    assert "register" in error.mend


def test_an_encrypted_key_needs_its_password_from_its_file(
    source: Sources, certified: Simulator, tmp_path: Path
) -> None:
    """The password is read anew at each sign-in, like the key; a wrong one is told before anybody is asked."""
    own = certified._application.certificate
    assert own
    pair = Made(own.public, own.key)
    certificate_file(certified).write_bytes(pair.cert + pair.pem(PASSWORD))
    file = tmp_path / "key.password"
    secret = Secret("tenants.contoso.credential.password_file", file=file)
    credential = tenant(certified).credential.model_copy(update={"password": secret})
    defender = source(certified, credential=credential)
    asked = len(certified.requests.requests())
    assert str(file) in str(failure(defender))
    file.write_text("another one\n", encoding="utf-8")
    error = failure(defender)
    assert "does not open" in str(error)
    assert "another one" not in shown(error)
    assert len(certified.requests.requests()) == asked
    file.write_text(f"{PASSWORD}\n", encoding="utf-8")
    defender.sign_in(10)
    assert polled(defender)


@pytest.mark.parametrize(
    ("begins", "ends", "fault", "mend"),
    [(-30, -1, "ended at", "make a new certificate"), (1, 30, "begins at", "clock")],
)
def test_a_certificate_out_of_its_time_is_told(
    source: Sources, certified: Simulator, begins: float, ends: float, fault: str, mend: str
) -> None:
    """One that has ended, or hasn't begun, is told with the moment, and nobody is asked."""
    before = datetime.now(UTC)
    late = made(begins=begins, ends=ends)
    certificate_file(certified).write_bytes(late.cert + late.pem())
    error = failure(source(certified))
    moments = [now + timedelta(days=ends if ends < 0 else begins) for now in (before, datetime.now(UTC))]
    assert fault in str(error)
    assert any(f"{moment:%Y-%m-%dT%H}" in str(error) for moment in moments)
    assert late.thumbprint in str(error)
    assert mend in error.mend
    assert certified.requests.requests() == []


def test_when_a_certificate_ends_is_told_by_its_file(source: Sources, certified: Simulator, tmp_path: Path) -> None:
    """`expires` is the certificate's own end, of the file as it is now; None once it can't be read."""
    defender = source(certified)
    first = defender.expires()
    assert first
    assert timedelta(days=364) < first - datetime.now(UTC) < timedelta(days=366)
    certified.renew(days=10)
    renewed = defender.expires()
    assert renewed
    assert timedelta(days=9) < renewed - datetime.now(UTC) < timedelta(days=11)
    certificate_file(certified).unlink()
    assert defender.expires() is None
    assert "certificate_file" in str(failure(defender))
    assert not list(tmp_path.glob("*.pem.*"))


@pytest.mark.parametrize(
    ("wanted", "code"),
    [
        ({"issuer": "https://stranger.example/cluster"}, {70021, 700211}),
        ({"subject": "system:serviceaccount:default:stranger"}, {700213}),
        ({"audience": "api://stranger"}, {700212}),
    ],
)
def test_a_federated_token_that_does_not_match_is_shown(
    source: Sources, federated: Simulator, wanted: dict[str, str], code: set[int]
) -> None:
    """What differs can be compared: issuer, subject and audience of the token that was sent stand in the error."""
    federated.renew(**wanted)
    error = failure(source(federated))
    assert isinstance(error, Unauthorized)
    assert {int(found) for found in re.findall(r"AADSTS([0-9]+)", str(error))} & code
    (value,) = wanted.values()
    assert value in str(error)
    assert "audience " in str(error)
    assert "federated credential" in error.mend
    assert "eyJ" not in shown(error)


def test_a_federated_token_that_has_ended_is_the_platforms_to_renew(source: Sources, federated: Simulator) -> None:
    """700024 with a token that is over isn't the clock's fault: the file is named, and when its token ended."""
    federated.renew(seconds=-3600)
    error = failure(source(federated))
    assert "AADSTS700024" in str(error)
    assert re.search(r"the token in \S+ ended at 20\d\d-", str(error))
    assert "platform" in error.mend


@pytest.mark.parametrize("held", [b"", b"not a token", b"a.b.c", b"\xff\xfe", b"x" * 100_000])
def test_a_token_file_without_a_token_is_told(source: Sources, federated: Simulator, held: bytes) -> None:
    """An empty or foreign token file is named, with its key, before anybody is asked."""
    credential = tenant(federated).credential
    file = Path(getattr(credential, "token_file"))  # noqa: B009 - of its kind alone
    file.write_bytes(held)
    error = failure(source(federated))
    assert isinstance(error, Unauthorized)
    assert str(error).startswith(f"tenants.contoso.credential.token_file: {file} ")
    assert error.mend
    assert federated.requests.requests() == []


def test_a_clock_that_is_off_is_told_by_how_much(source: Sources, certified: Simulator) -> None:
    """700024 says by how much this machine's clock differs from the answer's Date, and in which direction."""
    certified.faults.set("sign_in_error", code=700024)
    certified.faults.set("clock", seconds=-600, subject="sign_in")
    error = failure(source(certified))
    found = re.search(r"this machine's clock is ([0-9]+) s ahead of the answer's Date", str(error))
    assert found, str(error)
    assert 590 <= int(found[1]) <= 620
    assert "clock" in error.mend


def test_a_secret_ends_on_the_day_that_the_settings_name(source: Sources, tmp_path: Path) -> None:
    """`client_secret_expires` is the first moment of its day, in UTC; without it nothing is known."""
    with simulator(tmp_path, "client_secret") as simulated:
        assert source(simulated).expires() is None
        day = {"client_secret_expires": date(2027, 1, 31)}
        credential = tenant(simulated).credential.model_copy(update=day)
        assert source(simulated, credential=credential).expires() == datetime(2027, 1, 31, tzinfo=UTC)


@pytest.mark.parametrize("credential", ["certificate", "certificate_pfx", "workload_identity"])
def test_neither_key_nor_assertion_nor_token_is_shown_anywhere(
    source: Sources, tmp_path: Path, credential: Credential, caplog: pytest.LogCaptureFixture
) -> None:
    """No line of ours or of a library at its most talkative holds an assertion, a token or a password."""
    with simulator(tmp_path, credential) as simulated:
        password = simulated._application.pfx_password
        with caplog.at_level(logging.DEBUG), structlog.testing.capture_logs() as logs:
            defender = source(simulated)
            defender.sign_in(10)
            simulated.faults.set("sign_in_error", code=50000)
            error = failure(source(simulated))
    text = f"{caplog.text} {logs} {defender!r} {shown(error)}"
    assert "msal" in caplog.text
    for secret in ("eyJ", "PRIVATE KEY", password):
        assert secret not in text


def test_a_sign_in_that_hangs_ends_at_the_deadline(source: Sources, certified: Simulator) -> None:
    """A certificate's sign-in is bounded as a secret's is."""
    certified.faults.set("hang", subject="sign_in")
    began = time.monotonic()
    assert type(failure(source(certified), 0.5)) is Unavailable
    assert time.monotonic() - began < 10
