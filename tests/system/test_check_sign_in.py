"""`check` where sign-in refuses: the code, what it means, and what its owner does about it."""

import datetime as dt
import re
from pathlib import Path

import pytest
from keys import made
from system.blackbox import Simulated, settings
from system.doctor import bad, checks, only_bad


@pytest.mark.parametrize(
    ("code", "meaning", "mend"),
    [
        (7000215, "wrong client secret", "the secret's value, not the secret's id"),
        (7000222, "the client secret has expired", "make a new client secret"),
        (700016, "the application is not found in this tenant", "client_id"),
        (90002, "the tenant is not found", "tenant_id"),
        (700027, "the assertion's signature is not valid", "register this certificate"),
        (700024, "the assertion is outside its time", "clock"),
        (70021, "no federated identity matches", "issuer, subject and audience"),
        (700213, "no federated identity matches", "issuer, subject and audience"),
        (500011, "the resource is not found in the tenant", "scope"),
        (65001, "nobody has consented", "admin consent"),
        (53003, "blocked by Conditional Access", "sign-in log"),
        (700082, "the refresh token has expired", "login"),
        (70043, "the refresh token has expired", "login"),
    ],
)
def test_each_code_is_named_with_its_meaning_and_mend(
    simulated: Simulated, tmp_path: Path, code: int, meaning: str, mend: str
) -> None:
    """Each code that owners meet is said, with what it means and what to do; the secret is not."""
    simulated.fault("sign_in_error", code=code)
    found = only_bad(settings(tmp_path, simulated), "contoso: sign-in")
    assert f"AADSTS{code}: " in found.message
    assert meaning in found.message
    assert mend in found.mend
    secret = (simulated.folder / "simulator.secret").read_text()
    assert secret not in found.message + found.mend


@pytest.mark.parametrize(("code", "cloud"), [(90002, "gcc-high"), (500011, "gcc"), (90002, "dod")])
def test_a_tenant_of_another_cloud_is_told_which(simulated: Simulated, tmp_path: Path, code: int, cloud: str) -> None:
    """Where sign-in refuses and says itself that the tenant is elsewhere, that cloud is the mend."""
    simulated.fault("sign_in_error", code=code)
    simulated.fault("other_cloud", cloud=cloud)
    found = bad(settings(tmp_path, simulated))
    assert set(found) == {"contoso: sign-in", "contoso: cloud"}
    assert (
        f"the settings say global, and localhost:{simulated.url.rpartition(':')[2]} says"
        in found["contoso: cloud"].message
    )
    assert f"the tenant is in {cloud} (" in found["contoso: cloud"].message
    assert (
        f'set tenants.contoso.cloud = "{cloud}", and leave api_url, login_url, scope out'
        in found["contoso: cloud"].mend
    )


def test_a_tenant_of_the_right_cloud_is_left_in_peace(simulated: Simulated, tmp_path: Path) -> None:
    """Where the cloud fits nothing is said of it; GCC High and DoD are asked alike, so that either fits."""
    simulated.fault("sign_in_error", code=90002)
    simulated.fault("other_cloud", cloud="dod")
    env = {"COLLECTOR__TENANTS__CONTOSO__CLOUD": "gcc-high"}
    only_bad(settings(tmp_path, simulated), "contoso: sign-in", env=env)


@pytest.mark.parametrize(
    ("days", "ok", "soon"), [(-3, False, True), (1, True, True), (29, True, True), (40, True, False)]
)
def test_a_secret_that_ends_soon_is_a_warning(
    simulated: Simulated, tmp_path: Path, days: int, *, ok: bool, soon: bool
) -> None:
    """A credential that ends within 30 days is a warning, with the day and what to renew; one that has ended is bad."""
    day = dt.datetime.now(dt.UTC).date() + dt.timedelta(days=days)
    env = {"COLLECTOR__TENANTS__CONTOSO__CREDENTIAL__CLIENT_SECRET_EXPIRES": day.isoformat()}
    found = checks(settings(tmp_path, simulated), env=env)["contoso: credential"]
    assert found.ok is ok
    assert day.isoformat() in found.message
    assert bool(found.mend) is soon
    if soon:
        assert "make a new client secret" in found.mend
        assert str(simulated.folder / "simulator.secret") in found.mend


def test_a_secret_that_has_ended_is_told_once(simulated: Simulated, tmp_path: Path) -> None:
    """Where sign-in says that the secret has ended, that is the one finding; its mend names key and file."""
    simulated.fault("sign_in_error", code=7000222)
    env = {"COLLECTOR__TENANTS__CONTOSO__CREDENTIAL__CLIENT_SECRET_EXPIRES": "2026-01-31"}
    found = only_bad(settings(tmp_path, simulated), "contoso: sign-in", env=env)
    assert "tenants.contoso.credential.client_secret_file" in found.mend
    assert str(simulated.folder / "simulator.secret") in found.mend
    simulated.heal()
    # Another fault than its end leaves both to be told.
    simulated.fault("sign_in_error", code=90002)
    both = bad(settings(tmp_path, simulated), env=env)
    assert set(both) == {"contoso: sign-in", "contoso: credential"}


def test_a_certificate_that_has_ended_is_told_once(simulated: Simulated, tmp_path: Path) -> None:
    """A certificate that has ended is never sent, and is one finding with one mend."""
    ended = made(begins=-400, ends=-35)
    (tmp_path / "ended.pem").write_bytes(ended.pem() + ended.cert)
    (tmp_path / "ended.pem").chmod(0o600)
    config = settings(tmp_path, simulated)
    credential = 'credential = { kind = "certificate", certificate_file = "ended.pem" }'
    config.write_text(re.sub(r"^credential = .*$", credential, config.read_text(), flags=re.MULTILINE))
    found = only_bad(config, "contoso: sign-in")
    assert "holds a certificate that ended at" in found.message
    assert "make a new certificate" in found.mend


def test_a_sign_in_that_is_none(simulated: Simulated, tmp_path: Path) -> None:
    """A page, or JSON of something else, in the sign-in's place is said to be no sign-in."""
    for fault, subject in (("html", "sign_in"), ("redirect", "discovery"), ("discovery_nonsense", "discovery")):
        more = {"url": "https://elsewhere.invalid/"} if fault == "redirect" else {}
        simulated.fault(fault, subject=subject, **more)
        found = only_bad(settings(tmp_path, simulated), "contoso: sign-in")
        assert "no answer of a sign-in" in found.message or "no sign-in" in found.message
        assert "login_url" in found.mend
        simulated.heal()
