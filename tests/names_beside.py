"""Another process that changes which names a journal has, a word at a time."""

from multiprocessing.connection import Connection
from pathlib import Path

from journals import group, org

from collector.journal import Journal


def change_names(pipe: Connection, path: Path) -> None:
    """Append a new name, move a cursor, or forget a tenant, as it is told; say the word when it is safe."""
    with Journal(path) as journal:
        pipe.send("open")
        for word in ("note", "nothing", "forget"):
            assert pipe.recv() == word
            if word == "note":
                journal.append([group("from beside")])
            elif word == "nothing":
                journal.append([org()])
            else:
                journal.forget("fabrikam")
            pipe.send(word)
