"""The search for secrets finds what is planted, in every way that it may be written."""

import base64
import json
from pathlib import Path
from urllib.parse import quote

import pytest
from leaks import know, leaks, want_none, want_none_kept
from tenants import SECRET, jwt

PLANTED = know('p~lanted/s3cret+ä b"c')


@pytest.mark.parametrize(
    "said",
    [
        f"client_secret={SECRET}",
        f"client_secret={quote(SECRET, safe='')}",
        f"... {PLANTED} ...",
        json.dumps({"error": PLANTED}),
        json.dumps({"error": json.dumps({"inner": PLANTED})}),
        base64.b64encode(PLANTED.encode()).decode(),
        f"Authorization: Bearer {jwt(sub='contoso', roles=['Score.Read.All'])}",
        "-----BEGIN PRIVATE KEY-----\nMIIE",
    ],
)
def test_a_planted_secret_is_found(said: str) -> None:
    """As it is, as a URL, as JSON, as base64; tokens and keys by their form. What is said of it does not repeat it."""
    (found,) = leaks(said)
    assert PLANTED not in found
    assert SECRET not in found
    with pytest.raises(AssertionError, match="a place holds"):
        want_none("a place", said)


def test_a_planted_secret_is_found_in_what_is_kept(tmp_path: Path) -> None:
    """A journal, its rollback, a backup that was broken off, a log; but not the file of the secret itself."""
    (tmp_path / "contoso.secret").write_text(SECRET, encoding="utf-8")
    want_none_kept(tmp_path)
    inner = tmp_path / "inner"
    inner.mkdir()
    for name in ("journal.db", "journal.db-journal", ".b.db.1.part", "journal.db.damaged-20261124T120000Z", "run.log"):
        (inner / name).write_bytes(b"\x00\x01" + SECRET.encode() + b"\xff")
        with pytest.raises(AssertionError, match="holds th…"):
            want_none_kept(tmp_path)
        (inner / name).unlink()


def test_what_is_no_secret_is_none() -> None:
    """Words, ids, checksums and a simulated host's address are left alone."""
    assert leaks("contoso 11111111-1111-1111-1111-111111111111 eyJ https://127.0.0.1:9470/ deadbeef") == []


def test_a_test_that_prints_one_fails(pytester: pytest.Pytester) -> None:
    """The hooks of the suite see what a test printed, logged or raised, what a page served, and what was kept."""
    folder = Path(__file__).parent
    pytester.makeini(f"[pytest]\npythonpath = {folder} {folder.parent}\naddopts = -p conftest -p no:cacheprovider")
    pytester.makepyfile(
        """
        import httpx
        from collector.errors import Unavailable
        from collector.settings import Secret
        from collector.web import Web
        from leaks import know
        from test_web import Known
        SECRET = know("another~Secret+of/the=inner one")
        def test_that_prints():
            print("it is", SECRET)
        def test_that_raises():
            try:
                raise Unavailable("no", mend="use " + SECRET)
            except Unavailable:
                pass
        def test_that_keeps(tmp_path):
            (tmp_path / "journal.db").write_text(SECRET)
        def test_that_serves():
            known = Known()
            known.why = ["because of " + SECRET]
            web = Web("127.0.0.1", 0, (), known)
            web.start()
            assert SECRET in httpx.get(web.url + "readyz", trust_env=False).text
            web.stop()
        def test_that_reads_one():
            print(Secret("key", inline="a secret of one test").read())
        def test_that_is_well(tmp_path):
            print("it is, and a secret of one test is a word to another")
        """
    )
    result = pytester.runpytest_subprocess()
    result.assert_outcomes(passed=6, errors=5)
    result.stdout.fnmatch_lines(["*test_that_prints printed or logged an… (31 characters)*"])
