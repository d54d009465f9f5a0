"""collector.defender.sign_in.cache: the file that a person's sign-in is kept in, shared by processes, never lost."""

import fcntl
import json
import os
import stat
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import structlog
from signing import CONTOSO, Sources, cache_of, failure, polled, signed_in

from collector.defender import Login
from collector.errors import Unauthorized, Unavailable
from collector.simulator import Simulator

OTHER = "99999999-9999-9999-9999-999999999999"


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "*")


def test_the_cache_is_for_its_owner_alone_and_holds_no_access_token(
    simulated: Simulator, login: Callable[..., Login], source: Sources
) -> None:
    """It is 0600 after `login` and after each renewal, and what it holds besides the refresh token opens nothing."""
    signed_in(simulated, login)
    source(simulated).sign_in(10)
    cache = cache_of(simulated)
    assert stat.S_IMODE(cache.stat().st_mode) == 0o600
    assert "AccessToken" not in {name for name, table in json.loads(cache.read_text()).items() if table}
    assert sorted(file.name for file in cache.parent.glob(f"*{cache.name}*")) == [cache.name, f"{cache.name}.lock"]


def test_processes_at_once_lose_no_renewal(simulated: Simulator, login: Callable[..., Login], source: Sources) -> None:
    """Eight renewals of one cache at once take turns: no refresh token is used twice, and the last one is kept."""
    signed_in(simulated, login)
    defenders = [source(simulated) for _ in range(8)]
    threads = [threading.Thread(target=defender.sign_in, args=(30,)) for defender in defenders]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert simulated.devices.seen() == {"waiting": [], "refreshed": 8, "reused": 0}
    assert all(polled(defender) for defender in defenders)


def test_a_cache_that_another_holds_is_waited_for_no_longer_than_there_is_time(
    simulated: Simulator, login: Callable[..., Login], source: Sources
) -> None:
    """Who holds the cache too long makes the others Unavailable at their deadline; it is theirs once it is let go."""
    signed_in(simulated, login)
    cache = cache_of(simulated)
    file = os.open(f"{cache}.lock", os.O_RDWR)
    fcntl.flock(file, fcntl.LOCK_EX)
    began = time.monotonic()
    error = failure(source(simulated), 0.3)
    assert type(error) is Unavailable
    assert "another process" in str(error)
    assert time.monotonic() - began < 10
    assert not [thread for thread in threading.enumerate() if "lock" in thread.name]
    os.close(file)
    source(simulated).sign_in(10)


def test_a_lock_that_cannot_be_opened_is_told_before_anything_is_lost(
    simulated: Simulator, login: Callable[..., Login], source: Sources
) -> None:
    """Where others could write the cache and this process can't take turns with them, it asks nobody, and says why."""
    signed_in(simulated, login)
    cache = cache_of(simulated)
    lock = cache.with_name(f"{cache.name}.lock")
    lock.unlink()
    lock.symlink_to(cache.with_name("elsewhere"))
    error = failure(source(simulated))
    assert isinstance(error, Unauthorized)
    assert f"{lock} can't be opened" in str(error)
    assert "remove it" in error.mend
    assert simulated.devices.seen()["refreshed"] == 0
    lock.unlink()
    source(simulated).sign_in(10)


def test_a_folder_that_vanishes_takes_the_sign_in_with_it(
    simulated: Simulator, login: Callable[..., Login], source: Sources
) -> None:
    """Then nobody has signed in; once the folder is back, so is the service."""
    signed_in(simulated, login)
    folder = cache_of(simulated).parent
    defender = source(simulated)
    away = folder.rename(folder.with_name(f"{folder.name}-away"))
    error = failure(defender)
    assert isinstance(error, Unauthorized)
    assert "nobody has signed in" in str(error)
    away.rename(folder)
    defender.sign_in(10)


@pytest.mark.parametrize("make", [Path.mkdir, os.mkfifo])
def test_login_moves_no_folder_and_no_device_out_of_its_way(
    simulated: Simulator, login: Callable[..., Login], make: Callable[[Path], None]
) -> None:
    """A cache_file that names something else than a plain file is told before anybody is asked, and stays there."""
    cache = cache_of(simulated)
    make(cache)
    with pytest.raises(Unauthorized, match="is not a plain file"):
        login().begin(10)
    assert simulated.requests.requests() == []
    assert not cache.is_file()
    assert not list(cache.parent.glob("*unusable*"))


def good(cache: Path) -> dict[str, Any]:
    """Return what a cache holds."""
    found: dict[str, Any] = json.loads(cache.read_text(encoding="utf-8"))
    return found


def changed(cache: Path, table: str, **fields: object) -> bytes:
    """Return the cache with other fields in the entries of a table; None leaves them out."""
    found = good(cache)
    for entry in found[table].values():
        for key, value in fields.items():
            entry[key] = value
            if value is None:
                del entry[key]
    return json.dumps(found).encode()


@pytest.mark.parametrize(
    "damage",
    [
        lambda _: b"",
        lambda cache: cache.read_bytes()[:200],
        lambda _: b"\xff\x00",
        lambda _: b"[" * 60_000,
        lambda _: b"{}",
        lambda _: b"[]",
        lambda _: b'{"RefreshToken": {"a": 7}, "Account": {"b": {}}}',
        lambda cache: json.dumps({**good(cache), "RefreshToken": {}}).encode(),
        lambda cache: json.dumps({**good(cache), "Account": []}).encode(),
        lambda cache: changed(cache, "RefreshToken", secret=7),
        lambda cache: changed(cache, "RefreshToken", secret=None),
        lambda cache: changed(cache, "RefreshToken", last_modification_time="soon"),
        lambda cache: changed(cache, "RefreshToken", client_id=OTHER),
        lambda cache: changed(cache, "RefreshToken", environment="login.elsewhere.example"),
        lambda cache: changed(cache, "Account", authority_type=None),
        lambda cache: changed(cache, "Account", realm=OTHER),
        lambda cache: changed(cache, "Account", environment="login.elsewhere.example"),
        lambda _: b"the~secret of somebody else",
    ],
)
def test_a_damaged_or_foreign_cache_is_told_and_never_deleted(
    simulated: Simulator, login: Callable[..., Login], source: Sources, damage: Callable[[Path], bytes]
) -> None:
    """What can't be used is Unauthorized with the mend, stays as it was, and `login` puts it by and takes its place."""
    signed_in(simulated, login)
    cache = cache_of(simulated)
    held = damage(cache)
    cache.write_bytes(held)
    error = failure(source(simulated))
    assert isinstance(error, Unauthorized)
    assert str(cache) in str(error)
    assert "`exposure-collector login --tenant contoso`" in error.mend
    assert cache.read_bytes() == held
    person = signed_in(simulated, login)
    if person.before:
        assert person.before.read_bytes() == held
    source(simulated).sign_in(10)


def test_a_cache_that_cannot_be_written_costs_no_token(
    simulated: Simulator, login: Callable[..., Login], source: Sources, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The token is used, and an error says that the sign-in will end one day, with the file and the mend."""
    signed_in(simulated, login)
    cache = cache_of(simulated)
    before = cache.read_bytes()

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    defender = source(simulated)
    with structlog.testing.capture_logs() as logs:
        defender.sign_in(10)
    assert polled(defender)
    (line,) = [line for line in logs if line["event"] == "sign_in.not_kept"]
    assert (line["log_level"], line["tenant"], line["file"]) == ("error", CONTOSO, str(cache))
    assert line["error"] == "No space left on device"
    assert line["mend"]
    assert cache.read_bytes() == before
    assert not [file for file in cache.parent.iterdir() if file.name.startswith(f".{cache.name}")]
