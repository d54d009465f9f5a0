"""collector.settings: every mistake at once, one line each, and never a text that stood in the settings."""

import traceback
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tables import CONTOSO, GUID, V2, outcome, planted, problems, toml

from collector.errors import ConfigError
from collector.settings import Settings, load
from collector.settings.keys import Leaf, Named, Node, tree

MARKER = "hunter2"


EVERYTHING = f"""\
pol = {{}}
[poll]
interval_seconds = 0
subjects = ["organization",
            "devices"]
interval = 5
[influxdb.main]
url = "h"
org = "o"
tenants = ["fabrikam"]
[influxdb.old]
api = "v1"
url = "http://h"
database = "d"
bucket = "b"
password = "p"
timeout_seconds = 301
[tenants.contoso]
clientid = "{GUID}"
tenant_id = "contoso"
cloud = "gcc"
region = "eu"
[tenants."a b"]
tenant_id = "{GUID}"
client_id = 7
credential = {{ kind = "certificates" }}
[log]
level = "warn"
"""


def test_every_mistake_is_told_at_once(tmp_path: Path) -> None:
    """A bad tenant hides no other one, a bad field no rule between fields; the order is that of the file."""
    (tmp_path / "c.toml").write_text(EVERYTHING)
    with pytest.raises(ConfigError) as caught:
        load(tmp_path / "c.toml", {"COLLECTOR__POLL__X": "1", "COLLECTOR__WEB__LISTEN": "x"})
    assert (
        str(caught.value)
        == """\
COLLECTOR__POLL__X: unknown variable; did you mean COLLECTOR__POLL__SUBJECTS?
COLLECTOR__WEB__LISTEN: must be HOST:PORT, like "127.0.0.1:9470" or "[::1]:9470", or "" for none
pol (line 1): unknown key; did you mean poll?
poll.interval_seconds (line 3): must be 1 to 21600 (is 0)
poll.subjects[1] (line 5): must be "organization", "device_groups" or "device_secure_score"; did you mean \
"device_groups"?
poll.interval (line 6): unknown key; did you mean interval_seconds?
influxdb.main.bucket (line 7): is missing; api "v2" writes to a bucket
influxdb.main.url (line 8): must be a URL like http://HOST
influxdb.main.tenants[0] (line 10): no tenant has this name; a tenant is a table [tenants.NAME]
influxdb.old.username (line 11): is missing; a password goes with it
influxdb.old.bucket (line 15): belongs to api "v2"; "v1" has database, retention_policy, username and password
influxdb.old.timeout_seconds (line 17): must be over 0 and at most 300 (is 301.0)
tenants.contoso.client_id (line 18): is missing; it is the application's id, a GUID
tenants.contoso.credential (line 18): is missing; it is how the application signs in, like { kind = "client_secret", \
client_secret_file = "PATH" }
tenants.contoso.clientid (line 19): unknown key; did you mean client_id?
tenants.contoso.tenant_id (line 20): must be the tenant's GUID or one of its domain names, like contoso.onmicrosoft.com
tenants.contoso.region (line 22): only the cloud "global" has regions; leave the key out
tenants."a b".client_id (line 25): must be text, in quotes
tenants."a b".credential.kind (line 26): must be "client_secret", "certificate", "workload_identity", \
"managed_identity" or "device_code"; did you mean "certificate"?
log.level (line 28): must be "debug", "info", "warning" or "error"; did you mean "warning"?"""
    )


def test_every_required_key_says_what_it_is(tmp_path: Path) -> None:
    """A line about a missing key tells what to put there."""
    kinds = ("client_secret", "certificate", "workload_identity", "managed_identity", "device_code")
    tenants: dict[str, Any] = {"a": {}, "b": {"credential": {}}} | {
        kind: {"credential": {"kind": kind}} for kind in kinds
    }
    said = problems(tmp_path, {"tenants": tenants, "influxdb": {"c": {}}})
    # Three of each tenant, but a managed identity needs no ids and no key of its own.
    assert len(said) == 3 * 6 + 2
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


@settings(deadline=None)
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


@settings(deadline=None)
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
