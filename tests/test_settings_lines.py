"""collector.settings: each problem of a file is told by its line, also what keeps the file from being TOML."""

from pathlib import Path

import pytest
from tables import GUID

from collector.errors import ConfigError
from collector.settings import load

TENANT = f'[tenants.a]\ntenant_id = "{GUID}"\nclient_id = "{GUID}"\n'
SECRET = 'credential = { kind = "client_secret", client_secret_file = "s" }\n'
KEY = "tenants.a.credential.client_secret"


def problem(folder: Path, text: str) -> str:
    """Return what is wrong with a file of settings, if it is one thing."""
    (folder / "c.toml").write_text(text, encoding="utf-8", newline="")
    with pytest.raises(ConfigError) as caught:
        load(folder / "c.toml", {})
    [line] = caught.value.problems
    return line.replace(str(folder), "").lstrip("/")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (f"[poll]\nconcurrency = 5\nconcurrency = 6\n{TENANT}{SECRET}", "poll.concurrency (line 3): stands on line 2"),
        (f"[poll]\n{TENANT}{SECRET}[ poll ]\n", "poll (line 6): stands on line 1"),
        (f"{TENANT}{SECRET}[tenants.a.credential]\n", "tenants.a.credential (line 5): stands on line 4"),
        (f"{TENANT}{SECRET}{SECRET}", "tenants.a.credential (line 5): stands on line 4"),
        (f"poll = {{ concurrency = 5, concurrency = 6 }}\n{TENANT}", "poll.concurrency (line 1): stands on this line"),
        (f"poll.concurrency = 5\n[poll]\n{TENANT}", "poll (line 2): stands on line 1"),
    ],
)
def test_what_stands_twice_is_told_with_both_lines(tmp_path: Path, text: str, said: str) -> None:
    """A key, a table, and a table that a dotted key or one line has made already."""
    assert problem(tmp_path, text) == f"{said} already; make one of the two"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[poll]\r\nconcurrency = \r\n", "c.toml (line 2): not TOML: invalid value, at column 15"),
        ("[poll\n", "c.toml (line 1): not TOML: expected ']' at the end of a table declaration, at column 6"),
        (f"{TENANT}credential = {{\n", "c.toml (line 4): not TOML: "),
        ("[log]\nlevel = '''\n\n\n", 'c.toml (line 2): not TOML: expected "'),
        ("[log]\nlevel = '''x", "c.toml (line 2): not TOML: "),
        ("a = {}\n[a.b]\n", "c.toml (line 2): not TOML: cannot "),
        ("[log]\n\nlevel", "c.toml (line 3): not TOML: expected '=' after a key in a key/value pair"),
    ],
)
def test_what_is_no_toml_is_told_by_its_line(tmp_path: Path, text: str, said: str) -> None:
    """What has no end is told by the line on which it begins."""
    assert problem(tmp_path, text).startswith(said)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (f"{TENANT}{SECRET}\n[pol]\n", "pol (line 6): "),
        (f"{TENANT}{SECRET}[log]\n\nlvl = 1\n", "log.lvl (line 7): "),
        (
            f'{TENANT}credential = {{ kind = "client_secret", client_secret = 5 }}',
            f"{KEY} (line 4): must be text",
        ),
        (
            f'{TENANT}credential = {{ kind = "client_secret" }}',
            f"{KEY} (line 4): is missing",
        ),
        (
            f'{TENANT}[tenants.a.credential]\nkind = "client_secret"',
            f"{KEY} (line 4): is missing",
        ),
        (f'{TENANT}\n[tenants.a.credential]\n\nkind = "x"', "tenants.a.credential.kind (line 7): must be "),
        (f"\n{TENANT}", "tenants.a.credential (line 2): is missing"),
        (f"{TENANT}{SECRET}[web]\nallowed_hosts = [\n'a',\n# b\n'b/']\n", "web.allowed_hosts[1] (line 9): "),
        (f"{TENANT}{SECRET}[influxdb]\n\nmain = 5\n", "influxdb.main (line 7): must be a table"),
        (f'{TENANT}{SECRET}[influxdb."ü"]\n["influxdb".\'é\']\nbucket = "b"\nurl="http://h"\n', 'influxdb."ü"'),
        ("[tenants]\n", "tenants (line 1): none is named"),
        ("", "tenants: none is named"),
    ],
)
def test_each_problem_of_a_file_is_told_by_its_line(tmp_path: Path, text: str, said: str) -> None:
    """What is missing is told by the line of its table; what is nowhere in the file has none."""
    (tmp_path / "c.toml").write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        load(tmp_path / "c.toml", {})
    assert caught.value.problems[0].startswith(said)


def test_a_table_that_a_variable_made_has_no_line(tmp_path: Path) -> None:
    """The line of another one would send its reader to the wrong place."""
    (tmp_path / "c.toml").write_text(f'{TENANT}{SECRET}[influxdb.main]\nurl = "http://h"\nbucket = "b"\n')
    with pytest.raises(ConfigError) as caught:
        load(tmp_path / "c.toml", {"COLLECTOR__INFLUXDB__OTHER__BUCKET": "b"})
    [line] = caught.value.problems
    assert line.startswith("influxdb.other.url: is missing")


@pytest.mark.parametrize("text", [f"{TENANT}{SECRET}{SECRET}[pol]\n", f"{TENANT}{SECRET}[pol\n"])
def test_what_was_not_looked_at_is_said(tmp_path: Path, text: str) -> None:
    """A file that is no TOML has other mistakes perhaps: nobody is left to think that this was the only one."""
    (tmp_path / "c.toml").write_text(text)
    with pytest.raises(ConfigError) as caught:
        load(tmp_path / "c.toml", {})
    assert len(caught.value.problems) == 1
    assert caught.value.mend.endswith("what else stands in it was not looked at yet")
    assert str(tmp_path / "c.toml") in str(caught.value) + caught.value.mend


def test_keys_without_a_table_of_a_name_are_one_line(tmp_path: Path) -> None:
    """Whoever forgot the name is told once, with the line; a table beside them that has one is looked at as ever."""
    text = f"{TENANT}{SECRET}[influxdb]\nurl = 'http://h'\nbucket = 'b'\n[influxdb.main]\nurl = 'http://h'\n"
    (tmp_path / "c.toml").write_text(text)
    with pytest.raises(ConfigError) as caught:
        load(tmp_path / "c.toml", {})
    assert [line.partition(":")[0] for line in caught.value.problems] == [
        "influxdb (line 5)",
        "influxdb.main.bucket (line 8)",
    ]
