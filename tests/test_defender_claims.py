"""collector.defender.claims: what a token says of itself is read, and nothing is verified."""

import base64

import pytest
from tenants import jwt

from collector.defender.claims import claims


def test_a_tokens_claims_are_read_without_verifying_them() -> None:
    """The permissions that a token says it has can be told, whoever signed it."""
    assert claims(jwt(roles=["Score.Read.All"], tid="x")) == {"roles": ["Score.Read.All"], "tid": "x"}


@pytest.mark.parametrize(
    "token",
    [
        "",
        "opaque",
        "a.b",
        "a.b.c.d",
        "..",
        "a.%%%.c",
        "a.ä.c",
        "a." + base64.urlsafe_b64encode(b"[1]").decode() + ".c",
        f"a.{'W' * 99_999}.c",
    ],
    ids=lambda token: token[:10],
)
def test_a_token_that_cannot_be_read_claims_nothing(token: str) -> None:
    """An opaque or broken token has no claims; it is none of ours to judge."""
    assert claims(token) == {}
