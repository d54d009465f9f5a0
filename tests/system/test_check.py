"""`check`: one line a thing, good or bad, with the mend; nothing is changed by it."""

from pathlib import Path

from servers import Influxd, free_ports
from system.blackbox import Process, Simulated, collector, document, settings, until, v1, well


def test_check_is_good_where_all_is_well(simulated: Simulated, influxd: Influxd, database: str, tmp_path: Path) -> None:
    """`check` has a line for settings, sign-in, permission, calls, the journal and each sink; it changes nothing."""
    config = settings(tmp_path, simulated, v1("main", influxd.url, database))
    done = collector("check", "--config", config, "--json")
    well(done)
    report = document(done)
    assert report["ok"]
    assert [check["name"] for check in report["checks"]] == [
        "settings",
        "contoso: sign-in",
        "contoso: permission",
        "contoso: organization",
        "contoso: device_groups",
        "clock",
        "journal",
        "journal: room",
        "sink main: write",
        "sink main: read",
    ]
    assert all(set(check) == {"name", "ok", "message", "mend"} for check in report["checks"])
    assert not (tmp_path / "journal.db").exists()
    assert influxd.query("SHOW MEASUREMENTS", database) == []
    assert "good  contoso: sign-in" in well(collector("check", "--config", config))


def test_check_names_the_fault_and_the_mend(simulated: Simulated, influxd: Influxd, tmp_path: Path) -> None:
    """A missing permission, a missing database and a wrong secret are each a bad line with a mend, and exit code 1."""
    simulated.fault("forbidden", subject="device_groups")
    config = settings(tmp_path, simulated, v1("main", influxd.url, "nowhere"))
    done = collector("check", "--config", config, "--json")
    assert done.returncode == 1
    assert "contoso: device_groups" in done.stderr
    bad = {check["name"]: check for check in document(done)["checks"] if not check["ok"]}
    assert set(bad) == {"contoso: device_groups", "sink main: write"}
    assert "Score.Read.All" in bad["contoso: device_groups"]["message"] + bad["contoso: device_groups"]["mend"]
    assert all(check["mend"] for check in bad.values())

    secret = tmp_path / "wrong.secret"
    secret.write_text("not-the-secret-of-anybody")
    env = {"COLLECTOR__TENANTS__CONTOSO__CREDENTIAL__CLIENT_SECRET_FILE": str(secret)}
    done = collector("check", "--config", config, env=env)
    assert done.returncode == 1
    assert "AADSTS7000215" in done.stdout
    assert "not-the-secret" not in done.stdout + done.stderr


def test_check_says_what_the_journal_holds_and_who_polls_it(simulated: Simulated, tmp_path: Path) -> None:
    """Beside a running service `check` reads the journal and names the process; what can't be one is named too."""
    config = settings(tmp_path, simulated)
    with Process("run", "--config", config) as service:
        until(lambda: len(service.said("poll.settled")) == 2, what="both polls")
        said = well(collector("check", "--config", config))
        assert f"8 points; polled by the process {service.pid}" in said
        assert f"polled by the process {service.pid}" in well(collector("status", "--config", config))
    assert "no process polls it now" in well(collector("check", "--config", config))
    for path, words in (
        (tmp_path, "a folder"),
        (config, "not a database"),
        (tmp_path / "no" / "j.db", "can't be made"),
    ):
        done = collector("check", "--config", config, env={"COLLECTOR__JOURNAL__PATH": str(path)})
        assert done.returncode == 1
        assert words in done.stdout
        assert "mend" in done.stdout


def test_check_tells_a_permission_that_is_missing_from_the_token(simulated: Simulated, tmp_path: Path) -> None:
    """A token without Score.Read.All is a bad permission, with what it has and what to grant."""
    simulated.fault("sign_in_roles", roles=["Machine.Read.All"])
    done = collector("check", "--config", settings(tmp_path, simulated), "--json")
    assert done.returncode == 1
    checks = {check["name"]: check for check in document(done)["checks"]}
    assert checks["contoso: sign-in"]["ok"]
    assert not checks["contoso: permission"]["ok"]
    assert "Machine.Read.All" in checks["contoso: permission"]["message"]
    assert "admin consent" in checks["contoso: permission"]["mend"]


def test_a_user_who_may_only_write_is_enough(simulated: Simulated, influxd_with_users: Influxd, tmp_path: Path) -> None:
    """Reading is not needed to deliver: `check` says that it isn't allowed, and is good."""
    database = influxd_with_users.database()
    influxd_with_users.query("CREATE USER \"deliverer\" WITH PASSWORD 'of the writer'")
    influxd_with_users.query(f'GRANT WRITE ON "{database}" TO "deliverer"')
    more = 'username = "deliverer"\npassword = "of the writer"'
    config = settings(tmp_path, simulated, v1("main", influxd_with_users.url, database, more))
    done = collector("check", "--config", config)
    assert "sink main: read: not allowed, and not needed to deliver" in well(done)
    assert "of the writer" not in done.stdout + done.stderr
    well(collector("once", "--config", config))


def test_check_knows_the_services_own_pages(simulated: Simulated, tmp_path: Path) -> None:
    """The service's own port is well while it runs; beyond loopback `check` warns that anybody may ask."""
    [port] = free_ports(1)
    config = settings(tmp_path, simulated, f'[web]\nlisten = "127.0.0.1:{port}"\n')
    assert f"web: 127.0.0.1:{port} is free" in well(collector("check", "--config", config))
    with Process("run", "--config", config) as service:
        until(lambda: service.said("service.started"), what="the service")
        said = well(collector("check", "--config", config))
        assert f"web: 127.0.0.1:{port}: the service answers there (process {service.pid})" in said
    env = {"COLLECTOR__WEB__LISTEN": f"0.0.0.0:{port}"}
    said = well(collector("check", "--config", config, env=env))
    assert f"warn  web: 0.0.0.0:{port} is free, and other machines can ask there" in said
    for listen in ("192.0.2.1:9470", "127.0.0.1:1"):
        done = collector("check", "--config", config, env={"COLLECTOR__WEB__LISTEN": listen})
        assert ("web.listen" in done.stdout) == (done.returncode == 1)


def test_check_of_many_tenants_is_short(tmp_path: Path) -> None:
    """A dozen tenants that are well are one line; --verbose shows each."""
    with Simulated(tmp_path / "dozen", "--tenants", "12", "--groups", "1") as simulated:
        config = settings(tmp_path / "settings", simulated)
        assert "good  12 tenants: all is well" in well(collector("check", "--config", config))
        said = well(collector("check", "--config", config, "--verbose"))
        assert all(f"good  {tenant}: organization: score" in said for tenant in simulated.tenants)


def test_a_directory_under_two_names_is_warned_of(simulated: Simulated, tmp_path: Path) -> None:
    """A customer's file that was copied, and kept the other's tenant_id, would tell one customer the other's scores."""
    config = settings(tmp_path, simulated)
    text = config.read_text(encoding="utf-8")
    start = text.index("[tenants.contoso]")
    own = text[start:].partition("\n\n")[0]
    twin = own.replace("[tenants.contoso]", "[tenants.fabrikam]")
    config.write_text(f"{text}\n{twin}\n", encoding="utf-8")
    for more in ((), ("--tenant", "fabrikam"), ("--tenant", "contoso")):
        said = well(collector("check", "--config", config, *more))
        assert "warn  fabrikam: tenant_id: is that of contoso too" in said
        assert said.count("is that of") == 1
        assert "mend: correct tenants.fabrikam.tenant_id or tenants.contoso.tenant_id" in said
