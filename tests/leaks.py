"""Looks for secrets where none may be: in what is printed, logged, raised, journaled and served, by the whole suite.

Whoever makes up a secret makes it known here; tokens and keys, which simulators issue by the thousand, are told by
their form. Each is looked for as it is, and as a URL, JSON or base64 would write it.
"""

import base64
import json
import re
from contextlib import suppress
from pathlib import Path
from urllib.parse import quote, quote_plus

_LEAST = 8
"""Characters of a secret: a shorter one stands in words by chance."""
_MOST_BYTES = 8 << 20
_FORMS = {
    "a token": re.compile(rb"eyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]{4,}"),
    "a private key": re.compile(rb"-----BEGIN [A-Z ]*PRIVATE KEY"),
    "a refresh token": re.compile(rb"\b1\.[\w-]{86}"),
}
_SECRETS = re.compile(r'\b((?:client_secret|password|token)(?:_file)?) = "([^"\\\n]+)"')
_KEPT = (".db", "-journal", ".part", ".lock", ".log")

_known: dict[bytes, str] = {}
_passing: set[bytes] = set()
"""Those of one test alone: what it takes for a secret may be a common word to another."""


def know(secret: str) -> str:
    """Let a secret be looked for from now on; return it."""
    if len(secret) >= _LEAST:
        raw = secret.encode("utf-8", "surrogatepass")
        name = f"{secret[:2]}… ({len(secret)} characters)"
        for form in (
            secret,
            quote(raw),
            quote_plus(raw),
            json.dumps(secret)[1:-1],
            json.dumps(json.dumps(secret))[3:-3],
        ):
            _known[form.encode("utf-8", "surrogatepass")] = name
        _known[base64.b64encode(raw).rstrip(b"=")] = name
    return secret


def know_in_this_test(secret: str) -> str:
    """Let a secret be looked for until the next test begins; return it."""
    before = set(_known)
    know(secret)
    _passing.update(_known.keys() - before)
    return secret


def begin_test() -> None:
    """Forget the secrets that were those of the last test alone."""
    while _passing:
        _known.pop(_passing.pop(), None)


def know_files(folder: Path) -> None:
    """Let the secrets in a simulated tenant's files be looked for."""
    for file in folder.glob("*"):
        if file.suffix in {".secret", ".token", ".password"}:
            know(file.read_text(encoding="utf-8").strip())


def know_settings(text: str) -> None:
    """Let the secrets in settings, or in files that they name, be looked for in this test."""
    for key, value in _SECRETS.findall(text):
        if not key.endswith("_file"):
            know_in_this_test(value)
        elif Path(value).is_file():
            with suppress(UnicodeDecodeError):  # a certificate in bytes is told by its form
                know_in_this_test(Path(value).read_text(encoding="utf-8").strip())


def leaks(said: bytes | str) -> list[str]:
    """Return what stands there and may not, without its words."""
    data = said.encode("utf-8", "replace") if isinstance(said, str) else said
    forms = [kind for kind, form in _FORMS.items() if form.search(data)]
    return forms + sorted({name for secret, name in _known.items() if secret in data})


def want_none(where: str, said: bytes | str) -> None:
    """Fail where a secret stands in it."""
    found = leaks(said)
    assert not found, f"{where} holds {', '.join(found)}"


def want_none_kept(folder: Path) -> None:
    """Fail where a secret stands in a file that the collector keeps: a journal, a backup, a log."""
    for file in folder.rglob("*"):
        kept = file.name.endswith(_KEPT) or ".damaged-" in file.name
        if kept and file.is_file() and not file.is_symlink() and file.stat().st_size <= _MOST_BYTES:
            want_none(file.name, file.read_bytes())
