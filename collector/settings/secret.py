"""A secret, read when it is used, so that a renewed file counts at the next try. Is never shown by `repr` or a dump.

`content` reads any small file that the settings name as carefully: a certificate, the platform's token.
"""

import os
import re
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import GetCoreSchemaHandler, ValidationInfo
from pydantic_core import CoreSchema, core_schema

from collector.errors import Unauthorized
from collector.settings.mistakes import mistake

BROKEN = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
"""What would break a line, and the halves of characters that bytes in the environment become when they aren't UTF-8."""

_SURROGATE = re.compile(r"[\ud800-\udfff]")

MAX_BYTES = 64 * 1024
"""Of a file: no secret and no certificate is longer, and a wrong path may lead to something huge."""

_ALONE = "put the secret alone, on one line, into that file, and let the collector's user read it"


def content(key: str, file: Path, *, mend: str = "put it there, and let the collector's user read it") -> bytes:
    """Return what a small file holds now. `key`: where the settings name it, for messages.

    Raise Unauthorized, with the key and the path, when it can't be read, is no plain file, is empty or is too long.
    """

    def unusable(fault: str) -> Unauthorized:
        return Unauthorized(f"{key}: {file} {fault}", mend=mend)

    try:
        with open(file, "rb", opener=_at_once) as stream:
            if not stat.S_ISREG(os.fstat(stream.fileno()).st_mode):
                raise unusable("is not a plain file")
            held = stream.read(MAX_BYTES + 1)
    except IsADirectoryError:
        raise unusable("is not a plain file") from None
    except OSError as error:
        raise unusable(f"can't be read ({error.strerror or type(error).__name__})") from error
    if not held:
        raise unusable("is empty")
    if len(held) > MAX_BYTES:
        raise unusable(f"is over {MAX_BYTES >> 10} KiB")
    return held


def _at_once(path: str, flags: int) -> int:
    # A named pipe would have its reader wait for a writer, without an end; and what was a file can be one by now.
    return os.open(path, flags | os.O_NONBLOCK)


@dataclass(frozen=True, slots=True, repr=False)
class Secret:
    """A secret by value (`inline`) or by the path of its file. `key`: where the settings name it, for messages."""

    key: str
    inline: str | None = None
    file: Path | None = None

    def __post_init__(self) -> None:
        if (self.inline is None) == (self.file is None):
            raise ValueError(f"{self.key}: a secret has either a value or a file")
        if self.inline is not None and (fault := secret_fault(self.inline)):
            raise ValueError(f"{self.key}: {fault}")

    def read(self) -> str:
        """Return the secret without the white space around it; a file is read anew at each call.

        Raise Unauthorized, with the key and the path, when the file can't be read, or what it holds is not a secret:
        nothing, several lines, or bytes that aren't UTF-8.
        """
        text = self.inline if self.file is None else self._content(self.file)
        if text is None:
            raise self._unusable("is not UTF-8 text")
        if fault := secret_fault(text):
            raise self._unusable(fault)
        return text.strip()

    def exposed(self) -> bool:
        """Whether others than the owner of its file may do anything with it now; a value has no file."""
        try:
            return self.file is not None and bool(self.file.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO))
        except OSError:
            # `read` says what is wrong with it.
            return False

    def _content(self, file: Path) -> str | None:
        held = content(self.key, file, mend=_ALONE)
        try:
            return held.decode("utf-8-sig")
        except UnicodeDecodeError:
            # Nothing is raised from here: that error carries the bytes.
            return None

    def _unusable(self, fault: str) -> Unauthorized:
        return Unauthorized(f"{self.key}: {self.file} {fault}", mend=_ALONE)

    def __repr__(self) -> str:
        return f"Secret({self.key})" if self.file is None else f"Secret({self.key}: {self.file})"

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:  # noqa: ANN401 - pydantic's
        """A Secret, a text or a Given becomes a Secret; a dump holds no more of it than `repr` shows."""
        return core_schema.with_info_plain_validator_function(_secret, serialization=core_schema.to_string_ser_schema())


@dataclass(frozen=True, slots=True)
class Located:
    """The path of a file as the reader of the settings knows it: absolute, and with the key that names it."""

    key: str
    path: Path


@dataclass(frozen=True, slots=True, repr=False)
class Given:
    """What one table holds under `X` and under `X_file`; None where it has no such key."""

    inline: object
    file: object


def _secret(value: object, info: ValidationInfo) -> Secret:
    key = info.field_name or "secret"
    if not isinstance(value, Given):
        return _inline(key, value)
    if value.inline is not None:
        raise mistake("given both by value and as a file; keep one of the two")
    file = value.file
    if isinstance(file, Secret):
        return file
    at = f"{key}_file"
    if not isinstance(file, str | Path):
        raise mistake("must be the path of a file, in quotes", at=at)
    if fault := path_fault(str(file)):
        raise mistake(fault, at=at)
    return Secret(at, file=Path(file))


def _inline(key: str, value: object) -> Secret:
    if isinstance(value, Secret):
        return value
    if not isinstance(value, str):
        raise mistake("must be text, in quotes")
    if fault := secret_fault(value):
        raise mistake(fault)
    return Secret(key, inline=value)


def path_fault(text: str) -> str:
    """Return why no file can have this path, or nothing."""
    if not text:
        return "must not be empty"
    if BROKEN.search(text):
        return "must be a path, one line of valid text without control characters"
    return ""


def secret_fault(text: str) -> str:
    """Return why this text is no secret, or nothing. White space around it counts for nothing."""
    text = text.strip()
    if not text:
        return "is empty"
    if any(character in text for character in "\0\n\r"):
        return "holds a line break or a NUL character inside; a secret is one line"
    if _SURROGATE.search(text):
        return "is not valid text"
    return ""
