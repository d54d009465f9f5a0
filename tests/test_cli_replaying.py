"""`replay` of a journal that takes its time, broken off by a signal, and taken up again."""

import re
import signal
import socket
import time
from pathlib import Path

import httpx
import pytest
from journals import HOUR, MIDNIGHT, org
from origins import Origin, Reply, Request, Talk
from servers import Influxd
from system.blackbox import Process, collector, document, until, v1
from test_cli_keeping import SETTINGS

from collector.journal import Journal

MANY = 60_000


def config_of(folder: Path, url: str, database: str) -> Path:
    """Return settings beside the journal, with a sink of this URL."""
    path = folder / f"{url.rpartition(':')[2]}.toml"
    path.write_text(f"{SETTINGS}\n{v1('main', url, database)}")
    return path


def slow(url: str) -> Talk:
    """Return what hands requests on to a server, a fifth of a second each."""

    def hand_on(request: Request, _: socket.socket) -> Reply:
        time.sleep(0.2)
        headers = {name: value for name, value in request.headers.items() if name != "host"}
        answer = httpx.request(
            request.method, f"{url}{request.target}", content=request.body, headers=headers, trust_env=False
        )
        return Reply(answer.content, answer.status_code)

    return hand_on


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_replay_that_is_broken_off_goes_on_where_it_was(
    influxd: Influxd, database: str, tmp_path: Path, number: signal.Signals
) -> None:
    """It says how far it came; `--continue` sends what is left, and nothing of what was sent twice."""
    config = config_of(tmp_path, influxd.url, database)
    with Journal(tmp_path / "journal.db") as journal:
        slots = [MIDNIGHT + n * HOUR for n in range(MANY)]
        journal.append([org(slot) for slot in slots])
    with Origin(slow(influxd.url)) as origin:
        slowed = config_of(tmp_path, origin.url, database)
        with Process("replay", "main", "--all", "--config", slowed) as command:
            until(lambda: len(origin.requests) >= 3, what="batches")
            assert command.end(number) == 1
    words = "".join(command.err)
    (said,) = re.findall(r"interrupted: ([\d,]+) of 60,000 points are delivered; the cursor of main stays", words)
    there = len(influxd.points("exposure_score", database))
    assert 0 < int(said.replace(",", "")) <= there < MANY
    assert "replay main --continue" in words
    done = document(collector("replay", "main", "--continue", "--config", config, "--json"))
    assert done["points"] == done["delivered"] <= MANY - int(said.replace(",", ""))
    assert [row["time"] for row in influxd.points("exposure_score", database)] == slots
    again = document(collector("replay", "main", "--continue", "--config", config, "--json"))
    assert (again["points"], again["ok"]) == (0, True)
