"""collector.settings: how a tenant signs in, as chosen by the variables that Azure's own tools read."""

from pathlib import Path

import pytest
from tables import GUID

from collector.errors import ConfigError
from collector.settings import Certificate, Secret, load
from collector.settings.secret import Located

OTHER = "22222222-2222-2222-2222-222222222222"
INFLUXDB = {"INFLUXDB_V2_URL": "http://h:1", "INFLUXDB_V2_BUCKET": "b"}
INSTEAD = (
    "is missing; a file can hold it too: AZURE_CLIENT_SECRET_FILE; or sign in with a certificate "
    "(AZURE_CLIENT_CERTIFICATE_PATH), a federated token (AZURE_FEDERATED_TOKEN_FILE) or a managed identity "
    "(AZURE_TOKEN_CREDENTIALS=ManagedIdentityCredential)"
)
IDS = {"AZURE_TENANT_ID": GUID, "AZURE_CLIENT_ID": OTHER}
AZURE = IDS | {"AZURE_CLIENT_SECRET": "hush"}
SECRET = {"AZURE_CLIENT_SECRET_FILE": "s"}
CERTIFICATE = {"AZURE_CLIENT_CERTIFICATE_PATH": "c.pem"}
TOKEN = {"AZURE_FEDERATED_TOKEN_FILE": "/token"}
PLATFORM = {"IDENTITY_ENDPOINT": "http://127.0.0.1:1/msi/token"}
ALL = IDS | SECRET | CERTIFICATE | TOKEN | PLATFORM


@pytest.fixture(autouse=True)
def _apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("collector.settings.loader.DEFAULT_FILE", tmp_path / "etc" / "collector.toml")
    monkeypatch.chdir(tmp_path)


def problems(environ: dict[str, str]) -> tuple[str, ...]:
    """Return the lines about what is wrong; none where nothing is."""
    try:
        load(None, environ)
    except ConfigError as error:
        return error.problems
    return ()


@pytest.mark.parametrize(
    ("environ", "kind"),
    [
        (ALL, "client_secret"),
        (IDS | CERTIFICATE | TOKEN | PLATFORM, "certificate"),
        (IDS | TOKEN | PLATFORM, "workload_identity"),
        (IDS | PLATFORM, "managed_identity"),
        *((IDS | {name: "x"}, "managed_identity") for name in ("MSI_ENDPOINT", "IMDS_ENDPOINT")),
        (IDS | {"AZURE_POD_IDENTITY_AUTHORITY_HOST": "http://127.0.0.1:1"}, "managed_identity"),
        *((PLATFORM | {name: GUID}, "managed_identity") for name in IDS),
        (PLATFORM | {"COLLECTOR_TENANT": "contoso"}, "managed_identity"),
        (PLATFORM | INFLUXDB, "managed_identity"),
        (PLATFORM | {"AZURE_TOKEN_CREDENTIALS": "prod"}, "managed_identity"),
        ({"AZURE_TOKEN_CREDENTIALS": "ManagedIdentityCredential"}, "managed_identity"),
        (ALL | {"AZURE_TOKEN_CREDENTIALS": " managedidentitycredential "}, "managed_identity"),
        (ALL | {"AZURE_TOKEN_CREDENTIALS": "WORKLOADIDENTITYCREDENTIAL"}, "workload_identity"),
        (ALL | {"AZURE_TOKEN_CREDENTIALS": "EnvironmentCredential"}, "client_secret"),
        (ALL | {"AZURE_TOKEN_CREDENTIALS": "Prod"}, "client_secret"),
    ],
)
def test_the_kind_of_credential_is_chosen_as_azures_own_tools_do(environ: dict[str, str], kind: str) -> None:
    """Secret, certificate, federated token, managed identity: the first that is set, of those that may be."""
    [tenant] = load(None, environ).tenants.values()
    assert tenant.credential.kind == kind
    assert tenant.client_id == environ.get("AZURE_CLIENT_ID", "")


def test_a_tenant_with_a_name_of_its_own_gets_no_other_beside_it() -> None:
    """A machine that has an identity for other ends polls with the credential that it was told to."""
    above = "COLLECTOR__TENANTS__CONTOSO"
    named = {f"{above}__TENANT_ID": GUID, f"{above}__CLIENT_ID": GUID, f"{above}__CREDENTIAL__KIND": "client_secret"}
    settings = load(None, PLATFORM | INFLUXDB | named | {f"{above}__CREDENTIAL__CLIENT_SECRET": "hush"})
    assert list(settings.tenants) == ["contoso"]
    settings = load(None, PLATFORM | INFLUXDB | {"COLLECTOR__TENANTS__DEFAULT__CLOUD": "gcc"})
    assert [tenant.credential.kind for tenant in settings.tenants.values()] == ["managed_identity"]


def test_files_of_a_credential_start_from_the_working_folder(tmp_path: Path) -> None:
    """As all paths of variables do; a certificate's password can be a file, too."""
    environ = IDS | CERTIFICATE | {"AZURE_CLIENT_CERTIFICATE_PASSWORD_FILE": "p"}
    credential = load(None, environ).tenants["default"].credential
    assert credential == Certificate.model_validate(
        {
            "kind": "certificate",
            "certificate_file": Located("AZURE_CLIENT_CERTIFICATE_PATH", tmp_path / "c.pem"),
            "password": Secret("AZURE_CLIENT_CERTIFICATE_PASSWORD_FILE", file=tmp_path / "p"),
        }
    )
    assert [line.split(" can't be read")[0] for line in credential.missing_secrets()] == [
        f"AZURE_CLIENT_CERTIFICATE_PATH: {tmp_path / 'c.pem'}",
        f"AZURE_CLIENT_CERTIFICATE_PASSWORD_FILE: {tmp_path / 'p'}",
    ]
    assert problems(IDS | {"AZURE_CLIENT_CERTIFICATE_PASSWORD": "x"}) == (
        "AZURE_CLIENT_CERTIFICATE_PATH: is missing; it is the file of the certificate and its key, PEM or PFX",
    )


def test_a_tenant_in_part_is_told_every_way_to_sign_in() -> None:
    """Which variables hold a secret, a certificate, a federated token, and what asks for a managed identity."""
    assert problems(IDS) == (f"AZURE_CLIENT_SECRET: {INSTEAD}",)
    assert problems(IDS | PLATFORM | {"AZURE_TOKEN_CREDENTIALS": "EnvironmentCredential"}) == (
        f"AZURE_CLIENT_SECRET: {INSTEAD}",
    )
    assert problems(ALL | {"AZURE_TOKEN_CREDENTIALS": "WorkloadIdentityCredential", **dict.fromkeys(TOKEN, "")}) == (
        "AZURE_FEDERATED_TOKEN_FILE: is missing; it is the file in which the platform keeps the token",
    )


@pytest.mark.parametrize(
    ("choice", "hint"),
    [
        ("dev", "what a developer's tools sign in with is not for a service"),
        ("AzureCliCredential", "what a developer's tools sign in with is not for a service"),
        ("ManagedIdentity", "did you mean ManagedIdentityCredential?"),
    ],
)
def test_a_choice_that_is_not_for_a_service_is_refused(choice: str, hint: str) -> None:
    """AZURE_TOKEN_CREDENTIALS can also name what developers sign in with: nobody is there to do that."""
    right = "prod, EnvironmentCredential, WorkloadIdentityCredential or ManagedIdentityCredential"
    said = problems(AZURE | {"AZURE_TOKEN_CREDENTIALS": choice})
    assert said == (f"AZURE_TOKEN_CREDENTIALS: must be {right}; {hint}",)


@pytest.mark.parametrize(
    ("host", "cloud", "login"),
    [
        ("https://login.microsoftonline.com/", "global", None),
        ("login.microsoftonline.com", "global", None),
        ("https://login.microsoftonline.us/", "gcc-high", None),
        ("Login.MicrosoftOnline.US", "gcc-high", None),
        ("https://login.example/", "global", "https://login.example"),
        ("login.example:8443", "global", "https://login.example:8443"),
    ],
)
def test_the_authority_says_the_cloud_or_the_login(host: str, cloud: str, login: str | None) -> None:
    """AZURE_AUTHORITY_HOST is taken with and without scheme and final slash; what is set on purpose stands over it."""
    environ = AZURE | {"AZURE_AUTHORITY_HOST": host}
    tenant = load(None, environ).tenants["default"]
    assert (tenant.cloud, tenant.login_url) == (cloud, login)
    assert load(None, environ | {"COLLECTOR__TENANTS__DEFAULT__CLOUD": "dod"}).tenants["default"].cloud == "dod"


def test_an_authority_without_tls_is_refused() -> None:
    """A token is never asked for in the open."""
    assert problems(AZURE | {"AZURE_AUTHORITY_HOST": "http://login.example"}) == (
        "AZURE_AUTHORITY_HOST: must begin with https://",
    )


@pytest.mark.parametrize(
    "environ",
    [
        {"PATH": "/bin"},
        PLATFORM | {"IDENTITY_HEADER": "x", "MSI_ENDPOINT": "http://127.0.0.1:1"},
        PLATFORM | {"AZURE_TOKEN_CREDENTIALS": "dev"},
        {"AZURE_TOKEN_CREDENTIALS": "prod", "AZURE_AUTHORITY_HOST": "login.microsoftonline.com"},
    ],
)
def test_what_a_platform_sets_by_itself_makes_no_tenant(environ: dict[str, str]) -> None:
    """Every command on such a machine would else poll by an identity that nobody meant for it."""
    [line] = problems(environ)
    assert line.startswith("no settings at all: ")
