"""`provision`: what the sinks need is said, then created; what is right stays, and nothing is shortened unasked."""

import uuid
from pathlib import Path

import pytest
from servers import ADMIN, Influxd, Victoria, free_ports
from system.blackbox import Simulated, collector, document, settings, v1, well


@pytest.fixture
def missing() -> str:
    """The name of a database that isn't there."""
    return f"the {uuid.uuid4().hex[:8]} of 'us'"


@pytest.fixture
def administrator(tmp_path: Path) -> tuple[str, ...]:
    """The options that lend the administrator's sign-in."""
    (tmp_path / "administrator").write_text(f"{ADMIN[1]}\n")
    return ("--username", ADMIN[0], "--password-file", str(tmp_path / "administrator"))


def retention(server: Influxd, database: str) -> dict[str, str]:
    """Return how long each retention policy keeps points."""
    return {row["name"]: row["duration"] for row in server.query(f'SHOW RETENTION POLICIES ON "{database}"')}


def test_after_provision_points_are_taken(simulated: Simulated, influxd: Influxd, missing: str, tmp_path: Path) -> None:
    """A sink whose database and retention policy are missing has them afterwards: `check` is good, points arrive."""
    config = settings(tmp_path, simulated, v1("main", influxd.url, missing, 'retention_policy = "two years"'))
    assert collector("check", "--config", config).returncode == 1
    said = well(collector("provision", "--config", config, "--keep-days", "730"))
    assert f'CREATE DATABASE "{missing}" WITH DURATION 730d REPLICATION 1 NAME "two years"' in said
    assert "main: done: create the database" in said
    assert retention(influxd, missing) == {"two years": "17520h0m0s"}
    assert "good  sink main: write" in well(collector("check", "--config", config, "--verbose"))
    well(collector("once", "--config", config))
    assert len(influxd.points("exposure_score_by_group", missing)) == 2
    assert "nothing to do" in well(collector("provision", "--config", config))


def test_a_dry_run_does_nothing(simulated: Simulated, influxd: Influxd, missing: str, tmp_path: Path) -> None:
    """`--dry-run` says what would be done, as words and as JSON, and does none of it."""
    config = settings(tmp_path, simulated, v1("main", influxd.url, missing))
    assert "nothing was done" in well(collector("provision", "--config", config, "--dry-run"))
    done = collector("provision", "--config", config, "--dry-run", "--json")
    well(done)
    words = f"create the database {missing} with the retention policy autogen, kept for ever"
    sink = {"name": "main", "changes": [words], "ok": True, "message": "", "mend": ""}
    assert document(done) == {"ok": True, "sinks": [sink]}
    assert missing not in [row["name"] for row in influxd.query("SHOW DATABASES")]


def test_a_retention_is_shortened_only_with_yes(
    simulated: Simulated, influxd: Influxd, database: str, tmp_path: Path
) -> None:
    """Fewer days than what is kept are held back with exit code 2, and done with `--yes`; more days are just done."""
    config = settings(tmp_path, simulated, v1("main", influxd.url, database))
    done = collector("provision", "--config", config, "--keep-days", "30")
    assert done.returncode == 2
    assert f'ALTER RETENTION POLICY "autogen" ON "{database}" DURATION 30d' in done.stdout
    assert "(only with --yes: what is older is deleted)" in done.stdout
    assert "--yes" in done.stderr
    assert retention(influxd, database) == {"autogen": "0s"}
    done = collector("provision", "--config", config, "--keep-days", "30", "--json")
    assert not document(done)["ok"]
    assert document(done)["sinks"][0]["changes"] == []
    said = well(collector("provision", "--config", config, "--keep-days", "30", "--yes"))
    assert "(what is older is deleted)" in said
    assert "--yes" not in said
    assert retention(influxd, database) == {"autogen": "720h0m0s"}
    well(collector("provision", "--config", config, "--keep-days", "0"))
    assert retention(influxd, database) == {"autogen": "0s"}


def test_one_sink_does_not_stop_the_others(
    simulated: Simulated, influxd: Influxd, victoria: Victoria, missing: str, tmp_path: Path
) -> None:
    """A sink that is down and one with an impossible name are said; the others are provisioned all the same."""
    (port,) = free_ports(1)
    config = settings(
        tmp_path,
        simulated,
        v1("down", f"http://127.0.0.1:{port}", "exposure"),
        v1("odd", influxd.url, "a/b"),
        v1("fine", influxd.url, missing),
        f'[influxdb.victoria]\nurl = "{victoria.url}"\nbucket = "exposure"\n',
    )
    done = collector("provision", "--config", config, "--json")
    assert done.returncode == 1
    sinks = {sink["name"]: sink for sink in document(done)["sinks"]}
    assert {name: sink["ok"] for name, sink in sinks.items()} == {
        "down": False,
        "odd": False,
        "fine": True,
        "victoria": True,
    }
    assert "refused" in sinks["down"]["message"]
    assert "influxdb.odd.database" in sinks["odd"]["message"]
    assert all(sink["mend"] for sink in sinks.values() if not sink["ok"])
    assert retention(influxd, missing) == {"autogen": "0s"}
    assert "Traceback" not in done.stderr

    odd = collector("provision", "--config", config, "--sink", "odd")
    assert odd.returncode == 2
    assert odd.stderr.startswith("error: odd: influxdb.odd.database: ")
    well(collector("provision", "--config", config, "--sink", "fine", "--sink", "victoria"))
    done = collector("provision", "--config", config, "--sink", "nonsense")
    assert done.returncode == 2
    assert "down, odd, fine, victoria" in done.stderr


def test_an_administrator_lends_a_sign_in(
    simulated: Simulated,
    influxd_with_users: Influxd,
    missing: str,
    administrator: tuple[str, ...],
    tmp_path: Path,
) -> None:
    """What the collector's user may not, an administrator's does for one command; neither password shows anywhere."""
    user = f"user {uuid.uuid4().hex[:8]}"
    influxd_with_users.query(f"CREATE USER \"{user}\" WITH PASSWORD 'of the collector'")
    more = f'username = "{user}"\npassword = "of the collector"'
    config = settings(tmp_path, simulated, v1("main", influxd_with_users.url, missing, more))
    refused = collector("provision", "--config", config)
    assert refused.returncode == 1
    assert f"the user {user} needs ALL PRIVILEGES" in refused.stderr
    assert f'CREATE DATABASE "{missing}"' in refused.stderr

    created = collector("provision", "--config", config, *administrator)
    assert created.returncode == 1
    assert "main: done: create the database" in created.stdout
    assert "main: nothing is lacking, and yet it takes no points: " in created.stdout
    assert f"mend: grant write on the database {missing}" in created.stderr
    influxd_with_users.query(f'GRANT WRITE ON "{missing}" TO "{user}"')
    well(collector("provision", "--config", config))
    lent = {"COLLECTOR_PROVISION_USERNAME": ADMIN[0], "COLLECTOR_PROVISION_PASSWORD": ADMIN[1]}
    kept = collector("provision", "--config", config, "--keep-days", "36500", "--yes", env=lent)
    assert "for 36,500 days instead of for ever" in well(kept)
    wrong = collector("provision", "--config", config, env={**lent, "COLLECTOR_PROVISION_PASSWORD": "of nobody"})
    assert wrong.returncode == 1
    assert "$COLLECTOR_PROVISION_PASSWORD" in wrong.stderr
    well(collector("once", "--config", config))
    said = "".join(done.stdout + done.stderr for done in (refused, created, kept, wrong))
    assert not any(secret in said for secret in ("of the collector", ADMIN[1], "of nobody"))


@pytest.mark.parametrize("options", [(), ("--dry-run",)])
def test_a_user_who_may_only_read_is_not_well(
    simulated: Simulated, influxd_with_users: Influxd, options: tuple[str, ...], tmp_path: Path
) -> None:
    """Where nothing is lacking, and the user may not write, that is said on stdout and is a failure, with the mend."""
    database = influxd_with_users.database()
    user = f"reader {database}"
    influxd_with_users.query(f"CREATE USER \"{user}\" WITH PASSWORD 'of the reader'")
    influxd_with_users.query(f'GRANT READ ON "{database}" TO "{user}"')
    more = f'username = "{user}"\npassword = "of the reader"'
    config = settings(tmp_path, simulated, v1("main", influxd_with_users.url, database, more))
    lent = {"COLLECTOR_PROVISION_USERNAME": ADMIN[0], "COLLECTOR_PROVISION_PASSWORD": ADMIN[1]}
    done = collector("provision", "--config", config, *options, env=lent)
    assert done.returncode == 1
    assert "nothing to do" not in done.stdout
    assert "nothing is lacking, and yet it takes no points: " in done.stdout
    assert f"mend: grant write on the database {database}" in done.stderr
    sink = document(collector("provision", "--config", config, *options, "--json", env=lent))["sinks"][0]
    assert not sink["ok"]
    assert "it takes no points" in sink["message"]


def test_one_sign_in_does_for_all_sinks_of_a_server(
    simulated: Simulated,
    influxd_with_users: Influxd,
    missing: str,
    administrator: tuple[str, ...],
    tmp_path: Path,
) -> None:
    """Two databases of one server are made with one sign-in that was lent."""
    more = f'username = "{ADMIN[0]}"\npassword = "{ADMIN[1]}"'
    both = (v1(name, influxd_with_users.url, f"{missing} {name}", more) for name in ("first", "second"))
    well(collector("provision", "--config", settings(tmp_path, simulated, *both), *administrator))
    there = {row["name"] for row in influxd_with_users.query("SHOW DATABASES")}
    assert {f"{missing} first", f"{missing} second"} <= there


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--username", "admin"), "--password-file"),
        (("--token-file", "nowhere"), "--token-file: nowhere can't be read"),
        (("--token-file", "token"), "--username with --password-file"),
        (("--username", "admin", "--password-file", "token"), "--sink: which one?"),
        (("--username", "admin", "--password-file", "token", "--token-file", "token"), "goes with no --username"),
        (("--keep-days", "-1"), "--keep-days"),
    ],
)
def test_a_sign_in_that_can_be_no_ones_is_sent_to_no_one(
    options: tuple[str, ...], words: str, simulated: Simulated, influxd: Influxd, tmp_path: Path
) -> None:
    """Half a sign-in, one of another kind of server, and one for several servers are a wrong command line."""
    (tmp_path / "token").write_text("of the administrator")
    config = settings(
        tmp_path, simulated, v1("main", influxd.url, "one"), v1("other", "http://influxdb.invalid:8086", "two")
    )
    done = collector("provision", "--config", config, *options, cwd=tmp_path)
    assert done.returncode == 2
    assert words in done.stderr
    assert "of the administrator" not in done.stdout + done.stderr


def test_without_sinks_there_is_nothing_to_provision(simulated: Simulated, tmp_path: Path) -> None:
    """Where the journal serves alone, `provision` says so and is content."""
    config = settings(tmp_path, simulated)
    assert "the journal keeps the history alone" in well(collector("provision", "--config", config))
    assert document(collector("provision", "--config", config, "--json")) == {"ok": True, "sinks": []}
