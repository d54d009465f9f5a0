"""config/collector.example.toml: true in every line, also in those that are commented out."""

import re
import tomllib
from dataclasses import dataclass
from pathlib import Path

import pytest
from tables import client_secret

from collector.settings import Settings, load
from collector.settings.keys import Kinds, Leaf, Named, Node, tree

EXAMPLE = Path(__file__).parents[1] / "config" / "collector.example.toml"
TEXT = EXAMPLE.read_text(encoding="utf-8")
HEADER = re.compile(r"(?P<out>(?:# )*)\[(?P<table>[\w.]+)\]")
KEY = re.compile(r"(?P<out>(?:# )*)(?P<key>\w+) = (?P<rest>.+)")


@dataclass(frozen=True)
class Line:
    """A key as it stands in the example."""

    number: int
    table: str
    key: str
    rest: str
    depth: int
    """How often it is commented out; what is in a table that is commented out is so once more."""

    @property
    def text(self) -> str:
        """The line as it is when it is taken in."""
        return f"{self.key} = {self.rest}"

    @property
    def value(self) -> object:
        """What it says."""
        return tomllib.loads(self.text)[self.key]


def keys(text: str) -> list[Line]:
    """Return the keys in `text`, commented out or not."""
    found, table = [], ""
    for number, line in enumerate(text.splitlines()):
        if header := HEADER.match(line):
            table = header["table"]
        elif key := KEY.match(line):
            found.append(Line(number, table, key["key"], key["rest"], len(key["out"]) // 2))
    return found


def with_tables() -> str:
    """Return the example with the tables that are commented out taken in."""
    text = TEXT
    for table in ("tenant_defaults", "influxdb.old"):
        before, header, after = text.partition(f"# [{table}]\n")
        block, blank, rest = after.partition("\n\n")
        text = before + header[2:] + re.sub("^# ", "", block, flags=re.MULTILINE) + blank + rest
    return text


def taken_in(text: str, line: Line) -> str:
    """Return `text` with a line taken in, and out with the one that it stands for: the same key, or its other form."""
    lines = text.splitlines()
    forms = {line.key, f"{line.key}_file", line.key.removesuffix("_file")}
    for other in keys(text):
        if other.table == line.table and other.key in forms and not other.depth:
            lines[other.number] = ""
    lines[line.number] = line.text
    return "\n".join(lines)


def loaded(folder: Path, text: str) -> Settings:
    """Return the settings of a copy of the example, beside its secrets."""
    for name in ("contoso.secret", "influxdb.token", "influxdb.password", "partner.pem"):
        (folder / name).write_text("hush\n")
    (folder / "customers").mkdir(exist_ok=True)
    (folder / "collector.toml").write_text(text, encoding="utf-8")
    return load(folder / "collector.toml", {})


def test_the_example_works_as_it_stands(tmp_path: Path) -> None:
    """With its secrets beside it, it is right and whole."""
    settings = loaded(tmp_path, TEXT)
    assert settings.missing_secrets() == []
    assert (list(settings.tenants), list(settings.influxdb)) == (["contoso"], ["main"])
    assert client_secret(settings).read() == "hush"


def test_the_tables_that_are_commented_out_work_too(tmp_path: Path) -> None:
    """An InfluxDB 1.x beside the first one, and what tenants share."""
    settings = loaded(tmp_path, with_tables())
    assert settings.missing_secrets() == []
    assert [sink.api for sink in settings.influxdb.values()] == ["v2", "v1"]


@pytest.mark.parametrize("line", [line for line in keys(with_tables()) if line.depth], ids=lambda line: line.text)
def test_each_key_that_is_commented_out_can_be_taken_in(tmp_path: Path, line: Line) -> None:
    """Taking the `# ` away is all that it needs."""
    assert loaded(tmp_path, taken_in(with_tables(), line))


def test_every_key_stands_in_the_example() -> None:
    """There is no setting that only the code knows of."""
    shown: set[tuple[str, ...]] = set()
    for line in keys(TEXT):
        table = line.table.split(".")[0]
        shown.add((table, line.key))
        if isinstance(line.value, dict):
            shown |= {(table, line.key, inner) for inner in line.value}
    # What a credential of all tenants may be is shown with a tenant's.
    shared = {("tenant_defaults", *place[1:]) for place in shown if place[:1] == ("tenants",)}
    places = {place if len(place) > 1 else ("", *place) for place in leaves(tree(Settings))}
    assert shown | {place for place in shared if place[1] == "credential"} == places


def test_every_kind_of_credential_stands_in_the_example(tmp_path: Path) -> None:
    """Taken in, each line about one is settings of that kind."""
    lines = [line for line in keys(TEXT) if (line.table, line.key) == ("tenants.contoso", "credential")]
    kinds = {loaded(tmp_path, taken_in(TEXT, line)).tenants["contoso"].credential.kind for line in lines}
    tenant = tree(Settings).keys["tenants"]
    assert isinstance(tenant, Named)
    credential = tenant.each.keys["credential"]
    assert isinstance(credential, Kinds)
    assert kinds == set(credential.kinds)


def leaves(node: Node, above: tuple[str, ...] = ()) -> set[tuple[str, ...]]:
    """Return every key, without the names that people choose."""
    if isinstance(node, Leaf):
        return {above}
    inner = node.each if isinstance(node, Named) else node
    found = {above} if isinstance(node, Kinds) else set()
    return found.union(*(leaves(below, (*above, key)) for key, below in inner.keys.items()))


def test_values_that_are_shown_as_defaults_are_the_defaults() -> None:
    """What is commented out and not called an example, and all outside of tenants and sinks, is what holds without."""
    fields = {name: field.get_default(call_default_factory=True) for name, field in Settings.model_fields.items()}
    ours = [line for line in keys(TEXT) if not isinstance(fields.get(line.table.split(".")[0]), dict)]
    lines = [line for line in ours if "# example" not in line.rest and line.table != "tenant_defaults"]
    assert len(lines) == 13
    for line in lines:
        default = getattr(fields[line.table], line.key)
        assert line.value == (
            list(default) if isinstance(default, tuple) else str(default) if line.key == "path" else default
        )


def test_defaults_of_tenants_and_sinks_are_shown_as_they_are(tmp_path: Path) -> None:
    """Taking such a line in changes nothing."""
    lines = [
        line
        for line in keys(TEXT)
        if line.depth and line.table not in ("influxdb.old", "tenant_defaults") and "# example" not in line.rest
    ]
    assert {line.key for line in lines} == {"cloud", "measurements", "timeout_seconds", "allowed_hosts"}
    for line in lines:
        assert loaded(tmp_path, taken_in(TEXT, line)) == loaded(tmp_path, TEXT)
