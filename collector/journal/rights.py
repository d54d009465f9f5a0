"""Who this process runs as, and how that user comes to write to a journal. Changes no right."""

import os
import pwd
import shlex
from pathlib import Path

from collector.journal.links import followed
from collector.journal.rollback import beside

_BOTH = os.R_OK | os.W_OK


def user() -> str:
    """Return who this process runs as: the name, or the number of a user without one."""
    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        return str(os.geteuid())


def permit(path: Path) -> str:
    """Return how this process's user comes to write to a journal and its folder."""
    path = followed(path)
    # In the folder files are made: the journal's own, the one of a rollback, and the role's.
    barred = [
        each
        for each, right in ((path.parent, _BOTH | os.X_OK), (path, _BOTH), (beside(path), _BOTH))
        if _owner(each) is not None and not os.access(each, right)
    ]
    commands = [_command(each) for each in barred if os.geteuid() != 0]
    let = f"let the user {user()} write to the file and to {path.parent}"
    # Root may write everywhere, but to what is no disk's, or is mounted read-only.
    return f"{let}: {' && '.join(commands)}" if commands else f"{let}: see how it is mounted (findmnt -T {path.parent})"


def _command(barred: Path) -> str:
    name = shlex.quote(str(barred))
    if _owner(barred) == os.geteuid():
        return f"chmod u+{'rwx' if barred.is_dir() else 'rw'} {name}"
    return f"chown {user()} {name}"


def _owner(path: Path) -> int | None:
    try:
        return path.stat().st_uid
    except OSError:
        return None  # not there, or not to be seen by this user
