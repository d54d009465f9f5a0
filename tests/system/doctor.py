"""What `check` says, for the tests of its faults. Never imports collector."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from system.blackbox import collector


@dataclass(frozen=True)
class Check:
    """One finding of `check --json`."""

    ok: bool
    message: str
    mend: str


def checks(config: Path, *arguments: str, env: Mapping[str, str] | None = None) -> dict[str, Check]:
    """Return every finding by its name; hold that exit code and `ok` go together, and that there was no traceback."""
    done = collector("check", "--config", config, "--json", *arguments, env=env)
    assert "Traceback" not in done.stderr
    report = json.loads(done.stdout)
    assert set(report) == {"ok", "checks"}
    assert report["ok"] == (done.returncode == 0)
    found = {each.pop("name"): Check(**each) for each in report["checks"]}
    assert len(found) == len(report["checks"])
    assert report["ok"] == all(check.ok for check in found.values())
    assert all(name in done.stderr for name, check in found.items() if not check.ok and done.returncode == 1)
    return found


def bad(config: Path, *arguments: str, env: Mapping[str, str] | None = None) -> dict[str, Check]:
    """Return the bad findings by name; hold that there is one, and that each has a mend."""
    found = {name: check for name, check in checks(config, *arguments, env=env).items() if not check.ok}
    assert found
    assert all(check.mend for check in found.values()), found
    return found


def only_bad(config: Path, name: str, *arguments: str, env: Mapping[str, str] | None = None) -> Check:
    """Return the one finding that is bad; hold that it is the one of that name."""
    [(found, check)] = bad(config, *arguments, env=env).items()
    assert found == name
    return check
