"""collector.check.journal: what is said to a user who may not write where the journal is to be."""

import json
import os
import pwd
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from journals import org

from collector.journal import Journal

SCRIPT = """
import json, os, pathlib, sys
from collector.check import journal
from collector.settings import load
path = pathlib.Path(sys.argv[1])
os.environ["AZURE_TENANT_ID"] = os.environ["AZURE_CLIENT_ID"] = "11111111-1111-1111-1111-111111111111"
os.environ["AZURE_CLIENT_SECRET"] = "s3cret"
os.environ["COLLECTOR__JOURNAL__PATH"] = sys.argv[1]
settings = load(None, os.environ)
journal.examine(settings)  # whatever that imports, it can't once the interpreter's folder is closed to this user
if os.geteuid() == 0:
    os.setgid(65534)
    os.setuid(65534)
[found] = [each for each in journal.examine(settings) if each.name == "journal"]
print(json.dumps([found.ok, found.message, found.mend]))
"""
ROOT = os.geteuid() == 0
WHO = pwd.getpwuid(65534 if ROOT else os.geteuid()).pw_name


@pytest.fixture(name="folder")
def _folder() -> Iterator[Path]:
    """A folder that everybody may look into."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        yield folder
        folder.chmod(0o755)


def said(path: Path) -> tuple[bool, str, str]:
    """Return what is found of a journal by a user who owns none of it, or, where this isn't root, lacks the right."""
    done = subprocess.run([sys.executable, "-c", SCRIPT, path], capture_output=True, text=True, check=True)
    ok, message, mend = json.loads(done.stdout)
    return ok, message, mend


def test_a_folder_that_is_not_this_users(folder: Path) -> None:
    """A folder that is there is not to be made but given: the user is named, and the command."""
    folder.chmod(0o555)
    ok, message, mend = said(folder / "journal.db")
    assert not ok
    assert message == f"{folder / 'journal.db'}: can't be made: the user {WHO} may not write to {folder}"
    assert mend.endswith(f": chown {WHO} {folder}" if ROOT else f": chmod u+rwx {folder}")


def test_a_folder_that_is_closed_to_this_user(folder: Path) -> None:
    """A folder into which this user can't see is given in the same way, and is no crash."""
    with Journal(folder / "journal.db") as journal:
        journal.append([org()])
    folder.chmod(0o600)
    ok, message, mend = said(folder / "journal.db")
    assert not ok
    assert f"the user {WHO} may not write to {folder}" in message
    assert f"let the user {WHO} write" in mend


def test_a_file_that_is_not_this_users(folder: Path) -> None:
    """A journal that this user may not write is named, with the commands for it and what is beside it."""
    path = folder / "journal.db"
    with Journal(path) as journal:
        journal.append([org()])
    path.chmod(0o444)
    folder.chmod(0o555)
    ok, message, mend = said(path)
    assert not ok
    assert message == f"{path}: the user {WHO} may not write to it"
    both = f"chown {WHO} {path} && chown {WHO} {path}-journal"
    assert mend.endswith(f"chown {WHO} {folder} && {both}" if ROOT else f"chmod u+rw {path}")


def test_a_name_that_no_file_can_have(folder: Path) -> None:
    """A path that no file can have is bad, and is no journal that the first poll will make."""
    ok, message, _ = said(folder / ("x" * 300))
    assert not ok
    assert "File name too long" in message


def test_a_link_to_where_there_is_no_folder(folder: Path) -> None:
    """What counts is the folder that the journal is to be made in, not the one that the link to it is in."""
    link = folder / "link.db"
    link.symlink_to(folder / "disk" / "journal.db")
    ok, message, mend = said(link)
    assert not ok
    assert message == f"{link}: can't be made: there is no folder {folder / 'disk'}"
    assert mend == f"make the folder {folder / 'disk'}, and let the user {WHO} write to it"
