"""Several processes: each tenant polled by one of them, and two side by side that leave one point of each."""

import re
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from servers import Influxd, free_ports
from system.blackbox import Process, Simulated, by, collector, document, poll, settings, until, v1, well
from system.customers import Customers

SHARDS = ("0/3", "1/3", "2/3")


@pytest.fixture(scope="module")
def simulated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulated]:
    """Nine tenants of two groups."""
    with Simulated(tmp_path_factory.mktemp("simulated"), "--tenants", "9", "--groups", "2") as simulated:
        yield simulated


def journal(shard: str) -> dict[str, str]:
    """Return the environment of one of the processes: its shard, and a journal of its own beside the settings."""
    return {"COLLECTOR__SHARD": shard}


def apart(folder: Path, simulated: Simulated, *sections: str) -> list[Path]:
    """Return the settings of three shards, each with a journal of its own, all else the same."""
    found = []
    for shard in SHARDS:
        customers = Customers(folder / shard[0], simulated, *sections, names=simulated.tenants)
        found.append(customers.config)
    return found


def polls(done: Any) -> set[str]:
    """Return the tenants that a command speaks of."""
    return {each["tenant"] for each in document(done)["polls"]}


def test_three_processes_poll_every_tenant_once(
    simulated: Simulated, influxd: Influxd, database: str, tmp_path: Path
) -> None:
    """`once`, `check` and `status` of a shard speak of its own tenants; in InfluxDB is one poll of each tenant."""
    sink = v1("main", influxd.url, database)
    before = len(simulated.requests(subject="organization"))
    mine: list[set[str]] = []
    for shard, config in zip(SHARDS, apart(tmp_path, simulated, poll(21600), sink), strict=True):
        done = collector("once", "--config", config, "--json", env=journal(shard))
        well(done)
        mine.append(polls(done))
        status = document(collector("status", "--config", config, "--json", env=journal(shard)))
        assert {each["tenant"] for each in status["tenants"]} == mine[-1]
        here, elsewhere = len(mine[-1]), 9 - len(mine[-1])
        assert status["shard"] == {"shard": shard, "tenants": here, "elsewhere": elsewhere}
        text = well(collector("status", "--config", config, env=journal(shard)))
        assert f"shard {shard}: {here} of 9 tenants" in text
    assert sorted(name for each in mine for name in each) == sorted(simulated.tenants)
    assert len(simulated.requests(subject="organization")) - before == 9
    by(influxd.points("exposure_score", database), "tenant")
    assert {row["tenant"] for row in influxd.points("exposure_score", database)} == set(simulated.tenants)


def test_a_tenant_of_another_shard_is_named_with_the_shard_that_has_it(simulated: Simulated, tmp_path: Path) -> None:
    """Nobody looks for it in the wrong place; `check` counts, and asks for its own alone."""
    (config, *_) = apart(tmp_path, simulated)
    check = document(collector("check", "--config", config, "--json", env=journal("0/3")))
    own = {each["name"].partition(":")[0] for each in check["checks"] if ": sign-in" in each["name"]}
    assert 0 < len(own) < 9
    (counts,) = [each["message"] for each in check["checks"] if each["name"] == "settings"]
    assert counts == f"tenants: {len(own)} of 9, shard 0/3, sinks: 0"
    other = next(name for name in simulated.tenants if name not in own)
    for command in ("once", "check"):
        done = collector(command, "--config", config, "--tenant", other, env=journal("0/3"))
        assert done.returncode == 2
        said = done.stdout + done.stderr
        assert re.search(r"--tenant: the tenant is of shard [12]/3, and this is shard 0/3; ask there", said), said
    well(collector("once", "--config", config, env=journal("0/3")))
    done = collector("trend", "--config", config, "--tenant", other, env=journal("0/3"))
    assert "--tenant: the tenant is of shard" in done.stderr
    done = collector("once", "--config", config, "--tenant", "nobody", env=journal("0/3"))
    assert "no tenant of that name" in done.stderr


def test_a_shard_without_a_tenant_runs_and_is_ready_for_one(simulated: Simulated, tmp_path: Path) -> None:
    """With more shards than tenants some wait; a reload that brings them one is all that they need."""
    (name,) = simulated.tenants[:1]
    (port,) = free_ports(1)
    web = f'[web]\nlisten = "127.0.0.1:{port}"\n'
    customers = Customers(tmp_path / "c", simulated, poll(1), web, names=[name])
    empty = next(
        f"{n}/3"
        for n in range(3)
        if name not in polls(collector("once", "--config", customers.config, "--json", env=journal(f"{n}/3")))
    )
    with Process("run", "--config", customers.config, env=journal(empty)) as service:
        until(lambda: service.said("service.started"), what="the start")
        assert (service.said("service.started")[0]["tenants"], service.said("service.started")[0]["elsewhere"]) == (
            0,
            1,
        )
        ready = httpx.get(f"http://127.0.0.1:{port}/readyz", trust_env=False)
        assert (ready.status_code, ready.json()["reasons"]) == (200, [])
        (tmp_path / "scores.csv").write_text("time,score\n2026-01-01,40\n")
        done = collector("import", tmp_path / "scores.csv", "--config", customers.config, env=journal(empty))
        assert (done.returncode, "none of this shard" in done.stderr) == (2, True)
        for other in simulated.tenants:
            customers.add(other)
        service.send(signal.SIGHUP)
        until(lambda: service.said("poll.settled"), what="a poll")
        assert name not in {line["tenant"] for line in service.said("poll.settled")}
        assert service.end() == 0


def test_the_history_of_a_tenant_that_moves_can_be_taken_along(simulated: Simulated, tmp_path: Path) -> None:
    """It stays in the journal of the shard that had it; `export` there and `import` here bring all of it over."""
    before = Customers(tmp_path / "before", simulated, poll(21600), names=simulated.tenants)
    after = Customers(tmp_path / "after", simulated, poll(21600), names=simulated.tenants)
    well(collector("once", "--config", before.config))
    new = collector("once", "--config", after.config, "--json", env=journal("1/2"))
    tenant = min(polls(new))
    assert polls(new) < set(simulated.tenants)
    assert tenant not in {
        each["tenant"]
        for each in document(collector("status", "--config", before.config, "--json", env=journal("0/2")))["tenants"]
    }
    history = ("export", "--config", before.config, "--tenant", tenant, "--output", tmp_path / "history.csv")
    well(collector(*history, env=journal("0/2")))
    well(collector("import", tmp_path / "history.csv", "--config", after.config, env=journal("1/2")))
    well(collector("export", "--config", after.config, "--tenant", tenant, "--output", tmp_path / "there.csv"))
    old, there = ((tmp_path / name).read_text(encoding="utf-8") for name in ("history.csv", "there.csv"))
    assert len(old.splitlines()) > 5
    assert set(old.splitlines()) <= set(there.splitlines())
    well(collector("forget", "--config", before.config, "--tenant", tenant, "--yes", env=journal("0/2")))


def test_two_side_by_side_go_on_as_one_when_either_is_killed(
    simulated: Simulated, influxd: Influxd, database: str, tmp_path: Path
) -> None:
    """Each polls all tenants into its own journal; one point a series and slot, and no slot is missing."""
    sections = (poll(3), v1("main", influxd.url, database))
    one, two = (settings(tmp_path / name, simulated, *sections) for name in ("one", "two"))

    def slots() -> list[int]:
        return sorted({row["time"] for row in influxd.points("exposure_score", database, tenant="contoso")})

    def more(count: int) -> None:
        before = len(slots())
        until(lambda: len(slots()) >= before + count, 40, f"{count} more slots")

    with Process("run", "--config", one, "--name", "one") as first:
        more(2)
        with Process("run", "--config", two, "--name", "two") as second:
            until(lambda: len(second.said("points.delivered")) >= 2, what="deliveries of the other")
            first.end(signal.SIGKILL)
            more(2)
            with Process("run", "--config", one, "--name", "one") as again:
                until(lambda: len(again.said("points.delivered")) >= 2, what="deliveries of the one that is back")
                second.end(signal.SIGKILL)
                more(2)
    found = slots()
    assert found == list(range(found[0], found[-1] + 1, 3000)), "no slot is missing"
    by(influxd.points("exposure_score", database), "tenant", "time")
    by(influxd.points("exposure_score_by_group", database), "tenant", "rbacGroupName", "time")
    told = by(influxd.points("collector_poll", database, tenant="contoso", subject="organization"), "collector", "time")
    assert {name for name, _ in told} == {"one", "two"}, "who polled when is told of each"
    both = [time for time in found if ("one", time) in told and ("two", time) in told]
    assert both, "slots that both have polled"


def test_a_second_collector_that_begins_with_a_copy_of_the_first_s_journal_says_the_same(
    simulated: Simulated, influxd: Influxd, database: str, tmp_path: Path
) -> None:
    """With a journal of its own it would say that there is too little history, over what the first one said.

    What was polled, or noted, meanwhile comes over as a table.
    """
    # Each second is a slot, so that each of them says its own word of a new one.
    sections = (poll(1), v1("main", influxd.url, database))
    one, two, three = (settings(tmp_path / name, simulated, *sections) for name in ("one", "two", "three"))
    now = int(time.time())
    days = [time.strftime("%Y-%m-%d,40", time.gmtime(now - day * 86400)) for day in range(1, 12)]
    (tmp_path / "scores.csv").write_text("\n".join(["time,score", *days]), encoding="utf-8")

    def verdict(config: Path) -> int:
        well(collector("once", "--config", config, "--tenant", "contoso"))
        return int(influxd.points("exposure_trend", database, tenant="contoso")[-1]["verdict"])

    well(collector("import", tmp_path / "scores.csv", "--tenant", "contoso", "--config", one))
    assert verdict(one) == 1
    assert verdict(three) == 0, "why a copy is wanted"
    well(collector("backup", tmp_path / "two" / "journal.db", "--config", one))
    assert verdict(two) == 1
    well(collector("annotate", "New model", "--kind", "break", "--config", one))
    well(collector("export", "--since", "7d", "--output", tmp_path / "seven.csv", "--config", one))
    well(collector("import", tmp_path / "seven.csv", "--config", two))
    for config in (one, two):
        well(collector("once", "--config", config, "--tenant", "contoso"))
    noted = by(influxd.points("exposure_annotation", database), "tenant", "time")
    assert {tenant for tenant, _ in noted} == set(simulated.tenants), "once a tenant, from either"
    assert len({row["id"] for row in noted.values()}) == 1
