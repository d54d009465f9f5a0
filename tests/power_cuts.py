"""Power cuts: what a process told the disk, by its system calls, and every folder that a cut could have left of it.

The disk is as bad as POSIX allows: what was not synced is there or isn't, sector by sector and in any order, and a name
is durable only once its folder was synced. Is not a file system: one folder, without folders in it.
"""

import ast
import json
import random
import re
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

STRACE = "/usr/bin/strace"
_SECTOR = 512
_CALLS = (
    "openat,creat,open,write,pwrite64,writev,pwritev,pwritev2,fsync,fdatasync,sync_file_range,ftruncate,truncate,"
    "fallocate,copy_file_range,sendfile,mmap,unlink,unlinkat,rename,renameat,renameat2,link,linkat,symlink"
)
_LINE = re.compile(r"\d+ +(\w+)\((.*)\) += (-?\d+)(?:<.*>)?(?: \(deleted\))?(?: E\w+ .*)?\Z", re.DOTALL)
_TEXT = re.compile(r'"((?:[^"\\]|\\.)*)"(\.\.\.)?')
_FILE = re.compile(r"\A\d+<([^>]*)>")


@dataclass(frozen=True, slots=True)
class Folder:
    """The files of a folder, by name; names of one number are one file."""

    files: Mapping[str, bytes]
    numbers: Mapping[str, int]

    def put(self, path: Path) -> None:
        """Make these files in an empty folder."""
        made: dict[int, Path] = {}
        for name, content in self.files.items():
            first = made.setdefault(self.numbers[name], path / name)
            if first.name == name:
                first.write_bytes(content)
            else:
                (path / name).hardlink_to(first)

    def key(self) -> int:
        """Return a number that differs where folders do."""
        return hash(frozenset((name, content, self.numbers[name]) for name, content in self.files.items()))


def traced(folder: Path, work: str, *args: str) -> Sequence[str]:
    """Return the system calls, a line each, of `work` (a statement; `sys.argv[1]` is the folder) in a new process."""
    log = folder.with_name(f"{folder.name}.strace")
    command = [STRACE, "-f", "-y", "-s", "1000000", "-e", f"trace={_CALLS}", "-o", str(log)]
    program = f"import sys; sys.path[:0] = {sys.path!r}; {work}"
    done = subprocess.run(
        [*command, sys.executable, "-c", program, str(folder), *args], capture_output=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr.decode()[-2000:]
    return log.read_text("latin-1").splitlines()


@dataclass(frozen=True, slots=True)
class _Waiting:
    """What the disk was told and has not yet promised: a file's bytes or size, or names. `of`: by what it is synced."""

    of: int
    apply: Callable[["_Kept"], None]


class _Kept:
    """Files by number, and which number has a name."""

    def __init__(self, files: Mapping[int, bytes | bytearray], names: Mapping[str, int]) -> None:
        self.files = {number: bytearray(content) for number, content in files.items()}
        self.names = dict(names)

    def write(self, file: int, at: int, data: bytes) -> None:
        content = self.files.setdefault(file, bytearray())
        content.extend(bytes(max(0, at + len(data) - len(content))))
        content[at : at + len(data)] = data

    def cut(self, file: int, size: int) -> None:
        content = self.files.setdefault(file, bytearray())
        del content[size:]
        content.extend(bytes(size - len(content)))

    def name(self, changed: Mapping[str, int | None]) -> None:
        for name, file in changed.items():
            if file is None:
                self.names.pop(name, None)
            else:
                self.names[name] = file

    def folder(self) -> Folder:
        return Folder({name: bytes(self.files.get(file, b"")) for name, file in self.names.items()}, dict(self.names))


_NAMES = 0
"""By this number the folder itself is synced."""


class Disk:
    """A folder on such a disk: what processes see of it, and what is durable."""

    def __init__(self) -> None:
        self._seen = _Kept({}, {})
        self._durable = _Kept({}, {})
        self._waiting: list[_Waiting] = []
        self._last = _NAMES

    def make(self, name: str) -> None:
        """Make an empty file, where there is none."""
        if name not in self._seen.names:
            self._last += 1
            self._name({name: self._last})

    def write(self, name: str, at: int | None, data: bytes) -> None:
        """Write bytes, at the end of the file where `at` is None."""
        file = self._seen.names[name]
        start = len(self._seen.files.get(file, b"")) if at is None else at
        while data:
            part, data = data[: _SECTOR - start % _SECTOR], data[_SECTOR - start % _SECTOR :]
            self._tell(file, lambda kept, start=start, part=part: kept.write(file, start, part))  # type: ignore[misc]
            start += len(part)

    def cut(self, name: str, size: int) -> None:
        """Give a file another size."""
        file = self._seen.names[name]
        self._tell(file, lambda kept: kept.cut(file, size))

    def link(self, old: str, new: str) -> None:
        """Give a file another name, too."""
        self._name({new: self._seen.names[old]})

    def rename(self, old: str, new: str) -> None:
        """Give a file another name, in one step."""
        self._name({new: self._seen.names[old], old: None})

    def unlink(self, name: str) -> None:
        """Take a name away."""
        self._name({name: None})

    def sync(self, name: str | None) -> None:
        """Let a file's bytes be durable, or the names of the folder."""
        of = _NAMES if name is None else self._seen.names[name]
        for waiting in self._waiting:
            if waiting.of == of:
                waiting.apply(self._durable)
        self._waiting = [waiting for waiting in self._waiting if waiting.of != of]

    def cuts(self, chance: random.Random) -> Iterator[Folder]:
        """Yield what a power cut could leave now: what is durable, and of the rest none, all, one file's, or any."""
        among = sorted({waiting.of for waiting in self._waiting})
        yield self._left(lambda _: False)
        if not among:
            return
        yield self._left(lambda _: True)
        if len(among) > 1:
            for one in among:
                yield self._left(lambda of, one=one: of == one)  # type: ignore[misc]
                yield self._left(lambda of, one=one: of != one)  # type: ignore[misc]
        for _ in range(2):
            yield self._left(lambda _: chance.random() < 0.5)

    def _left(self, kept: Callable[[int], bool]) -> Folder:
        left = _Kept(self._durable.files, self._durable.names)
        for waiting in self._waiting:
            if kept(waiting.of):
                waiting.apply(left)
        return left.folder()

    def _name(self, changed: Mapping[str, int | None]) -> None:
        self._tell(_NAMES, lambda kept: kept.name(changed))

    def _tell(self, of: int, apply: Callable[[_Kept], None]) -> None:
        apply(self._seen)
        self._waiting.append(_Waiting(of, apply))


@dataclass(frozen=True, slots=True)
class Cut:
    """What a power cut left, and which marks the process had made by then (it had returned from what they name)."""

    folder: Folder
    marks: int
    during: str


def marks(lines: Sequence[str]) -> Sequence[Mapping[str, str]]:
    """Return what the process said after each thing it did, in order."""
    return [mark for line in lines if (mark := _mark(line)) is not None]


def say(**what: str) -> str:
    """Return the line by which a traced process makes a mark; it writes it to stderr in one call."""
    return f"mark {json.dumps(what)}"


@dataclass(frozen=True, slots=True)
class _Call:
    """A system call: in words, and what it does to a disk. `orders`: whether it is more than bytes that wait."""

    words: str
    orders: bool
    act: Callable[[Disk], None]


def power_cuts(folder: Path, lines: Sequence[str], seed: int = 1) -> Iterator[Cut]:
    """Yield each different folder that could be left before every sync, new name, new size and mark, and at the end."""
    disk, chance, made = Disk(), random.Random(seed), 0  # noqa: S311 - a dice, not a secret
    seen: set[tuple[int, int]] = set()

    def left(during: str) -> Iterator[Cut]:
        for found in disk.cuts(chance):
            key = (made, found.key())
            if key not in seen:
                seen.add(key)
                yield Cut(found, made, during)

    for line in lines:
        mark = _mark(line)
        if mark is not None:
            yield from left("a mark")
            made += 1
            yield from left(f"after {mark}")
        elif (call := _call(folder, line)) is not None:
            if call.orders:
                yield from left(call.words)
            call.act(disk)
    yield from left("the end")


def _mark(line: str) -> Mapping[str, str] | None:
    if " write(2<" not in line:
        return None
    found = _TEXT.search(line)
    text = _bytes(found[1]).decode() if found else ""
    if not text.startswith("mark "):
        return None
    said: Mapping[str, str] = json.loads(text.removeprefix("mark "))
    return said


def _call(folder: Path, line: str) -> _Call | None:
    """Return what a system call does to the disk, None where that is nothing."""
    if str(folder) not in line or line.split(None, 1)[1].startswith(("---", "+++")):
        return None
    found = _LINE.match(line)
    assert found, f"not a call that has ended: {line[:200]}"
    name, args, result = found[1], found[2], int(found[3])
    if result < 0:
        return None
    texts = [_bytes(text) for text, cut in _TEXT.findall(args) if not cut]
    file = _FILE.match(args)
    of = Path(file[1].removesuffix(" (deleted)")) if file else None
    if name == "mmap":
        assert "MAP_SHARED" not in args or "PROT_WRITE" not in args, line
        return None
    if name == "openat":
        assert "O_TRUNC" not in args, line
        path = Path(texts[0].decode())
        made = "O_CREAT" in args and path.parent == folder
        return _Call(f"make {path.name}", True, lambda disk: disk.make(path.name)) if made else None
    numbers = [int(number) for number in re.sub(_TEXT, "", args).split(",")[1:] if number.strip().isdecimal()]
    if of is None:
        return _renamed(name, [Path(text.decode()).name for text in texts])
    return _changed(name, None if of == folder else of.name, texts, numbers) if folder in {of, of.parent} else None


def _renamed(name: str, names: Sequence[str]) -> _Call:
    words = " ".join([name, *names])
    match name:
        case "unlink" | "unlinkat":
            return _Call(words, True, lambda disk: disk.unlink(names[0]))
        case "rename":
            return _Call(words, True, lambda disk: disk.rename(*names))
        case "link" | "linkat":
            return _Call(words, True, lambda disk: disk.link(*names))
    raise AssertionError(f"{words}: what this does to a disk is not known here")


def _changed(name: str, file: str | None, texts: Sequence[bytes], numbers: Sequence[int]) -> _Call:
    """Return what is done to a file, or, by the name None, to the folder."""
    match name, file:
        case "fsync" | "fdatasync", _:
            return _Call(f"sync {file or 'the folder'}", True, lambda disk: disk.sync(file))
        case "ftruncate", str(of):
            return _Call(f"cut {of} to {numbers[-1]}", True, lambda disk: disk.cut(of, numbers[-1]))
        case "write", str(of):
            return _Call(f"write {of}", False, lambda disk: disk.write(of, None, texts[0]))
        case "pwrite64", str(of):
            return _Call(f"write {of}", False, lambda disk: disk.write(of, numbers[-1], texts[0]))
    raise AssertionError(f"{name} of {file}: what this does to a disk is not known here")


def _bytes(text: str) -> bytes:
    """Return the bytes that strace wrote as a C string."""
    value: bytes = ast.literal_eval(f'b"{text}"')
    return value
