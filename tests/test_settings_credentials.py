"""collector.settings: the kinds of credential, the ids that they need, and the files that have to be there."""

import contextlib
import itertools
import os
import threading
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError
from tables import CONTOSO, CREDENTIAL, GUID, client_secret, loaded, outcome, problems

from collector.errors import Unauthorized
from collector.settings import (
    Certificate,
    ClientSecret,
    DeviceCode,
    ManagedIdentity,
    Secret,
    Settings,
    Tenant,
    WorkloadIdentity,
    content,
)

CERTIFICATE = {"kind": "certificate", "certificate_file": "c.pem"}
KINDS: list[dict[str, str]] = [
    CREDENTIAL,
    CERTIFICATE,
    CERTIFICATE | {"password_file": "p"},
    {"kind": "workload_identity", "token_file": "/var/run/token"},
    {"kind": "managed_identity"},
    {"kind": "device_code", "cache_file": "cache.json"},
]


def with_credential(folder: Path, credential: dict[str, Any], **environ: str) -> Settings:
    """Return settings with this credential, under variables about it."""
    above = "COLLECTOR__TENANTS__CONTOSO__CREDENTIAL"
    tables = {"tenants": {"contoso": CONTOSO | {"credential": credential}}}
    return loaded(folder, tables, {f"{above}__{key}": value for key, value in environ.items()})


def test_each_kind_has_its_own_keys(tmp_path: Path) -> None:
    """Files start from the folder of the settings."""
    kinds = [with_credential(tmp_path, each).tenants["contoso"].credential for each in KINDS]
    secret, certificate, locked, workload, managed, device = kinds
    assert isinstance(secret, ClientSecret)
    assert secret.client_secret_expires is None
    assert isinstance(certificate, Certificate)
    assert (certificate.certificate_file, certificate.password) == (tmp_path / "c.pem", None)
    assert isinstance(locked, Certificate)
    assert locked.password == Secret("tenants.contoso.credential.password_file", file=tmp_path / "p")
    assert isinstance(workload, WorkloadIdentity)
    assert workload.token_file == Path("/var/run/token")
    assert isinstance(managed, ManagedIdentity)
    assert isinstance(device, DeviceCode)
    assert device.cache_file == tmp_path / "cache.json"


@pytest.mark.parametrize("credential", KINDS, ids=lambda each: each["kind"])
@pytest.mark.parametrize("absent", [{}, {"tenant_id": "", "client_id": ""}])
def test_only_a_managed_identity_can_do_without_ids(
    tmp_path: Path, credential: dict[str, str], absent: dict[str, str]
) -> None:
    """Azure knows the machine's tenant and its only identity; all others say which application of which tenant."""
    tables = {"tenants": {"contoso": {**absent, "credential": credential}}}
    said = problems(tmp_path, tables)
    if credential["kind"] != "managed_identity":
        assert said == (
            "tenants.contoso.tenant_id: is missing; it is the directory's GUID or one of its domain names",
            "tenants.contoso.client_id: is missing; it is the application's id, a GUID",
        )
        return
    assert said == ()
    tenant = loaded(tmp_path, tables).tenants["contoso"]
    assert (tenant.tenant_id, tenant.client_id) == ("", "")


def test_ids_of_a_managed_identity_are_checked_too(tmp_path: Path) -> None:
    """They are kept where they are given, and wrong ones are refused."""
    managed = {"credential": {"kind": "managed_identity"}}
    tenant = loaded(tmp_path, {"tenants": {"contoso": managed | {"client_id": GUID}}}).tenants["contoso"]
    assert (tenant.tenant_id, tenant.client_id) == ("", GUID)
    [problem] = problems(tmp_path, {"tenants": {"contoso": managed | {"client_id": "x"}}})
    assert problem.startswith("tenants.contoso.client_id: must be a GUID")
    built = Tenant(tenant_id="", client_id="", credential=ManagedIdentity(kind="managed_identity"))
    assert built.client_id == ""
    with pytest.raises(ValidationError, match="client_id"):
        Tenant(tenant_id=GUID, client_id="", credential=DeviceCode(kind="device_code", cache_file=Path("c")))


@pytest.mark.parametrize("written", [date(2027, 1, 31), "2027-01-31"])
def test_the_day_on_which_a_secret_ends_is_a_date(tmp_path: Path, written: object) -> None:
    """TOML has dates; in quotes, or as a variable, it is one too."""
    credential = with_credential(tmp_path, {**CREDENTIAL, "client_secret_expires": written}).tenants["contoso"]
    assert credential.credential.model_dump()["client_secret_expires"] == date(2027, 1, 31)
    settings = with_credential(tmp_path, CREDENTIAL, CLIENT_SECRET_EXPIRES="2028-02-29")
    assert settings.tenants["contoso"].credential.model_dump()["client_secret_expires"] == date(2028, 2, 29)


@pytest.mark.parametrize("credential", KINDS, ids=lambda each: each["kind"])
def test_variables_can_change_the_kind(tmp_path: Path, credential: dict[str, str]) -> None:
    """What the file says of its own kind is then of no account; of what it says of the new one, all stays."""
    settings = with_credential(tmp_path, credential, KIND="certificate", CERTIFICATE_FILE="/other.pem")
    made = settings.tenants["contoso"].credential
    assert isinstance(made, Certificate)
    assert made.certificate_file == Path("/other.pem")
    assert (made.password is not None) == ("password_file" in credential)
    settings = with_credential(tmp_path, credential, KIND="client_secret", CLIENT_SECRET="hush")
    assert client_secret(settings).read() == "hush"


def test_a_key_of_another_kind_is_told_by_its_variable(tmp_path: Path) -> None:
    """A variable for another kind does not change the kind by itself, and a slip in the file stays one."""
    above = "COLLECTOR__TENANTS__CONTOSO__CREDENTIAL"
    tables = {"tenants": {"contoso": CONTOSO}}
    [problem] = problems(tmp_path, tables, {f"{above}__CERTIFICATE_FILE": "/c.pem"})
    assert problem.startswith(f'{above}__CERTIFICATE_FILE: belongs to kind "certificate"; "client_secret" has ')
    slip = {"tenants": {"contoso": CONTOSO | {"credential": CREDENTIAL | {"certificate_file": "c", "zzz": "x"}}}}
    said = problems(tmp_path, slip, {f"{above}__KIND": "client_secret"})
    assert [line.split(": ")[0] for line in said] == [
        "tenants.contoso.credential.certificate_file",
        "tenants.contoso.credential.zzz",
    ]
    [problem] = problems(tmp_path, slip, {f"{above}__KIND": "certificate"})
    assert problem.startswith("tenants.contoso.credential.zzz: unknown key")


def test_files_that_sign_in_needs_are_told_when_they_cannot_be_read(tmp_path: Path) -> None:
    """A certificate and the platform's token as a secret is: key, path, what is wrong and what to do."""
    (tmp_path / "p").write_text("hush\n")
    settings = with_credential(tmp_path, CERTIFICATE | {"password_file": "p"})
    [problem] = settings.missing_secrets()
    assert problem == (
        f"tenants.contoso.credential.certificate_file: {tmp_path / 'c.pem'} can't be read "
        "(No such file or directory); put it there, and let the collector's user read it"
    )
    assert settings.tenants["contoso"].missing_secrets() == [problem]
    (tmp_path / "c.pem").write_bytes(b"")
    assert " is empty; " in settings.missing_secrets()[0]
    (tmp_path / "c.pem").write_bytes(b"\xff")
    assert settings.missing_secrets() == []
    (tmp_path / "pipe").mkdir()
    settings = with_credential(tmp_path, {"kind": "workload_identity"}, TOKEN_FILE=str(tmp_path / "pipe"))
    [problem] = settings.missing_secrets()
    assert problem.startswith(
        f"COLLECTOR__TENANTS__CONTOSO__CREDENTIAL__TOKEN_FILE: {tmp_path / 'pipe'} is not a plain file; "
    )


def test_a_sign_in_that_nobody_did_yet_is_no_fault_of_the_settings(tmp_path: Path) -> None:
    """`login` makes the cache; a managed identity has no file at all."""
    for kind in ({"kind": "device_code", "cache_file": "none.json"}, {"kind": "managed_identity"}):
        assert with_credential(tmp_path, kind).missing_secrets() == []
    settings = with_credential(tmp_path, {"kind": "device_code", "cache_file": "none.json"})
    called = settings.tenants["contoso"].credential.called("cache_file")
    assert called == "tenants.contoso.credential.cache_file"


@pytest.mark.parametrize("other", ["cache.json", "./sub/../cache.json", "/absolute"])
def test_no_two_tenants_keep_their_sign_ins_in_one_file(tmp_path: Path, other: str) -> None:
    """The one's `login` would put the other's away: both are named, with the line, beside all other mistakes."""
    path = str(tmp_path / "cache.json") if other == "/absolute" else other
    device = CONTOSO | {"credential": {"kind": "device_code", "cache_file": "cache.json"}}
    tables = {
        "tenants": {"contoso": device, "a b": device | {"credential": {**device["credential"], "cache_file": path}}}
    }
    said = "is the file of tenants.contoso.credential.cache_file too; each tenant's sign-in needs a file of its own"
    assert problems(tmp_path, tables) == (f'tenants."a b".credential.cache_file: {said}',)
    assert f"(line 1): {said}" in str(outcome(tmp_path, tables))
    assert len(problems(tmp_path, tables | {"poll": {"interval_seconds": 0}})) == 2
    variable = "COLLECTOR__TENANTS__A_B__CREDENTIAL__CACHE_FILE"
    assert problems(tmp_path, tables, {variable: str(tmp_path / "cache.json")}) == (f"{variable}: {said}",)
    assert problems(tmp_path, tables, {variable: "another.json"}) == ()
    built = Tenant(**device | {"credential": DeviceCode(kind="device_code", cache_file=Path("c"))})
    with pytest.raises(ValidationError, match="a file of its own"):
        Settings(tenants={"a": built, "b": built})


def test_no_swap_of_a_file_for_a_pipe_stops_its_reader(tmp_path: Path) -> None:
    """Whatever takes the file's place in the moment between two looks at it, its reader goes on."""
    path, new = tmp_path / "secret", tmp_path / "new"
    done = threading.Event()

    def swap() -> None:
        for number in itertools.count():
            os.mkfifo(new) if number % 2 else new.write_bytes(b"hush")
            new.replace(path)
            if done.is_set():
                return

    def read() -> None:
        for _ in range(3000):
            with contextlib.suppress(Unauthorized):
                assert content("key", path) == b"hush"
        done.set()

    path.write_bytes(b"hush")
    threads = [threading.Thread(target=each, daemon=True) for each in (swap, read)]
    for thread in threads:
        thread.start()
    assert done.wait(30)
    for thread in threads:
        thread.join()


def test_a_file_is_read_whole_or_refused(tmp_path: Path) -> None:
    """Bytes as they are now; what could wait for ever or has no end is not read."""
    file = tmp_path / "c.pfx"
    file.write_bytes(b"\x00\xff\n")
    assert content("key", file) == b"\x00\xff\n"
    file.write_bytes(b"x" * 65_536)
    assert len(content("key", file)) == 65_536
    os.mkfifo(tmp_path / "pipe")
    for path, fault in ((Path("/dev/zero"), "is not a plain file"), (tmp_path / "pipe", "is not a plain file")):
        with pytest.raises(Unauthorized, match=f"^key: {path} {fault}"):
            content("key", path)
    file.write_bytes(b"x" * 65_537)
    with pytest.raises(Unauthorized, match="is over 64 KiB") as caught:
        content("key", file, mend="do this")
    assert caught.value.mend == "do this"


def test_who_builds_a_credential_by_hand_hears_of_its_key(tmp_path: Path) -> None:
    """Without a file of settings the key alone names what is missing."""
    built = Certificate(kind="certificate", certificate_file=tmp_path / "c.pem")
    assert built.called("certificate_file") == "certificate_file"
    [problem] = built.missing_secrets()
    assert problem.startswith(f"certificate_file: {tmp_path / 'c.pem'} can't be read")
