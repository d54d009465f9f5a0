"""collector.simulator: sign-in with a certificate, by the real msal, and with assertions that are wrong on purpose."""

import hmac
import json
import time
from collections.abc import Iterator
from typing import Any

import jwt
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key
from simulated import Caller, claims, said

from collector.errors import ConfigError
from collector.simulator import SCOPE, Simulator

TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
OTHER_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)


@pytest.fixture(name="simulator", scope="module")
def _simulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulator]:
    folder = tmp_path_factory.mktemp("simulator")
    with Simulator(folder=folder, tenants=2, credential="certificate") as simulator:
        yield simulator


@pytest.fixture(name="caller", scope="module")
def _caller(simulator: Simulator) -> Iterator[Caller]:
    with Caller(simulator) as caller:
        yield caller


def pem(simulator: Simulator) -> bytes:
    """Return the certificate and the key that lie beside the settings."""
    return (simulator.settings_file.parent / "simulator.pem").read_bytes()


def thumbprint(simulator: Simulator, name: str = "x5t#S256") -> str:
    """Return the certificate's name in an assertion's header."""
    # SHA-1 is a name here, not a proof.
    algorithm = hashes.SHA256() if name == "x5t#S256" else hashes.SHA1()  # noqa: S303
    digest = x509.load_pem_x509_certificate(pem(simulator)).fingerprint(algorithm)
    return jwt.utils.base64url_encode(digest).decode()


def assertion(
    simulator: Simulator, *, key: Any = None, algorithm: str = "PS256", header: Any = None, **changes: Any
) -> str:
    """Return a good assertion with changes to its claims; None takes one out."""
    tenant = simulator.tenants[0]
    now = time.time()
    usual = {
        "aud": f"{simulator.url}/{tenant.tenant_id}/oauth2/v2.0/token",
        "iss": tenant.client_id,
        "sub": tenant.client_id,
        "jti": f"{now}",
        "nbf": now,
        "exp": now + 600,
        **changes,
    }
    given = {name: value for name, value in usual.items() if value is not None}
    key = key or load_pem_private_key(pem(simulator), None)
    return jwt.encode(given, key, algorithm, header if header is not None else {"x5t#S256": thumbprint(simulator)})


def form(text: str) -> dict[str, str | None]:
    """Return what is posted in the place of a secret."""
    return {"client_secret": None, "client_assertion_type": TYPE, "client_assertion": text}


def test_msal_signs_in_with_the_certificate_by_its_sha_256(simulator: Simulator, caller: Caller) -> None:
    """PS256 and the newer thumbprint: the usual way of msal, certificate and key from one PEM file."""
    both = pem(simulator).decode()
    found = caller.application({"private_key": both, "public_certificate": both}).acquire_token_for_client([SCOPE])
    assert caller.opens(found["access_token"]) == 200


def test_msal_signs_in_with_the_certificate_by_its_sha_1(simulator: Simulator, caller: Caller) -> None:
    """RS256 and the thumbprint that the portal shows: the older way of msal."""
    digest = x509.load_pem_x509_certificate(pem(simulator)).fingerprint(hashes.SHA1()).hex()  # noqa: S303 - as above
    credential = {"private_key": pem(simulator).decode(), "thumbprint": digest}
    assert "access_token" in caller.application(credential).acquire_token_for_client([SCOPE])


def test_msal_signs_in_with_a_pfx_and_its_password(simulator: Simulator, caller: Caller) -> None:
    """The same certificate lies there as PKCS #12, encrypted, with its password in a file of its own."""
    folder = simulator.settings_file.parent
    credential = {
        "private_key_pfx_path": str(folder / "simulator.pfx"),
        "passphrase": (folder / "simulator.pfx.password").read_text(encoding="utf-8"),
    }
    assert "access_token" in caller.application(credential).acquire_token_for_client([SCOPE])


def test_msal_may_send_its_assertion_again(simulator: Simulator, caller: Caller) -> None:
    """An assertion is kept by msal for minutes and sent with each request: that is no replay, to Entra as here."""
    both = pem(simulator).decode()
    application = caller.application({"private_key": both, "public_certificate": both})
    tokens = []
    for _ in range(2):
        tokens.append(application.acquire_token_for_client([SCOPE])["access_token"])
        application.remove_tokens_for_client()
    assert tokens[0] != tokens[1]


def test_a_hand_made_assertion_is_good(simulator: Simulator, caller: Caller) -> None:
    """The refusals below are refusals of what is changed, and the token endpoint takes both of its names."""
    issuer = f"{simulator.url}/{simulator.tenants[0].tenant_id}/v2.0"
    older = {"x5t": thumbprint(simulator, "x5t")}
    for text in (
        assertion(simulator),
        assertion(simulator, nbf=None),
        assertion(simulator, aud=issuer),
        assertion(simulator, algorithm="RS256", header=older),
        assertion(simulator, exp=time.time() - 100),
    ):
        assert caller.token(form(text)).status_code == 200


@pytest.mark.parametrize(
    ("changes", "code", "status"),
    [
        ({"key": OTHER_KEY}, 700027, 401),
        ({"header": {"x5t": "AAAA"}}, 700027, 401),
        ({"header": {"x5t#S256": 7}}, 700027, 401),
        ({"algorithm": "RS512"}, 700027, 401),
        ({"key": "a secret that is long enough for it", "algorithm": "HS256"}, 700027, 401),
        ({"header": {}}, 50027, 400),
        ({"iss": "00000000-0000-0000-0000-000000000000"}, 700021, 401),
        ({"sub": "00000000-0000-0000-0000-000000000000"}, 700021, 401),
        ({"sub": None}, 50027, 400),
        ({"aud": "https://login.microsoftonline.com/common/oauth2/v2.0/token"}, 700023, 401),
        ({"aud": None}, 700023, 401),
        ({"exp": 1_700_000_000}, 700024, 401),
        ({"nbf": 4_000_000_000}, 700024, 401),
        ({"exp": None}, 50027, 400),
        ({"exp": 1e300}, 50027, 400),
        ({"nbf": True}, 50027, 400),
        ({"jti": None}, 50027, 400),
        ({"jti": ""}, 50027, 400),
    ],
)
def test_a_wrong_assertion_gets_entras_refusal(
    simulator: Simulator, caller: Caller, changes: dict[str, Any], code: int, status: int
) -> None:
    """Signature, thumbprint, issuer, subject, audience, times and id are really verified."""
    answer = caller.token(form(assertion(simulator, **changes)))
    assert said(answer)[0::2] == (status, code)
    assert "client_assertion" not in answer.text


@pytest.mark.parametrize("mixed", [[7], ["x"], [None]])
def test_an_assertion_is_for_one_audience_alone(simulator: Simulator, caller: Caller, mixed: list[object]) -> None:
    """A list of the right one is that one; with anything beside it, it is for nobody here."""
    good = f"{simulator.url}/{simulator.tenants[0].tenant_id}/oauth2/v2.0/token"
    assert caller.token(form(assertion(simulator, aud=[good]))).status_code == 200
    for named in ([good, *mixed], [*mixed, good]):
        assert said(caller.token(form(assertion(simulator, aud=named))))[2] in (700023, 50027)


@pytest.mark.parametrize("algorithm", ["none", "None", "HS256", None, 7, ["PS256"]])
@pytest.mark.parametrize("encoding", [Encoding.PEM, Encoding.DER])
def test_no_algorithm_but_the_keys_own_will_do(
    simulator: Simulator, caller: Caller, algorithm: object, encoding: Encoding
) -> None:
    """Neither an assertion that says it needs no signature, nor one whose secret is the public key, is taken."""
    public = x509.load_pem_x509_certificate(pem(simulator)).public_key()
    known = public.public_bytes(encoding, PublicFormat.SubjectPublicKeyInfo)
    header = {"alg": algorithm, "x5t#S256": thumbprint(simulator)}
    parts = [json.dumps(header).encode(), json.dumps(claims(assertion(simulator))).encode()]
    signed = b".".join(map(jwt.utils.base64url_encode, parts))
    for proof in (b"", jwt.utils.base64url_encode(hmac.digest(known, signed, "sha256"))):
        assert said(caller.token(form(b".".join([signed, proof]).decode()))) == (401, "invalid_client", 700027)


@pytest.mark.parametrize("text", ["a.b.c", "", "no jwt", "e30.e30.", "é.é.é"])
def test_what_is_no_assertion_is_malformed(caller: Caller, text: str) -> None:
    """What isn't a JWT is 50027; an empty parameter is a missing one."""
    assert said(caller.token(form(text)))[2] in (50027, 7000216)


def test_an_assertion_is_of_a_type(simulator: Simulator, caller: Caller) -> None:
    """Without the parameter that says what it is, an assertion counts for nothing."""
    changes = {**form(assertion(simulator)), "client_assertion_type": None}
    assert said(caller.token(changes)) == (400, "invalid_request", 900144)


def test_two_assertions_do_not_share_an_id(simulator: Simulator, caller: Caller) -> None:
    """A `jti` that another assertion had is refused."""
    first, second = (assertion(simulator, jti="the same", exp=time.time() + life) for life in (600, 500))
    assert caller.token(form(first)).status_code == 200
    assert caller.token(form(first)).status_code == 200
    assert said(caller.token(form(second)))[2] == 50027


def test_an_assertion_for_one_tenant_is_none_for_another(simulator: Simulator, caller: Caller) -> None:
    """The audience names the tenant's own token endpoint."""
    with Caller(simulator, 1) as other:
        assert said(other.token(form(assertion(simulator))))[2] == 700023
    assert caller.token(form(assertion(simulator))).status_code == 200


def test_a_certificate_is_replaced_in_its_file(tmp_path: Any) -> None:
    """Renewing writes another certificate; the old one is refused at once, and the new one is taken."""
    with (
        Simulator(folder=tmp_path, credential="certificate_pfx", credential_days=20) as simulator,
        Caller(simulator) as caller,
    ):
        left = x509.load_pem_x509_certificate(pem(simulator)).not_valid_after_utc.timestamp() - time.time()
        assert 19 * 86400 < left <= 20 * 86400
        old = assertion(simulator)
        before = (simulator.settings_file.parent / "simulator.pfx").read_bytes()
        simulator.renew()
        assert said(caller.token(form(old))) == (401, "invalid_client", 700027)
        assert caller.token(form(assertion(simulator))).status_code == 200
        assert (simulator.settings_file.parent / "simulator.pfx").read_bytes() != before
        simulator.renew(days=-1)
        assert "expired" in caller.token(form(assertion(simulator))).json()["error_description"]
        with pytest.raises(ConfigError, match="no parameter 'subject'; known: days"):
            simulator.renew(subject="x")
        for days in (1e9, -1e9, float("nan"), "20", True):
            with pytest.raises(ConfigError, match="doesn't fit"):
                simulator.renew(days=days)


def test_without_a_certificate_none_is_registered(tmp_path: Any, simulator: Simulator) -> None:
    """An application that has a secret alone refuses every assertion, and writes no certificate."""
    text = assertion(simulator)
    with Simulator(folder=tmp_path) as plain, Caller(plain) as caller:
        assert said(caller.token(form(text)))[2] == 700027
    assert {path.name for path in tmp_path.iterdir()} == {"ca.pem", "collector.toml", "simulator.secret"}
