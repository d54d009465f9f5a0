"""What a user is told who may not write to a journal: the very commands, for what is barred alone."""

import os
import pwd
import tempfile
from collections.abc import Iterator
from multiprocessing.connection import Connection
from pathlib import Path

import pytest
from journals import hear, open_own, org, other, read_without_rights

from collector.errors import JournalError
from collector.journal import Journal, permit, reachable, user


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that everybody may write to, whose way nobody is kept from."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o777)
        yield folder


def _ask(pipe: Connection, folder: Path) -> None:
    """As a user who isn't root: say what is told of a journal of one's own, with ever fewer rights to it."""
    if os.geteuid() == 0:
        os.setgid(65534)
        os.setuid(65534)
    (folder / "own").mkdir()
    path = folder / "own" / "a journal.db"
    path.touch()
    pipe.send((user(), permit(path)))
    path.chmod(0)
    pipe.send(permit(path))
    path.parent.chmod(0o500)
    pipe.send(permit(path))
    pipe.send(permit(path.with_name("none.db")))
    path.parent.chmod(0)
    pipe.send(permit(path))
    path.parent.chmod(0o700)


def test_whoever_owns_what_is_barred_is_told_to_open_it(folder: Path) -> None:
    """Of file and folder those that are barred are named, as a shell takes them; where none is, the mount is."""
    own = folder / "own"
    with other(_ask, folder) as (_, pipe):
        who, nothing_barred = hear(pipe)
        let = f"let the user {who} write to the file and to {own}: "
        assert who == pwd.getpwuid(own.stat().st_uid).pw_name
        assert nothing_barred == f"{let}see how it is mounted (findmnt -T {own})"
        assert hear(pipe) == f"{let}chmod u+rw '{own}/a journal.db'"
        assert hear(pipe) == f"{let}chmod u+rwx {own} && chmod u+rw '{own}/a journal.db'"
        assert hear(pipe) == f"{let}chmod u+rwx {own}", "what isn't there is not to be opened"
        assert hear(pipe) == f"{let}chmod u+rwx {own}", "nor what can't be seen"


def _reach(pipe: Connection, path: Path) -> None:
    """As a user who isn't root: say whether the role could be taken, with and without a right to its folder."""
    if os.geteuid() == 0:
        os.setgid(65534)
        os.setuid(65534)
    path.parent.mkdir()
    for mode in (0o700, 0o500, 0o600):
        path.parent.chmod(mode)
        try:
            reachable(path)
            pipe.send(("reachable", ""))
        except JournalError as error:
            pipe.send((str(error), error.mend))
    path.parent.chmod(0o700)


def test_a_role_that_no_file_can_be_made_for_is_said(folder: Path) -> None:
    """Before `run` meets it: the folder that this user may not write to is named."""
    path = folder / "own" / "journal.db"
    with other(_reach, path) as (_, pipe):
        assert hear(pipe) == ("reachable", "")
        refused = (f"{path}.lock: can't be made", f"let this user write to {path.parent}")
        assert hear(pipe) == refused
        assert "Permission denied" in hear(pipe)[0]


def test_whoever_may_read_a_journal_need_not_list_its_folder(folder: Path) -> None:
    """The file's own rights are enough to read it."""
    path = folder / "own" / "journal.db"
    path.parent.mkdir()
    with Journal(path) as journal:
        journal.append([org()])
    path.chmod(0o644)
    path.parent.chmod(0o111)
    with other(read_without_rights, path) as (_, pipe):
        assert hear(pipe) == [41.5]
        hear(pipe)
    path.parent.chmod(0o700)


@pytest.mark.parametrize("there", [False, True])
def test_a_folder_that_can_not_be_synced_is_refused(folder: Path, *, there: bool) -> None:
    """Who may make files in it but not read it would be promised what a power cut can take: SQLite says nothing."""
    path = folder / "own" / "journal.db"
    path.parent.mkdir()
    if there:
        Journal(path).close()
    for file in (path.parent, *path.parent.iterdir()):
        os.chown(file, *((65534, 65534) if os.geteuid() == 0 else (-1, -1)))
    path.parent.chmod(0o300)
    with other(open_own, path) as (_, pipe):
        words, mend = hear(pipe)
    path.parent.chmod(0o700)
    assert "may not read its folder" in words
    assert mend.endswith(f": chmod u+rwx {path.parent}")
    assert path.exists() == there


def test_a_user_without_a_name_is_a_number(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a container that runs as any user."""
    monkeypatch.setattr(os, "geteuid", lambda: 54_321)
    assert user() == "54321"


def test_root_is_told_where_to_look(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Root may write to every disk, so it is the mount that doesn't let it: no command helps."""
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(os, "access", lambda *_: False)
    assert permit(folder / "journal.db").endswith(f"to {folder}: see how it is mounted (findmnt -T {folder})")
