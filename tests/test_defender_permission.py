"""The permission that scores need: the kind of credential says which, and who can grant it how."""

from pathlib import Path

import pytest
from tenants import jwt, settings

from collector.defender.permission import permission_of
from collector.settings import DeviceCode, ManagedIdentity, Tenant

APPLICATION = settings()
PERSON = settings(credential=DeviceCode(kind="device_code", cache_file=Path("contoso.cache")))
MACHINE = settings(credential=ManagedIdentity(kind="managed_identity"))
TOKENS = (jwt(), jwt(roles=["Machine.Read.All"]), jwt(scp="Machine.Read"), jwt(roles=7, scp=[]), "opaque", "")


@pytest.mark.parametrize("token", TOKENS)
@pytest.mark.parametrize(
    ("tenant", "needed", "how"),
    [
        (APPLICATION, "Score.Read.All", "the application permission Score.Read.All"),
        (PERSON, "Score.Read", "the delegated permission Score.Read of"),
        (MACHINE, "Score.Read.All", "New-MgServicePrincipalAppRoleAssignment"),
    ],
)
def test_the_kind_of_credential_decides_whatever_the_token_names(
    tenant: Tenant, needed: str, how: str, token: str
) -> None:
    """Also for a token with neither roles nor scopes, which is what one looks like that nothing was granted to."""
    permission = permission_of(tenant)
    assert permission.lacking(token)
    assert permission.words(token).startswith(f"{needed} is needed, and the token has ")
    assert how in permission.mend(token)
    other = "delegated" if needed == "Score.Read.All" else "application permission"
    assert other not in permission.mend(token)


def test_what_a_machine_is_granted_can_be_done_by_who_reads_it() -> None:
    """The portal can't: the mend has the command, both ends of the grant, and that it takes its time."""
    mend = permission_of(MACHINE).mend("")
    for words in ("the portal can't", "fc780465-2017-40d4-a0c5-307022471b92", "can take a day", "service principal"):
        assert words in mend
    assert "admin consent" not in mend


@pytest.mark.parametrize(
    ("tenant", "token", "where"),
    [
        (APPLICATION, jwt(roles=["Score.Read.All"]), "Defender roles"),
        (PERSON, jwt(scp="openid Score.Read"), "the person's role"),
    ],
)
def test_a_permission_that_is_there_and_does_not_help_points_to_the_roles(
    tenant: Tenant, token: str, where: str
) -> None:
    """A refusal although the token has the permission is a matter of the roles inside Defender."""
    permission = permission_of(tenant)
    assert not permission.lacking(token)
    assert where in permission.mend(token)


def test_what_a_token_says_is_shown_as_print_and_cut_short() -> None:
    """A token is a stranger's words: no control character, no endless name, no endless list."""
    words = permission_of(APPLICATION).words(jwt(roles=["a\x1b[2J", "b" * 1000, *["c"] * 1000]))
    assert words.isprintable()
    assert len(words) < 300
