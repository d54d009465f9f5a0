"""collector.settings: every mistake at once, one line each, and never a text that stood in the settings."""

import traceback
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tables import CONTOSO, GUID, V1, V2, outcome, planted, problems, toml

from collector.errors import ConfigError
from collector.settings import Settings
from collector.settings.keys import Leaf, Named, Node, tree

MARKER = "hunter2"


def test_every_mistake_is_told_at_once(tmp_path: Path) -> None:
    """A bad tenant hides no other one, a bad field no rule between fields, and a bad file no bad variable."""
    said = problems(
        tmp_path,
        {
            "pol": {},
            "poll": {"interval_seconds": 0, "subjects": ["organization", "devices"], "interval": 5},
            "tenants": {
                "contoso": {"clientid": GUID, "tenant_id": "contoso", "cloud": "gcc", "region": "eu"},
                "a b": CONTOSO | {"client_id": 7, "credential": {"kind": "certificate"}},
            },
            "influxdb": {
                "main": {"url": "h", "org": "o", "tenants": ["fabrikam"]},
                "old": V1 | {"bucket": "b", "password": "p", "timeout_seconds": 301},
            },
            "log": {"level": "warn"},
        },
        {"COLLECTOR__POLL__X": "1"},
    )
    assert (
        "\n".join(said)
        == """\
COLLECTOR__POLL__X: unknown variable; did you mean COLLECTOR__POLL__SUBJECTS?
poll.interval_seconds: must be 1 to 21600 (is 0)
poll.subjects[1]: must be "organization", "device_groups" or "device_secure_score"
poll.interval: unknown key; did you mean interval_seconds?
tenants.contoso.tenant_id: must be the tenant's GUID or one of its domain names, like contoso.onmicrosoft.com
tenants.contoso.client_id: is missing; it is the application's id, a GUID
tenants.contoso.region: only the cloud "global" has regions; leave the key out
tenants.contoso.credential: is missing; it is how the application signs in, like { kind = "client_secret", \
client_secret_file = "PATH" }
tenants.contoso.clientid: unknown key; did you mean client_id?
tenants."a b".client_id: must be text, in quotes
tenants."a b".credential.kind: this kind of credential is not supported yet; supported: client_secret
influxdb.main.url: must be a URL like http://HOST
influxdb.main.bucket: is missing; api "v2" writes to a bucket
influxdb.old.bucket: belongs to api "v2"; "v1" has database, retention_policy, username and password
influxdb.old.username: is missing; a password goes with it
influxdb.old.timeout_seconds: must be over 0 and at most 300 (is 301.0)
log.level: must be "debug", "info", "warning" or "error"
pol: unknown key; did you mean poll?
influxdb.main.tenants[0]: no tenant has this name; a tenant is a table [tenants.NAME]"""
    )


def test_every_required_key_says_what_it_is(tmp_path: Path) -> None:
    """A line about a missing key tells what to put there."""
    tenants = {"a": {}, "b": {"credential": {"kind": "client_secret"}}}
    said = problems(tmp_path, {"tenants": tenants, "influxdb": {"c": {}}})
    assert len(said) == 8
    assert all("is missing; " in line for line in said)


def places(node: Node, above: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    """Return every place where a value or a table can stand, with one name for each tenant and sink."""
    if isinstance(node, Leaf):
        return [above]
    keys = {"contoso": node.each} if isinstance(node, Named) else node.keys
    return [above, *(place for key, below in keys.items() for place in places(below, (*above, key)))]


PLACES = st.sampled_from([place for place in places(tree(Settings)) if place])
STRANGE = st.sampled_from(
    [
        MARKER,
        f"https://{MARKER}:{MARKER}@h/{MARKER}",
        f"http://h/?{MARKER}",
        f"http://{MARKER}:{MARKER}",
        f"ftp://{MARKER}",
        f"{MARKER} {MARKER}\\",
        f"{MARKER}\n",
        f"\0{MARKER}",
        f"{MARKER}\x1b[31m",
        [MARKER],
        [MARKER, MARKER],
        [[MARKER]],
        {"kind": MARKER},
        {"kind": "client_secret", "client_secret": [MARKER]},
        {"contoso": MARKER},
    ]
)


@given(st.dictionaries(PLACES, STRANGE, min_size=1, max_size=4), st.sampled_from(["file", "variables"]))
def test_no_text_of_a_value_is_ever_repeated(
    tmp_path_factory: pytest.TempPathFactory, values: dict[tuple[str, ...], Any], where: str
) -> None:
    """Someone pastes a secret into the wrong key: no line, no trace and no cause of the error shows it."""
    tables: dict[str, Any] = {"tenants": {"contoso": CONTOSO}, "influxdb": {"contoso": V2}}
    environ = {}
    for place, value in values.items():
        if where == "file":
            tables = planted(tables, place, value)
        else:
            environ[f"COLLECTOR__{'__'.join(place).upper()}"] = value if isinstance(value, str) else toml(value)
    made = outcome(tmp_path_factory.getbasetemp(), tables, environ)
    if isinstance(made, ConfigError):
        said = "\n".join([*made.problems, made.mend, repr(made), *traceback.format_exception(made)])
        assert MARKER not in said
        assert "Input should" not in said
        assert made.__context__ is None


ANYTHING = st.recursive(
    st.booleans() | st.integers() | st.floats() | st.text(st.characters(exclude_categories=["Cs"]), max_size=5),
    lambda inner: (
        st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(["kind", "url", "x"]), inner, max_size=2)
    ),
    max_leaves=4,
)


@given(st.dictionaries(PLACES, ANYTHING, min_size=1, max_size=5))
def test_any_value_anywhere_is_settings_or_problems(
    tmp_path_factory: pytest.TempPathFactory, values: dict[tuple[str, ...], Any]
) -> None:
    """There is no file of settings that ends in anything else; each problem is a line, in words that were written."""
    tables: dict[str, Any] = {"tenants": {"contoso": CONTOSO}}
    for place, value in values.items():
        tables = planted(tables, place, value)
    made = outcome(tmp_path_factory.getbasetemp(), tables)
    if isinstance(made, ConfigError):
        assert made.problems
        for line in made.problems:
            assert ": " in line
            assert line.isprintable()
            assert "is not right here" not in line
