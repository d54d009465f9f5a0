"""collector.settings: `tenants_dir`, in which a tenant is a file."""

import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tables import CREDENTIAL, GUID, client_secret, toml

from collector.errors import ConfigError
from collector.settings import Settings, load

TENANT = {"tenant_id": GUID, "client_id": GUID, "credential": CREDENTIAL}
MAIN = 'tenants_dir = "tenants.d"\n'


@pytest.fixture(autouse=True)
def _apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("collector.settings.loader.DEFAULT_FILE", tmp_path / "etc" / "collector.toml")
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The folder of tenants, with nobody in it."""
    made = tmp_path / "tenants.d"
    made.mkdir()
    return made


def lines(tables: dict[str, Any]) -> str:
    """Return tables as TOML, a line each key."""
    return "".join(f"{key} = {toml(value)}\n" for key, value in tables.items())


def write(folder: Path, name: str, text: str | None = None, **keys: Any) -> Path:
    """Write a tenant's file, a right one but for `keys`."""
    path = folder / name
    path.write_text(lines(TENANT | keys) if text is None else text, encoding="utf-8")
    return path


def loaded(folder: Path, text: str = MAIN, **environ: str) -> Settings:
    """Return the settings of a file beside `folder`."""
    (folder.parent / "c.toml").write_text(text, encoding="utf-8")
    return load(folder.parent / "c.toml", {f"COLLECTOR__{name}": value for name, value in environ.items()})


def problems(folder: Path, text: str = MAIN, **environ: str) -> tuple[str, ...]:
    """Return the lines about what is wrong; none where nothing is."""
    try:
        loaded(folder, text, **environ)
    except ConfigError as error:
        return error.problems
    return ()


def test_a_tenant_is_a_file_and_its_paths_start_from_its_folder(folder: Path) -> None:
    """The file's name is the tenant's; a secret beside it is named as it lies there."""
    write(folder, "contoso.toml")
    write(folder, "Büro München, Nord.toml", cloud="gcc")
    settings = loaded(folder)
    assert sorted(settings.tenants) == ["Büro München, Nord", "contoso"]
    assert settings.tenants["Büro München, Nord"].cloud == "gcc"
    assert client_secret(settings).file == folder / "contoso.secret"


def test_a_tenant_that_is_a_file_is_what_it_would_be_in_the_settings(folder: Path) -> None:
    """All but the start of its paths and what a message calls them is the same."""
    write(folder, "contoso.toml", credential={"kind": "client_secret", "client_secret": "hush"}, region="eu")
    of_a_file = loaded(folder).tenants["contoso"]
    table = {**TENANT, "credential": {"kind": "client_secret", "client_secret": "hush"}, "region": "eu"}
    assert loaded(folder, f"[tenants.contoso]\n{lines(table)}").tenants["contoso"] == of_a_file


def test_tenants_of_the_settings_stand_beside_those_that_are_files(folder: Path) -> None:
    """The settings' own come first, the files by name."""
    for name in ("b", "a"):
        write(folder, f"{name}.toml")
    assert list(loaded(folder, f"{MAIN}[tenants.c]\n{lines(TENANT)}").tenants) == ["c", "a", "b"]


def test_other_files_are_left_alone(folder: Path) -> None:
    """An editor's, a ConfigMap's links and folders, a secret: none is a tenant."""
    write(folder, "contoso.toml")
    for name in (".contoso.toml.swp", ".hidden.toml", "contoso.secret", "contoso.toml~", "README", ".toml"):
        write(folder, name, "no tenant = [")
    (folder / "..data").mkdir()
    (folder / "old").mkdir()
    assert list(loaded(folder).tenants) == ["contoso"]


def test_a_mounted_config_map_is_a_folder_of_tenants(folder: Path) -> None:
    """Its files are links through `..data`, which is put in place of the former one at once."""
    first = folder / "..2026_11_28"
    first.mkdir()
    write(first, "contoso.toml")
    (folder / "..data").symlink_to(first.name)
    (folder / "contoso.toml").symlink_to("..data/contoso.toml")
    settings = loaded(folder)
    assert client_secret(settings).file == folder / "contoso.secret", "not where the link leads to now"


def test_a_name_that_is_given_twice_is_refused_with_both_places(folder: Path) -> None:
    """Neither of the two is taken for the right one."""
    write(folder, "contoso.toml")
    assert problems(folder, f"{MAIN}[tenants.contoso]\n{lines(TENANT)}") == (
        "tenants.d/contoso.toml: the tenant is there already, as tenants.contoso (line 2); keep one of the two",
    )


def test_every_mistake_of_every_file_is_told_at_once_by_file_and_line(folder: Path) -> None:
    """What can't be read hides no mistake of what can, and makes none of its own."""
    write(folder, "a.toml", 'tenant_id = "x y"\nclientid = 3\n\ncredential = { kind = "certificates" }\n')
    write(folder, "b.toml", "tenant_id = \n")
    (folder / "c.toml").write_bytes(b'# \n# \xff"\n')
    (folder / "d.toml").mkdir()
    (folder / "e.toml").symlink_to("nowhere")
    os.mkfifo(folder / "f.toml")
    write(folder, "g.toml", f"[tenants.g]\n{lines(TENANT)}")
    write(folder, "h.toml", "cloud = 'gcc'\ncloud = 'gcc'\n")
    write(folder, "i.toml", "")
    sink = '[influxdb.main]\nurl = "h"\nbucket = "b"\ntenants = ["b", "h", "z"]\n'
    kinds = '"client_secret", "certificate", "workload_identity", "managed_identity" or "device_code"'
    assert problems(folder, MAIN + sink, TENANTS__B__CLIENT_ID=GUID) == (
        "tenants.d/b.toml (line 1): not TOML: invalid value, at column 13",
        "tenants.d/c.toml (line 2): not UTF-8 text",
        "tenants.d/d.toml: is not a plain file",
        "tenants.d/e.toml: can't be read (No such file or directory)",
        "tenants.d/f.toml: is not a plain file",
        "tenants.d/g.toml (line 1): a tenant's own file has its keys alone; leave the header [tenants.NAME] out",
        "cloud (tenants.d/h.toml, line 2): stands on line 1 already; make one of the two",
        "influxdb.main.url (line 3): must be a URL like http://HOST",
        "tenants.a.client_id (tenants.d/a.toml): is missing; it is the application's id, a GUID",
        (
            "tenants.a.tenant_id (tenants.d/a.toml, line 1): must be the tenant's GUID or one of its domain names, "
            "like contoso.onmicrosoft.com"
        ),
        "tenants.a.clientid (tenants.d/a.toml, line 2): unknown key; did you mean client_id?",
        f'tenants.a.credential.kind (tenants.d/a.toml, line 4): must be {kinds}; did you mean "certificate"?',
        "tenants.i.tenant_id (tenants.d/i.toml): is missing; it is the directory's GUID or one of its domain names",
        "tenants.i.client_id (tenants.d/i.toml): is missing; it is the application's id, a GUID",
        (
            "tenants.i.credential (tenants.d/i.toml): is missing; it is how the application signs in, like "
            '{ kind = "client_secret", client_secret_file = "PATH" }'
        ),
    )


def test_a_folder_that_is_not_there_is_one_mistake(folder: Path) -> None:
    """That there are no tenants, and that a sink names one, follows from it; a path is never repeated."""
    sink = '[influxdb.main]\nurl = "http://h"\nbucket = "b"\ntenants = ["contoso"]\n'
    assert problems(folder, f'tenants_dir = "hush.d"\n{sink}') == (
        (
            "tenants_dir (line 1): no folder that can be read (No such file or directory); a relative path starts from "
            f"{folder.parent}"
        ),
    )
    assert problems(folder, "tenants_dir = 5\n")[0] == "tenants_dir (line 1): must be a path, in quotes"


def test_an_empty_folder_is_no_tenant(folder: Path) -> None:
    """As settings without any are none."""
    assert [line.partition(";")[0] for line in problems(folder)] == ["tenants: none is named"]


def test_variables_stand_over_files(folder: Path) -> None:
    """Also over that of a tenant with a name that a variable can't hold; and a variable's tenant is one beside them."""
    write(folder, "tenant 7.toml")
    other = "33333333-3333-3333-3333-333333333333"
    made = {f"TENANTS__NEW__{key}".upper(): value for key, value in TENANT.items() if isinstance(value, str)}
    credential = toml(TENANT["credential"])
    settings = loaded(folder, TENANTS__TENANT_7__CLIENT_ID=other, TENANTS__NEW__CREDENTIAL=credential, **made)
    assert settings.tenants["tenant 7"].client_id == other
    assert list(settings.tenants) == ["tenant 7", "new"]
    assert problems(folder, TENANTS__TENANT_7__CLOUD="gc") == (
        'COLLECTOR__TENANTS__TENANT_7__CLOUD: must be "global", "gcc", "gcc-high" or "dod"; did you mean "gcc"?',
    )


def test_the_folder_can_be_named_by_a_variable_with_a_file_and_without(folder: Path) -> None:
    """A relative path of a variable starts from the working folder, as for every other one."""
    write(folder, "contoso.toml")
    (folder.parent / "elsewhere").mkdir()
    assert list(loaded(folder, "", TENANTS_DIR="tenants.d").tenants) == ["contoso"]
    settings = load(None, {"COLLECTOR__tenants_dir": str(folder)})
    assert (list(settings.tenants), settings.tenants_dir) == (["contoso"], folder)


@given(st.binary(max_size=60))
def test_any_file_is_a_tenant_or_a_line_with_its_name(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    """No content ends in a traceback, or in a line that doesn't say which file it is of."""
    folder = tmp_path_factory.getbasetemp() / "any"
    folder.mkdir(exist_ok=True)
    (folder / "contoso.toml").write_bytes(content)
    (folder.parent / "c.toml").write_text('tenants_dir = "any"\n')
    with pytest.raises(ConfigError) as caught:
        load(folder.parent / "c.toml", {})
    assert caught.value.problems
    assert all("any/contoso.toml" in line for line in caught.value.problems)


@pytest.mark.parametrize("tenants", ["{}", "no table", "{ b = 1 }"])
def test_a_variable_that_is_all_tenants_stands_over_the_folder_too(folder: Path, tenants: str) -> None:
    """What can't be read in it is told all the same."""
    write(folder, "contoso.toml", "x")
    assert problems(folder, TENANTS=tenants)[0].startswith("tenants.d/contoso.toml (line 1): not TOML")
