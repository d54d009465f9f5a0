"""collector.http: the system's store of authorities, which may change while the service runs."""

import os
import ssl
from pathlib import Path
from typing import Any

import pytest
from origins import Authority, Origin, Reply

from collector.errors import Unauthorized
from collector.http import Http, trust

WELL = Reply(b"well")


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "*")


def test_the_systems_store_is_read_anew_when_it_changes_and_not_for_each_connection(
    authority: Authority, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An authority that joins the store is trusted without a restart, and one that has left it no longer.

    In between its certificates are read once, however many connections are opened.
    """
    read: list[object] = []
    load = ssl.SSLContext.load_verify_locations

    def counted(self: ssl.SSLContext, cafile: Any = None, capath: Any = None, cadata: Any = None) -> None:
        read.append(cafile)
        load(self, cafile, capath, cadata)

    monkeypatch.setattr(ssl.SSLContext, "load_verify_locations", counted)
    store, other = tmp_path / "store.pem", tmp_path / "other"
    monkeypatch.setenv("SSL_CERT_FILE", str(store))
    other.mkdir()
    stranger = Authority(other).pem
    http = Http()
    with Origin(lambda *_: WELL, authority.context()) as origin:
        for number, (kept, trusted) in enumerate(((stranger, False), (authority.pem, True), (stranger, False))):
            fresh = tmp_path / "fresh.pem"
            fresh.write_bytes(kept.read_bytes())
            os.utime(fresh, (number, number))
            fresh.replace(store)
            for _ in range(3):
                try:
                    assert http.send("GET", origin.url, seconds=5).body == b"well"
                    assert trusted
                except Unauthorized:
                    assert not trusted
                http.close()
    assert read.count(store) == 3
    assert origin.connections == 9


def test_a_store_that_is_gone_trusts_nobody(
    authority: Authority, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a store a server is untrusted, which a person has to mend; a ca_file beside it counts all the same."""
    monkeypatch.setattr(trust, "_store", lambda: (tmp_path / "absent.pem",))
    with Origin(lambda *_: WELL, authority.context()) as origin:
        with pytest.raises(Unauthorized, match="not trusted"):
            Http().send("GET", origin.url, seconds=5)
        http = Http(authority.pem)
        assert http.send("GET", origin.url, seconds=5).body == b"well"
        http.close()


def test_a_ca_file_that_goes_later_is_trusted_on(
    authority: Authority, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A ca_file that was sound at the start counts until the next one, also when the system's store has changed."""
    named, store = tmp_path / "ca.pem", tmp_path / "store.pem"
    named.write_bytes(authority.pem.read_bytes())
    monkeypatch.setenv("SSL_CERT_FILE", str(store))
    http = Http(named)
    named.unlink()
    with Origin(lambda *_: WELL, authority.context()) as origin:
        for content in (b"", authority.pem.read_bytes()):
            store.write_bytes(content)
            assert http.send("GET", origin.url, seconds=5).body == b"well"
            http.close()


def test_a_ca_file_that_changes_counts_without_a_restart(
    authority: Authority, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A private authority's next certificate is trusted from its first connection on, and the one before no longer.

    While the file is half written, or is none, what it held before counts.
    """
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "none.pem"))
    (tmp_path / "none.pem").touch()
    (tmp_path / "other").mkdir()
    named, stranger = tmp_path / "ca.pem", Authority(tmp_path / "other").pem
    named.write_bytes(authority.pem.read_bytes())
    http = Http(named)
    with Origin(lambda *_: WELL, authority.context()) as origin:

        def trusted() -> bool:
            try:
                return http.send("GET", origin.url, seconds=5).body == b"well"
            except Unauthorized:
                return False
            finally:
                http.close()

        assert trusted()
        for content, well in (
            (b"-----BEGIN", True),
            (stranger.read_bytes(), False),
            (authority.pem.read_bytes(), True),
        ):
            named.write_bytes(content)
            assert [trusted(), trusted()] == [well, well]
        named.unlink()
        assert trusted()


def test_a_store_of_several_folders_is_all_of_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """SSL_CERT_DIR may name several, as OpenSSL has it; one that isn't there takes nothing from the others."""
    monkeypatch.delenv("SSL_CERT_FILE", raising=False)
    (tmp_path / "0123abcd.0").touch()
    absent = tmp_path / "absent"
    monkeypatch.setenv("SSL_CERT_DIR", f"{absent}{os.pathsep}{tmp_path}")
    assert trust._store()[-2:] == (absent, tmp_path)
