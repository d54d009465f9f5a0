"""collector.defender.sign_in.keyfile: a certificate and its key, from every form that a file can hold them in."""

from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import PrivateFormat
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from keys import PASSWORD, Made, ec_key, made, rsa_key

from collector.defender.sign_in.keyfile import KeyFile
from collector.errors import Unauthorized

FILE = KeyFile("tenants.contoso.credential.certificate_file", Path("/keys/contoso.pem"))
TRADITIONAL = PrivateFormat.TraditionalOpenSSL
NOTES = b"Bag Attributes\n    localKeyID: 01 00 00 00\nsubject=CN=collector\r\n"


@pytest.fixture(name="mine", scope="module")
def _mine() -> Made:
    return made()


@pytest.fixture(name="other", scope="module")
def _other() -> Made:
    return made()


def refused(held: bytes, password: str | None = None) -> Unauthorized:
    """Return the error that a file ends with."""
    with pytest.raises(Unauthorized) as caught:
        FILE.pair(held, password)
    return caught.value


@pytest.mark.parametrize(
    "held",
    [
        lambda mine, _: mine.cert + mine.pem(),
        lambda mine, _: mine.pem() + mine.cert,
        lambda mine, other: other.cert + mine.pem() + mine.cert,
        lambda mine, other: other.pem() + mine.cert + mine.pem(),
        lambda mine, _: NOTES + mine.cert + b"\n\n" + NOTES + mine.pem(),
        lambda mine, _: b"\xef\xbb\xbf" + (mine.cert + mine.pem()).replace(b"\n", b"\r\n"),
        lambda mine, _: mine.pem()[:200] + b"\n" + mine.cert + mine.pem(),
        lambda mine, _: mine.pem(form=TRADITIONAL) + mine.cert,
        lambda mine, _: mine.pfx(),
    ],
    ids=[
        "certificate first",
        "key first",
        "a chain",
        "two keys",
        "with notes",
        "of Windows",
        "cut off",
        "traditional",
        "pfx",
    ],
)
@pytest.mark.parametrize("password", [None, PASSWORD])
def test_a_certificate_and_its_key_are_found(
    mine: Made, other: Made, held: Callable[[Made, Made], bytes], password: str | None
) -> None:
    """PEM in any order or PFX, with whatever stands around it; a password that nothing needs is no fault."""
    pair = FILE.pair(held(mine, other), password)
    assert (pair.certificate, pair.key.private_numbers()) == (mine.certificate, mine.key.private_numbers())
    assert pair.thumbprint == mine.thumbprint
    assert pair.pem.encode() == mine.cert
    assert "key=" not in repr(pair)


@pytest.mark.parametrize(
    "held",
    [
        lambda mine: mine.cert + mine.pem(PASSWORD),
        lambda mine: mine.cert + mine.pem(PASSWORD, TRADITIONAL),
        lambda mine: mine.pfx(PASSWORD),
    ],
    ids=["pem", "traditional", "pfx"],
)
def test_a_password_opens_the_key(mine: Made, held: Callable[[Made], bytes]) -> None:
    """The right password opens it; a wrong one, or none, is told with the mend, and is not repeated."""
    assert FILE.pair(held(mine), PASSWORD).key.private_numbers() == mine.key.private_numbers()
    for password in (None, "another-one"):
        error = refused(held(mine), password)
        assert "password" in str(error)
        assert error.mend == "name the right password as password_file"
        assert "another-one" not in f"{error!r} {error.__cause__!r} {error.__context__!r}"


@pytest.mark.parametrize(
    ("held", "fault", "mend"),
    [
        (lambda mine, _: mine.cert, "holds no private key", "one PEM file"),
        (lambda mine, _: mine.pem(), "holds no certificate", "one PEM file"),
        (lambda mine, other: mine.pem() + other.cert, "the key of another certificate", "one PEM file"),
        (lambda mine, _: mine.der, "a certificate in DER form, without its key", "one PEM file"),
        (lambda mine, _: mine.cert[:-60] + b"\n-----END CERTIFICATE-----\n" + mine.pem(), "can't be read", "export"),
        (lambda mine, _: mine.cert + mine.pem().replace(b"M", b"A", 9), "can't be read", "export the key"),
        (lambda mine, _: mine.pfx()[:300], "a damaged one", "password"),
        (lambda _, __: b"the~secret", "neither PEM nor PFX", "PEM file"),
        (lambda _, __: b"\x30\x82", "neither PEM nor PFX", "PEM file"),
        (lambda mine, _: ("-----BEGIN" + mine.pem().decode()).encode("utf-16"), "neither PEM nor PFX", "PEM file"),
    ],
    ids=["no key", "no certificate", "mismatch", "der", "cert", "key", "pfx", "text", "asn.1", "utf-16"],
)
def test_what_is_no_pair_is_told(
    mine: Made, other: Made, held: Callable[[Made, Made], bytes], fault: str, mend: str
) -> None:
    """A file without a certificate and its key is Unauthorized: which setting, which file, what was wrong, the mend."""
    error = refused(held(mine, other))
    assert str(error).startswith("tenants.contoso.credential.certificate_file: /keys/contoso.pem holds ")
    assert fault in str(error)
    assert mend in error.mend


def test_keys_that_entra_refuses_are_told_before_it_does() -> None:
    """An EC key, and an RSA key under 2048 bits, are told with the key that is needed."""
    for each, fault in ((made(ec_key()), "is EC"), (made(rsa_key(1024)), "under 2048 bits")):
        for held in (each.cert + each.pem(), each.pfx()):
            error = refused(held)
            assert fault in str(error)
            assert "RSA key of 2048 bits" in error.mend


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_no_file_whatever_is_in_it_breaks_a_sign_in(mine: Made, data: st.DataObject) -> None:
    """A damaged file is the pair or Unauthorized, never another error, and no message repeats what is in it."""
    held = bytearray(data.draw(st.sampled_from([mine.pfx(), mine.cert + mine.pem(), mine.pfx(PASSWORD)])))
    for place, byte in data.draw(st.lists(st.tuples(st.integers(0, len(held) - 1), st.integers(0, 255)), max_size=4)):
        held[place] = byte
    failure: Unauthorized | None = None
    try:
        pair = FILE.pair(bytes(held[: data.draw(st.integers(0, len(held)))]), PASSWORD)
        moments = (pair.certificate.not_valid_before_utc, pair.certificate.not_valid_after_utc)
        assert all(moment.tzinfo for moment in moments)
    except Unauthorized as error:
        failure = error
    assert PASSWORD not in f"{failure} {failure and failure.mend}"
    assert len(str(failure)) < 300
