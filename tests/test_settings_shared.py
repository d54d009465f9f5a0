"""collector.settings: `[tenant_defaults]`, what tenants share."""

from pathlib import Path
from typing import Any

import pytest
from tables import GUID, client_secret, outcome, problems, toml

from collector.errors import ConfigError
from collector.settings import Settings, load

OTHER = "22222222-2222-2222-2222-222222222222"
SHARED: dict[str, Any] = {
    "client_id": OTHER,
    "credential": {"kind": "client_secret", "client_secret_file": "partner.secret"},
}
ONE = {"tenant_id": GUID}


def settings(folder: Path, tables: dict[str, Any], environ: dict[str, str] | None = None) -> Settings:
    """Return the settings of a file with these tables."""
    made = outcome(folder, tables, environ)
    assert isinstance(made, Settings), made
    return made


def test_tenants_of_one_partner_application_differ_in_their_id_alone(tmp_path: Path) -> None:
    """A customer is a line; the secret is the one file beside the settings."""
    made = settings(tmp_path, {"tenant_defaults": SHARED, "tenants": {"contoso": ONE, "fabrikam": ONE}})
    assert [tenant.client_id for tenant in made.tenants.values()] == [OTHER, OTHER]
    assert {client_secret(made, name).file for name in made.tenants} == {tmp_path / "partner.secret"}
    assert client_secret(made).key == "tenant_defaults.credential.client_secret_file"


def test_a_tenant_s_own_key_wins_and_a_credential_is_its_own_as_a_whole(tmp_path: Path) -> None:
    """Nothing of a shared credential is in one that a tenant has itself."""
    defaults = SHARED | {"credential": {"kind": "certificate", "certificate_file": "p.pem", "password": "hush"}}
    own = ONE | {"client_id": GUID, "credential": {"kind": "certificate", "certificate_file": "own.pem"}}
    tenant = settings(tmp_path, {"tenant_defaults": defaults, "tenants": {"contoso": own}}).tenants["contoso"]
    assert (tenant.client_id, tenant.credential.kind) == (GUID, "certificate")
    assert tenant.credential.password is None  # type: ignore[union-attr]


def test_a_tenant_of_another_cloud_has_nothing_of_the_defaults_cloud(tmp_path: Path) -> None:
    """Region, hosts and scope are true of one cloud; whoever names another has them from that."""
    places = {"api_url": "https://api.test", "login_url": "https://login.test", "scope": "s/.default"}
    defaults = SHARED | {"cloud": "global", "region": "eu"} | places
    tables = {"tenant_defaults": defaults, "tenants": {"contoso": ONE, "gov": ONE | {"cloud": "gcc-high"}}}
    made = settings(tmp_path, tables)
    assert (made.tenants["contoso"].region, made.tenants["contoso"].scope) == ("eu", "s/.default")
    gov = made.tenants["gov"]
    assert (gov.region, gov.api_url, gov.login_url, gov.scope) == (None, None, None, None)
    by_variable = settings(tmp_path, tables, {"COLLECTOR__TENANTS__CONTOSO__CLOUD": "dod"}).tenants["contoso"]
    assert (by_variable.cloud, by_variable.region, by_variable.client_id) == ("dod", None, OTHER)


def test_variables_set_what_is_shared_and_a_part_of_it_for_one(tmp_path: Path) -> None:
    """What is set for a tenant stands over what all have, key by key, also in the credential; nobody else has it."""
    tables = {"tenant_defaults": SHARED, "tenants": {"contoso": ONE, "fabrikam": ONE}}
    environ = {
        "COLLECTOR__TENANT_DEFAULTS__CLIENT_ID": GUID,
        "COLLECTOR__TENANTS__CONTOSO__CREDENTIAL__CLIENT_SECRET_FILE": "/own.secret",
        "COLLECTOR__TENANTS__LITWARE__TENANT_ID": GUID,
    }
    made = settings(tmp_path, tables, environ)
    assert {tenant.client_id for tenant in made.tenants.values()} == {GUID}
    files = {name: str(client_secret(made, name).file) for name in made.tenants}
    shared = str(tmp_path / "partner.secret")
    assert files == {"contoso": "/own.secret", "fabrikam": shared, "litware": shared}


def test_paths_of_what_is_shared_start_from_the_settings_folder_also_for_files(tmp_path: Path) -> None:
    """A tenant's own folder counts for what it says itself."""
    (tmp_path / "customers").mkdir()
    (tmp_path / "customers" / "contoso.toml").write_text(f'tenant_id = "{GUID}"\nca_file = "own.pem"\n')
    made = settings(tmp_path, {"tenants_dir": "customers", "tenant_defaults": SHARED})
    assert client_secret(made).file == tmp_path / "partner.secret"
    assert made.tenants["contoso"].ca_file == tmp_path / "customers" / "own.pem"


def test_without_a_file_tenants_can_share_by_variables_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One application by its variables, and a variable a customer."""
    monkeypatch.setattr("collector.settings.loader.DEFAULT_FILE", tmp_path / "none.toml")
    credential = toml(SHARED["credential"])
    environ = {
        "COLLECTOR__TENANT_DEFAULTS__CLIENT_ID": OTHER,
        "COLLECTOR__TENANT_DEFAULTS__CREDENTIAL": credential,
        "COLLECTOR__TENANTS__CONTOSO__TENANT_ID": GUID,
    }
    assert load(None, environ).tenants["contoso"].client_id == OTHER


def test_a_mistake_in_what_is_shared_is_told_once_and_where_it_stands(tmp_path: Path) -> None:
    """Not once a customer; it is wrong whether or not there is one."""
    tables = {"tenant_defaults": SHARED | {"cloud": "gc"}, "tenants": {f"t{n}": ONE for n in range(9)}}
    said = ('tenant_defaults.cloud: must be "global", "gcc", "gcc-high" or "dod"; did you mean "gcc"?',)
    assert problems(tmp_path, tables) == said
    assert problems(tmp_path, {**tables, "tenants": {"t": ONE | {"cloud": "gcc"}}}) == said
    made = outcome(tmp_path, tables)
    assert isinstance(made, ConfigError)
    assert made.problems[0].startswith("tenant_defaults.cloud (line 1): ")


def test_what_is_wrong_of_some_tenants_alone_names_them(tmp_path: Path) -> None:
    """A sign-in by device code needs a file of its own; shared, each tenant's would take the other's away."""
    device = {"client_id": GUID, "credential": {"kind": "device_code", "cache_file": "c"}}
    tenants: dict[str, Any] = {f"t{n}": ONE for n in range(6)}
    said = "is the file of tenants.t0.credential.cache_file too; each tenant's sign-in needs a file of its own"
    assert problems(tmp_path, {"tenant_defaults": device, "tenants": tenants}) == (
        f"tenant_defaults.credential.cache_file: {said} (for tenants.t1, tenants.t2, tenants.t3 and 2 more)",
    )
    tenants["t1"] = {**ONE, "credential": {"kind": "device_code", "cache_file": "./d"}}
    tenants["t2"] = {**ONE, "credential": {"kind": "device_code", "cache_file": "d"}}
    lines = problems(tmp_path, {"tenant_defaults": device, "tenants": tenants})
    said = "is the file of tenants.t1.credential.cache_file too; each tenant's sign-in needs a file of its own"
    assert f"tenants.t2.credential.cache_file: {said}" in lines


@pytest.mark.parametrize(
    ("defaults", "said"),
    [
        ({"tenant_id": GUID}, "tenant_defaults.tenant_id: each tenant has its own; put it into the tenants"),
        ({"clientid": GUID}, "tenant_defaults.clientid: unknown key; did you mean client_id?"),
        (
            {"client_secret": "hush"},
            'tenant_defaults.client_secret: belongs into credential = { kind = "client_secret", client_secret = … }',
        ),
        (
            {"credential": {"kind": "certificate"}},
            (
                "tenant_defaults.credential.certificate_file: is missing; it is the file of the certificate and its "
                "key, PEM or PFX"
            ),
        ),
    ],
)
def test_a_key_that_can_t_be_shared_says_where_it_belongs(tmp_path: Path, defaults: dict[str, Any], said: str) -> None:
    """One line, with what would be right."""
    own = ONE | {"client_id": GUID, "credential": SHARED["credential"]}
    assert problems(tmp_path, {"tenant_defaults": defaults, "tenants": {"contoso": own}}) == (said,)


def test_what_many_tenants_lack_for_one_slip_is_told_once(tmp_path: Path) -> None:
    """A key of the defaults that is mistyped is no mistake of each customer; what each has itself is told of each."""
    defaults = {"client_idd" if key == "client_id" else key: value for key, value in SHARED.items()}
    names = [f"t{n}" for n in range(40)]
    told = problems(tmp_path, {"tenant_defaults": defaults, "tenants": dict.fromkeys(names, ONE)})
    assert len(told) == 2
    assert "tenant_defaults.client_idd" in told[0]
    assert told[1].startswith("tenants.t0.client_id")
    assert told[1].endswith(
        "is missing; it is the application's id, a GUID (for tenants.t0, tenants.t1, tenants.t2 and 37 more)"
    )
    few = problems(tmp_path, {"tenant_defaults": defaults, "tenants": dict.fromkeys(names[:10], ONE)})
    assert len(few) == 11
    without: dict[str, Any] = {name: {"cloud": "global"} for name in names}
    assert len(problems(tmp_path, {"tenant_defaults": SHARED, "tenants": without})) == 40
