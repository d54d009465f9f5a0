"""The database of the oracle: a real InfluxDB that can be killed, filled up, emptied and closed to its user.

Each outage is honest: what the service meets is what InfluxDB says, or its silence.
"""

import contextlib
import os
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path

from leaks import know
from oracle.truth import ORGANIZATION, Poll, Score, Stored
from servers import Influxd

NAME = "exposure"
USER, PASSWORD = "writer", know("the password of the writer")
_DISK = "128m"
_FILLED_BY = (1 << 20, 1 << 12, 1)


class Database:
    """An InfluxDB with users, on a small disk of its own where this process may mount one (`disk`)."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self._folder = folder
        mount = ["mount", "-t", "tmpfs", "-o", f"size={_DISK},mode=0700", "tmpfs", str(folder)]
        # Root in a container may not mount either.
        self.disk = os.geteuid() == 0 and subprocess.run(mount, check=False).returncode == 0
        self.server = Influxd(folder, auth=True)

    def open(self) -> None:
        """Start it, and make what the service needs."""
        self.server.start()
        self.server.query(f"CREATE USER {USER} WITH PASSWORD '{PASSWORD}'")
        self.make()

    def close(self) -> None:
        """Stop it; its disk goes."""
        self.server.__exit__()
        if self.disk:
            subprocess.run(["umount", "--lazy", self._folder], check=True)

    def crash(self) -> None:
        """End it as a power cut would, and start it again: what it has now is what it had on disk."""
        self.server.kill()
        self.server.start()

    def recover(self) -> None:
        """Do what its owner has to once its disk was full: start it again, twice before anybody writes.

        InfluxDB 1.6.7 says "no space left" for ever then. At the first start it cuts off the entry that its log has in
        part, goes on writing behind where that ended, and at the next crash reads no further than the hole between:
        what it had acknowledged is lost, three times of three.
        """
        self.revoke()
        self.crash()
        self.crash()
        self.grant()

    def make(self) -> None:
        """Make the database anew, with the user's right to it."""
        self.server.query(f'CREATE DATABASE "{NAME}"')
        self.grant()

    def drop(self) -> None:
        """Lose everything."""
        self.server.query(f'DROP DATABASE "{NAME}"')

    def grant(self) -> None:
        """Give the user its right."""
        self.server.query(f'GRANT WRITE ON "{NAME}" TO {USER}')

    def revoke(self) -> None:
        """Take the user's right away."""
        self.server.query(f'REVOKE WRITE ON "{NAME}" FROM {USER}')

    @contextlib.contextmanager
    def full(self) -> Iterator[None]:
        """Leave its disk no room, to the last byte: never the disk of the machine."""
        assert self.disk
        filler = self._folder / "filler"
        with filler.open("wb", buffering=0) as file:
            for size in _FILLED_BY:
                with contextlib.suppress(OSError):
                    while file.write(bytes(size)) == size:
                        pass
        try:
            yield
        finally:
            filler.unlink()

    def stored(self) -> Stored:
        """Return all that stands in it."""
        scores = [
            Score(
                tenant=row["tenant"],
                group=ORGANIZATION,
                slot=row["time"],
                value=float(row["score"]),
                api_time=row["api_time"],
            )
            for row in self.server.points("exposure_score", NAME)
        ]
        scores += [
            Score(
                tenant=row["tenant"],
                group=(row["rbacGroupName"], row["rbacGroupId"]),
                slot=row["time"],
                value=float(row["score"]),
            )
            for row in self.server.points("exposure_score_by_group", NAME)
        ]
        return Stored(scores=scores, polls=self._polls())

    def latest(self) -> int:
        """Return the slot of its last poll, 0 when it has none."""
        rows = self.server.query("SELECT last(ok) FROM collector_poll", NAME)
        return int(rows[0]["time"]) if rows else 0

    def _polls(self) -> Sequence[Poll]:
        return [
            Poll(
                tenant=row["tenant"],
                subject=row["subject"],
                slot=row["time"],
                ok=row["ok"] == 1,
                points=row["points"],
                tries=row["tries"],
                error=row["error"],
                collector=row["collector"],
            )
            for row in self.server.points("collector_poll", NAME)
        ]
