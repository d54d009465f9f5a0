"""collector.settings.Secret: read when it is used, shown by nothing."""

import copy
import os
import traceback
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tables import GUID

from collector.errors import ConfigError, Unauthorized
from collector.settings import ClientSecret, Influx, Secret, Settings, load

HIDDEN = "hunter2"


def settings_with(tmp_path: Path, secret: str, sink: str = "") -> Settings:
    """Return what is loaded with these keys in the tables of credential and sink."""
    (tmp_path / "c.toml").write_text(
        f"""
        [tenants.contoso]
        tenant_id = "{GUID}"
        client_id = "{GUID}"
        credential = {{ kind = "client_secret", {secret} }}
        [influxdb.main]
        url = "http://h"
        bucket = "b"
        {sink}
        """
    )
    return load(tmp_path / "c.toml", {})


def test_a_renewed_secret_counts_at_the_next_read(tmp_path: Path) -> None:
    """A file is read anew each time, and the white space around the secret is not part of it."""
    file = tmp_path / "secret"
    secret = Secret("key", file=file)
    file.write_bytes(b"\xef\xbb\xbf  old secret\r\n\n")
    assert secret.read() == "old secret"
    file.write_text("\tnew\n")
    assert secret.read() == "new"
    assert Secret("key", inline=" by value\n").read() == "by value"


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (None, r"can't be read \(No such file or directory\)"),
        (b"", "is empty"),
        (b" \n\t", "is empty"),
        (b"hunter2\nhunter2", "holds a line break or a NUL character inside"),
        (b"hunter2\rhunter2", "holds a line break or a NUL character inside"),
        ("hunter2".encode("utf-16-be"), "holds a line break or a NUL character inside"),
        (b"hunter2\xff", "is not UTF-8 text"),
        (b"hunter2" * 10_000, "is over 64 KiB"),
    ],
)
def test_a_file_without_a_secret_names_key_and_path(tmp_path: Path, content: bytes | None, fault: str) -> None:
    """Whoever reads the message knows which file to put right; what stands in it is in no part of the error."""
    file = tmp_path / "secret"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(Unauthorized, match=f"^influxdb.main.token_file: {file} {fault}") as caught:
        Secret("influxdb.main.token_file", file=file).read()
    assert "that file" in caught.value.mend
    assert not isinstance(caught.value.__context__, UnicodeDecodeError)
    assert HIDDEN not in "".join(traceback.format_exception(caught.value))


def test_what_is_no_plain_file_is_not_waited_for(tmp_path: Path) -> None:
    """A named pipe that nobody writes to would keep its reader for ever."""
    os.mkfifo(tmp_path / "pipe")
    for file in (tmp_path / "pipe", tmp_path, Path("/dev/null")):
        with pytest.raises(Unauthorized, match="is not a plain file"):
            Secret("key", file=file).read()


def test_a_secret_has_a_value_or_a_file() -> None:
    """Neither, both, and a value that no secret can have are refused where it is built, without repeating it."""
    for values in ({}, {"inline": HIDDEN, "file": Path("x")}, {"inline": " "}, {"inline": f"{HIDDEN}\n{HIDDEN}"}):
        with pytest.raises(ValueError, match=r"^key: ") as caught:
            Secret("key", **values)
        assert HIDDEN not in str(caught.value)


@given(st.text(min_size=1).map(lambda text: f"{HIDDEN}{text}{HIDDEN}"))
def test_no_way_to_show_settings_shows_a_secret(text: str) -> None:
    """repr, str, formats, tracebacks and dumps of a secret, and of settings with it, know the key alone."""
    try:
        secret = Secret("key", inline=text)
    except ValueError as error:
        assert HIDDEN not in str(error)  # noqa: PT017 - both outcomes are claims
        return
    credential = ClientSecret(kind="client_secret", client_secret=secret)
    sink = Influx(url="http://h", bucket="b", token=secret)
    for shown in (repr(secret), str(secret), f"{secret:}", repr(credential), str(sink), repr([sink])):
        assert HIDDEN not in shown
    for shown in (str(credential.model_dump()), credential.model_dump_json(), sink.model_dump_json()):
        assert HIDDEN not in shown
        assert "Secret(key)" in shown
    assert copy.deepcopy(secret) == secret
    assert secret != Secret("key", inline="other")


def test_a_secret_is_given_by_value_or_as_a_file(tmp_path: Path) -> None:
    """Both forms have the key by which a message can name them; both at once are refused."""
    settings = settings_with(tmp_path, 'client_secret = "a"', 'token = "b"')
    assert [secret.read() for secret in settings.secrets()] == ["a", "b"]
    settings = settings_with(tmp_path, 'client_secret_file = "a"', 'token_file = "/b"')
    assert list(settings.secrets()) == [
        Secret("tenants.contoso.credential.client_secret_file", file=tmp_path / "a"),
        Secret("influxdb.main.token_file", file=Path("/b")),
    ]
    with pytest.raises(ConfigError) as caught:
        settings_with(tmp_path, 'client_secret = "a", client_secret_file = "b"', 'token = "c"\ntoken_file = "d"')
    assert caught.value.problems == (
        "tenants.contoso.credential.client_secret (line 5): given both by value and as a file; keep one of the two",
        "influxdb.main.token (line 9): given both by value and as a file; keep one of the two",
    )


def test_settings_load_before_their_secrets_are_there(tmp_path: Path) -> None:
    """`status` needs none of them; the commands that do ask which are missing, and get a line for each."""
    settings = settings_with(tmp_path, 'client_secret_file = "a"', 'token_file = "b"')
    (tmp_path / "b").write_text("hush\n")
    [problem] = settings.missing_secrets()
    assert problem == (
        f"tenants.contoso.credential.client_secret_file: {tmp_path / 'a'} can't be read (No such file or directory); "
        "put the secret alone, on one line, into that file, and let the collector's user read it"
    )
    (tmp_path / "a").write_text("hush\n")
    assert settings.missing_secrets() == []


def test_secrets_in_the_models_can_be_plain_texts() -> None:
    """Settings that are built by hand take a text or a path as a file of settings would."""
    credential = ClientSecret.model_validate({"kind": "client_secret", "client_secret": "hush"})
    assert credential.client_secret == Secret("client_secret", inline="hush")
    sink = Influx.model_validate({"url": "http://h", "bucket": "b", "token_file": Path("/token")})
    assert sink.token == Secret("token_file", file=Path("/token"))


@pytest.mark.parametrize(
    ("secret", "sink"),
    [
        ("client_secret = 87654321", ""),
        ("client_secret = 87654.321", ""),
        ("client_secret_file = 87654321", ""),
        ('client_secret = "x"', "token = 87654321"),
        ('client_secret = "x"', "token_file = 87654321"),
        ('client_secret = "x"', "password = 87654321"),
        ('client_secret = "x"', "org = 87654321"),
        ('client_secret = "x", kind = 87654321', ""),
    ],
)
def test_a_secret_of_digits_that_lacks_its_quotes_is_not_said_back(tmp_path: Path, secret: str, sink: str) -> None:
    """Where text is wanted a number is not repeated: it may be a secret without its quotes."""
    with pytest.raises(ConfigError) as caught:
        settings_with(tmp_path, secret, sink)
    assert "8765" not in str(caught.value)


@pytest.mark.parametrize(
    ("mode", "exposed"), [(0o600, False), (0o400, False), (0o640, True), (0o604, True), (0o644, True), (0o620, True)]
)
def test_a_file_that_others_may_read_is_known(tmp_path: Path, mode: int, exposed: bool) -> None:  # noqa: FBT001 - a row
    """A secret says whether its file is for its owner alone, as it is now; a link counts as what it leads to."""
    file, link = tmp_path / "secret", tmp_path / "link"
    file.write_text("secret")
    link.symlink_to(file)
    file.chmod(mode)
    assert Secret("key", file=file).exposed() is exposed
    assert Secret("key", file=link).exposed() is exposed


def test_a_secret_without_a_file_is_not_exposed_by_one(tmp_path: Path) -> None:
    """A value has no file, and one that isn't there can't be read by anybody."""
    assert not Secret("key", inline="secret").exposed()
    assert not Secret("key", file=tmp_path / "none").exposed()
