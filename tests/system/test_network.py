"""The service between two networks that misbehave: what it collected is all in InfluxDB once they are well."""

import random
import time
from datetime import datetime
from pathlib import Path

from servers import Influxd
from system.blackbox import Process, Simulated, by, collector, poll, settings, until, v1, well
from wires import Fault, Wire, misbehaving

SEED = 20_240_611
TURNS = 16
TURN = 0.6
"""Seconds that a fault lasts, each of `TURNS` times and on each side by itself; about a third of the turns are well."""


def port(url: str) -> int:
    """Return a URL's port."""
    return int(url.rpartition(":")[2])


def milliseconds(slot: str) -> int:
    """Return a slot of the log as InfluxDB has it."""
    return int(datetime.fromisoformat(slot).timestamp() * 1000)


def misbehave(dice: random.Random, *wires: Wire) -> None:
    """Have the wires misbehave by turns, all kinds of faults mixed, and be well in the end."""
    for _ in range(TURNS):
        for wire in wires:
            wire.fault = dice.choice([*Fault, *([None] * (len(Fault) // 2))])
        time.sleep(TURN)
    for wire in wires:
        wire.fault = None
        wire.hang_up()


def test_networks_that_misbehave_on_both_sides_cost_no_settled_slot(
    simulated: Simulated, influxd: Influxd, tmp_path: Path
) -> None:
    """Every slot that was settled arrives once by identity, and after the networks are well no slot is missing.

    While both sides hang the service ends in order within 8 seconds of SIGTERM, and what it held back is delivered by
    whoever comes next.
    """
    database = influxd.database()
    with Wire(port(simulated.url)) as api, Wire(port(influxd.url)) as sink:
        config = settings(
            tmp_path,
            simulated,
            poll(1, "timeout_seconds = 0.8"),
            v1("main", f"http://127.0.0.1:{sink.port}", database, "timeout_seconds = 1"),
        )
        table = f"COLLECTOR__TENANTS__{simulated.tenants[0].upper()}"
        env = {f"{table}__{whose}_URL": f"https://localhost:{api.port}" for whose in ("API", "LOGIN")}
        with Process("run", "--config", config, env=env) as service:

            def slots(*, ok: bool = False) -> list[int]:
                """Return the slots (ms) in which the organization's poll was settled; with `ok`: well."""
                lines = [line for line in service.said("poll.settled") if line["subject"] == "organization"]
                return [milliseconds(line["slot"]) for line in lines if line["ok"] or not ok]

            until(lambda: slots(ok=True) and service.said("points.delivered"), what="a first point on each side")
            misbehave(random.Random(SEED), api, sink)  # noqa: S311 - the same faults each time
            healed = time.time() * 1000
            until(lambda: sum(slot > healed for slot in slots(ok=True)) >= 5, 40, "five slots after healing")
            well_again = [slot for slot in slots(ok=True) if slot > healed]
            with misbehaving(api, Fault.SILENT), misbehaving(sink, Fault.SILENT):
                time.sleep(1)
                began = time.monotonic()
                assert service.end() == 0
                assert time.monotonic() - began < 8
            assert service.said("sink.failed"), "or the network did nothing to the sink"
            assert service.said("poll.failed"), "or nothing to the API"
            settled, sound = slots(), slots(ok=True)
        well(collector("once", "--config", config, env=env))
    assert well_again == list(range(well_again[0], well_again[-1] + 1, 1000))
    polls = by(influxd.points("collector_poll", database, subject="organization"), "time")
    assert {(slot,) for slot in settled} <= set(polls)
    scores = by(influxd.points("exposure_score", database), "time")
    assert {(slot,) for slot in sound} <= set(scores)
    by(influxd.points("exposure_score_by_group", database), "time", "rbacGroupName", "rbacGroupId")
