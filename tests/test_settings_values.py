"""collector.settings: what each key takes, and the line about what it doesn't take."""

from pathlib import Path
from typing import Any

import pytest
from tables import CONTOSO, CREDENTIAL, V1, V2, loaded, problems

TABLE = "must be a table, like { KEY = VALUE }"
LIST = 'must be a list, like ["a", "b"]'
NONE_LEFT = "must name at least one; leave the key out for the default"
PATH = "must be a path, one line of valid text without control characters"
SECONDS = "must be over 0 and at most 300"
HOST = "must be a host name or an address, without scheme and port"
LISTEN = 'must be HOST:PORT, like "127.0.0.1:9470" or "[::1]:9470", or "" for none'
NO_TENANT = (
    "none is named; add a table [tenants.NAME], a file NAME.toml in tenants_dir or, without a file of settings, "
    "set AZURE_TENANT_ID, AZURE_CLIENT_ID and AZURE_CLIENT_SECRET"
)
TAKEN = "the name is taken by the collector's own consumer of the journal; choose another one"
CARRIED = "the name must be one that every InfluxDB carries: not empty, no control character, no final \\"
INTO = "belongs into credential = { kind = "
UNNAMED = "can't stand here: each table below influxdb has a name of yours"
NAMELESS = "can't stand here: each table below tenants has a name of yours; write [tenants.NAME] instead of [tenants]"

WRONG: list[tuple[dict[str, Any], str]] = [
    ({"poll": {"interval_seconds": 21601}}, "poll.interval_seconds: must be 1 to 21600 (is 21601)"),
    ({"poll": {"interval_seconds": True}}, "poll.interval_seconds: must be a whole number (is true)"),
    ({"poll": {"interval_seconds": 60.0}}, "poll.interval_seconds: must be a whole number (is 60.0)"),
    ({"poll": {"interval_seconds": "60"}}, "poll.interval_seconds: must be a whole number"),
    ({"poll": {"interval_seconds": 10**20}}, "poll.interval_seconds: must be 1 to 21600"),
    ({"poll": {"timeout_seconds": 0}}, f"poll.timeout_seconds: {SECONDS} (is 0.0)"),
    ({"poll": {"timeout_seconds": float("nan")}}, f"poll.timeout_seconds: {SECONDS}"),
    ({"poll": {"timeout_seconds": float("inf")}}, f"poll.timeout_seconds: {SECONDS}"),
    ({"poll": {"concurrency": 257}}, "poll.concurrency: must be 1 to 256 (is 257)"),
    ({"poll": {"subjects": []}}, f"poll.subjects: {NONE_LEFT}"),
    ({"poll": {"subjects": ["organization"] * 2}}, "poll.subjects: must name each one once"),
    ({"poll": {"subjects": "organization"}}, f"poll.subjects: {LIST}"),
    ({"poll": 60}, f"poll: {TABLE}"),
    ({"journal": {"path": ""}}, "journal.path: must not be empty"),
    ({"journal": {"path": 5}}, "journal.path: must be a path, in quotes"),
    *(({"journal": {"path": path}}, f"journal.path: {PATH}") for path in ("a\0b", "a\nb")),
    ({"journal": {"keep_days": -1}}, "journal.keep_days: must be 0 to 36500 (is -1)"),
    ({"journal": {"keep": 1}}, "journal.keep: unknown key; did you mean keep_days?"),
    ({"journal": {"zzz": 1}}, "journal.zzz: unknown key; known here: path, keep_days"),
    ({"journal": {"z\nz": 1}}, 'journal."z\\nz": unknown key; known here: path, keep_days'),
    ({"spikes": {"rise_points": 0}}, "spikes.rise_points: must be over 0 and at most 100 (is 0.0)"),
    ({"spikes": {"window_days": 2}}, "spikes.window_days: must be 3 to 365 (is 2)"),
    ({"log": {"format": 1}}, 'log.format: must be "auto", "console" or "json"'),
    ({"web": {"allowed_hosts": "h"}}, f"web.allowed_hosts: {LIST}"),
    *(
        ({"web": {"allowed_hosts": [host]}}, f"web.allowed_hosts[0]: {HOST}")
        for host in ("http://h", "h:80", "", "h/", "[::1]", "a..b", "*")
    ),
    *(
        ({"web": {"listen": listen}}, f"web.listen: {LISTEN}")
        for listen in (":9470", "9470", "127.0.0.1", "::1:80", "h:65536", "h:-1", "h:", "[h]:80", "http://h:80", " ")
    ),
    ({"tenants": {}}, f"tenants: {NO_TENANT}"),
    ({"tenants": 5}, "tenants: must be a table, like [tenants.NAME]"),
    ({"influxdb": V2}, f"influxdb: url, bucket {UNNAMED}; write [influxdb.NAME] instead of [influxdb]"),
    ({"tenants": CONTOSO | {"token_file": ""}}, f"tenants: tenant_id, client_id, token_file, credential {NAMELESS}"),
    ({"influxdb": {"": V2}}, 'influxdb."": the name must be one line of valid text, and not empty'),
    ({"influxdb": {"derive": V2}}, f"influxdb.derive: {TAKEN}"),
    *(
        ({"tenants": {name: CONTOSO}}, f"tenants.{shown}: {CARRIED}")
        for name, shown in (("", '""'), ("a\nb", r'"a\nb"'), ("\\", r'"\\"'), ("a" * 61441, f'"{"a" * 60}…"'))
    ),
]

GUIDS = "must be a GUID, like 00000000-0000-0000-0000-000000000000"
TENANT_ID = "must be the tenant's GUID or one of its domain names, like contoso.onmicrosoft.com"
KINDS = '"client_secret", "certificate", "workload_identity", "managed_identity" or "device_code"'
CERTIFICATE = {"kind": "certificate", "certificate_file": "c.pem"}
OF_SECRET = '"client_secret" has client_secret, client_secret_file, client_secret_expires'
NO_SECRET = "is missing; a file can hold it too: tenants.contoso.credential.client_secret_file"
STRANGER = "unknown key; known here: kind, client_secret, client_secret_file, client_secret_expires"
DAY = "must be a day, like 2027-01-31"
HTTPS = "must begin with https://; http:// is for loopback alone, since the token travels with each call"

WRONG_TENANT: list[tuple[dict[str, Any], str]] = [
    ({"client_id": ""}, "client_id: is missing; it is the application's id, a GUID"),
    ({"tenant_id": ""}, "tenant_id: is missing; it is the directory's GUID or one of its domain names"),
    *(({"client_id": text}, f"client_id: {GUIDS}") for text in ("contoso.example", "{1}", "1" * 36)),
    *(
        ({"tenant_id": text}, f"tenant_id: {TENANT_ID}")
        for text in ("common", "a b.example", "http://contoso.example", "contoso.example\n")
    ),
    ({"client_secret": "x"}, f'client_secret: {INTO}"client_secret", client_secret = … }}'),
    ({"certificate_file": "x"}, f'certificate_file: {INTO}"certificate", certificate_file = … }}'),
    ({"token_file": "x"}, f'token_file: {INTO}"workload_identity", token_file = … }}'),
    ({"cache_file": "x"}, f'cache_file: {INTO}"device_code", cache_file = … }}'),
    ({"password": "x"}, f'password: {INTO}"certificate", password = … }}'),
    (
        {"Client-Secret": "x"},
        f'Client-Secret: unknown key; did you mean client_secret? That {INTO}"client_secret", client_secret = … }}',
    ),
    ({"cloud": "azure"}, 'cloud: must be "global", "gcc", "gcc-high" or "dod"'),
    (
        {"cloud": "gcchigh"},
        'cloud: must be "global", "gcc", "gcc-high" or "dod"; did you mean "gcc-high"?',
    ),
    ({"region": "mars"}, 'region: must be "us", "eu", "uk", "au", "swa", "ina" or "aea"'),
    ({"credential": "secret"}, f"credential: {TABLE}"),
    ({"credential": {}}, f"credential.kind: is missing; it is {KINDS}"),
    ({"credential": {"kind": 5}}, f"credential.kind: must be {KINDS}"),
    *(
        ({"credential": part}, f'credential.kind: must be {KINDS}; did you mean "certificate"?')
        for part in ({"kind": "certificat"}, CERTIFICATE | {"kind": "pem"}, {"kind": "pem", "password_file": "p"})
    ),
    (
        {"credential": {"cache_file": "c"}},
        f'credential.kind: is missing; it is {KINDS}; did you mean "device_code"?',
    ),
    (
        {"credential": CREDENTIAL | {"password": "x"}},
        f'credential.password: belongs to kind "certificate"; {OF_SECRET}',
    ),
    (
        {"credential": {"kind": "managed_identity", "token_file": "x"}},
        'credential.token_file: belongs to kind "workload_identity"; "managed_identity" has no key of its own',
    ),
    (
        {"credential": CREDENTIAL | {"certificate_fil": "x"}},
        'credential.certificate_fil: unknown key; did you mean certificate_file? That belongs to kind "certificate"',
    ),
    ({"credential": CERTIFICATE | {"passwd": "x"}}, "credential.passwd: unknown key; did you mean password?"),
    (
        {"credential": {"kind": "certificate"}},
        "credential.certificate_file: is missing; it is the file of the certificate and its key, PEM or PFX",
    ),
    (
        {"credential": {"kind": "workload_identity"}},
        "credential.token_file: is missing; it is the file in which the platform keeps the token",
    ),
    (
        {"credential": {"kind": "device_code"}},
        "credential.cache_file: is missing; it is the file that `exposure-collector login` keeps the sign-in in",
    ),
    ({"credential": CERTIFICATE | {"certificate_file": ""}}, "credential.certificate_file: must not be empty"),
    *(
        ({"credential": {**CREDENTIAL, "client_secret_expires": day}}, f"credential.client_secret_expires: {DAY}")
        for day in ("", "tomorrow", "2027-02-30", "20270131", 20270131, "31.01.2027", "2027-01-31T00:00:00Z")
    ),
    ({"credential": {"kind": "client_secret"}}, f"credential.client_secret: {NO_SECRET}"),
    ({"credential": CREDENTIAL | {"zzz": "x"}}, f"credential.zzz: {STRANGER}"),
    ({"credential": {"kind": "client_secret", "client_secret": " "}}, "credential.client_secret: is empty"),
    (
        {"credential": {"kind": "client_secret", "client_secret": 5}},
        "credential.client_secret: must be text, in quotes",
    ),
    (
        {"credential": {"kind": "client_secret", "client_secret_file": 5}},
        "credential.client_secret_file: must be the path of a file, in quotes",
    ),
    ({"login_url": "http://127.0.0.1"}, "login_url: must begin with https://"),
    ({"api_url": "http://192.0.2.1"}, f"api_url: {HTTPS}"),
    ({"api_url": "http://localhost.example"}, f"api_url: {HTTPS}"),
    ({"scope": "a b"}, "scope: must be one scope, without white space, like https://HOST/.default"),
    ({"scope": ""}, "scope: must not be empty"),
]

OF_V1 = 'belongs to api "v1"; "v2" has org, bucket and token'
OF_V2 = 'belongs to api "v2"; "v1" has database, retention_policy, username and password'
NO_USER = "must not hold a user or a password; give them under the keys that are for them"
NO_QUERY = "must not hold a query (?) or a fragment (#)"
URL = "must be a URL like http://HOST"

WRONG_SINK: list[tuple[dict[str, Any], str]] = [
    (V2 | {"api": "v3"}, 'api: must be "v2", for InfluxDB 2.x, 3.x, Cloud, and 1.8 and up, or "v1", for any 1.x'),
    (V2 | {"bucket": ""}, 'bucket: is missing; api "v2" writes to a bucket'),
    (V2 | {"bucket": "a\nb"}, "bucket: must be one line of valid text, without control characters"),
    *((V2 | {key: "x"}, f"{key}: {OF_V1}") for key in ("database", "retention_policy", "username", "password")),
    *((V1 | {key: "x"}, f"{key}: {OF_V2}") for key in ("org", "bucket", "token")),
    ({"api": "v1", "url": "http://h"}, 'database: is missing; api "v1" writes to a database'),
    (V1 | {"username": "u"}, "password: is missing; a username goes with a password or a password_file"),
    (V1 | {"password_file": "p"}, "username: is missing; a password goes with it"),
    (V2 | {"measurements": []}, f"measurements: {NONE_LEFT}"),
    (V2 | {"tenants": ["contoso", ""]}, "tenants[1]: must not be empty"),
    (V2 | {"tenants": ["contoso", 5]}, "tenants[1]: must be text, in quotes"),
    *((V2 | {"url": url}, f"url: {NO_USER}") for url in ("http://u:p@h", "http://u@h", "http://u:p/w@h", "//@h")),
    *((V2 | {"url": url}, f"url: {NO_QUERY}") for url in ("http://h?", "http://h/?token=x", "http://h#x")),
    *(
        (V2 | {"url": url}, f"url: {URL}, without white space and backslashes")
        for url in ("http://h h", "http://h\\p", " http://h", "http://h\n")
    ),
    *(
        (V2 | {"url": url}, f"url: {URL}")
        for url in ("", "h", "http://", "http:///p", "http://h:x", "http://h:99999", "http://[::1", "http://h:0")
    ),
    *((V2 | {"url": url}, "url: must begin with http:// or https://") for url in ("ftp://h", "unix://h/s")),
]


@pytest.mark.parametrize(
    ("tables", "problem"),
    [
        *WRONG,
        *(({"tenants": {"contoso": CONTOSO | part}}, f"tenants.contoso.{said}") for part, said in WRONG_TENANT),
        *(({"influxdb": {"main": sink}}, f"influxdb.main.{said}") for sink, said in WRONG_SINK),
    ],
)
def test_a_mistake_is_one_line_that_says_what_would_be_right(
    tmp_path: Path, tables: dict[str, Any], problem: str
) -> None:
    """Each mistake has one line, with its key before it."""
    assert problems(tmp_path, {"tenants": {"contoso": CONTOSO}} | tables) == (problem,)


@pytest.mark.parametrize(
    "tables",
    [
        {"poll": {"interval_seconds": 1, "timeout_seconds": 300, "concurrency": 1}},
        {"poll": {"interval_seconds": 21600, "timeout_seconds": 0.1, "concurrency": 256}},
        {"poll": {"interval_seconds": 7, "subjects": ["device_secure_score"]}},
        {"journal": {"keep_days": 36500, "path": "/a b/ü.db"}},
        {"web": {"listen": "[::]:65535", "allowed_hosts": []}},
        {"web": {"listen": "", "allowed_hosts": ["a.b", "10.0.0.1"]}},
        {"influxdb": {"a": V2, "A": V2, "ü — 1": V2 | {"org": ""}, "b": V1 | {"username": "u", "password_file": "p"}}},
        {"influxdb": {"a": V2 | {"url": "HTTPS://[::1]:8086/base//", "tenants": ["contoso"]}}},
        {"tenants": dict.fromkeys(("ü", "a b", "a=b,c", 'a"b', "(organization)", "~12345678"), CONTOSO)},
        *(
            {"tenants": {"contoso": CONTOSO | part}}
            for part in (
                {"tenant_id": "Contoso.OnMicrosoft.com"},
                {"region": "eu"},
                {"cloud": "dod", "api_url": "https://h:1/p/", "login_url": "https://l/", "scope": "https://h/.default"},
                {"api_url": "http://localhost:1"},
                {"api_url": "http://127.9.9.9"},
                {"api_url": "http://[::1]:1"},
                {"credential": CERTIFICATE | {"password": "p"}},
                {"credential": CREDENTIAL | {"client_secret_expires": "2020-02-29"}},
                {"credential": {"kind": "managed_identity"}, "tenant_id": "", "client_id": ""},
            )
        ),
    ],
)
def test_what_is_unusual_is_not_wrong(tmp_path: Path, tables: dict[str, Any]) -> None:
    """The ends of each range, names in any script, and the forms that an address can have are all taken."""
    assert problems(tmp_path, {"tenants": {"contoso": CONTOSO}} | tables) == ()


def test_a_url_loses_its_final_slash(tmp_path: Path) -> None:
    """A path can be put behind it as it is."""
    sinks = {"main": V2 | {"url": "HTTPS://Influx:8086/base//"}, "other": V2 | {"url": "http://h/"}}
    settings = loaded(tmp_path, {"tenants": {"contoso": CONTOSO}, "influxdb": sinks})
    assert [sink.url for sink in settings.influxdb.values()] == ["https://Influx:8086/base", "http://h"]
