"""What a person adds to the settings of `simulate` is there when it starts again."""

import tomllib
from pathlib import Path
from typing import Any

import pytest

from collector.errors import ConfigError
from collector.simulator import Simulator

_INFLUXDB = """
# What I try it with.
[influxdb.main]
api = "v1"
url = "http://127.0.0.1:8086"
database = "tried"
"""


def started(folder: Path, **options: Any) -> tuple[Simulator, str]:
    """Start a simulator in a folder and stop it; return it, and what its settings' file says."""
    simulator = Simulator(folder=folder, **options)
    simulator.stop()
    return simulator, simulator.settings_file.read_text(encoding="utf-8")


def test_a_second_start_keeps_what_was_added_and_puts_its_own_right(tmp_path: Path) -> None:
    """Sections, keys and comments stay, wherever they stand; the address, and the way to sign in, are those of now."""
    _, first = started(tmp_path)
    lines = first.splitlines()
    at = lines.index("[tenants.contoso]")
    mine = ["# Mine.", *lines[:at], "[poll]", "interval_seconds = 5   # to see it move", "", *lines[at:]]
    mine += ["client_secret_expires = 2030-01-01", *_INFLUXDB.splitlines()]
    (tmp_path / "collector.toml").write_text("\n".join(mine) + "\n")
    second, text = started(tmp_path, credential="certificate")
    assert second.url not in first
    (fresh,) = tomllib.loads(second.settings)["tenants"].values()
    assert tomllib.loads(text) == {
        "poll": {"interval_seconds": 5},
        "tenants": {"contoso": {**fresh, "client_secret_expires": tomllib.loads("d = 2030-01-01")["d"]}},
        "influxdb": {"main": {"api": "v1", "url": "http://127.0.0.1:8086", "database": "tried"}},
    }
    for line in ("# Mine.", "interval_seconds = 5   # to see it move", "# What I try it with."):
        assert line in text.splitlines()
    assert f"simulated on {second.url}:" in text


def test_settings_without_additions_are_those_of_a_first_start(tmp_path: Path) -> None:
    """Started again, with each way to sign in, it leaves what a new folder would have."""
    for kind in ("client_secret", "managed_identity", "device_code", "managed_identity", "client_secret"):
        simulator, text = started(tmp_path, credential=kind)
        assert text == simulator.settings


def test_tenants_come_and_go_with_their_number(tmp_path: Path) -> None:
    """A tenant that is new is added, one that is simulated no more is gone, and what was added outlives both."""
    started(tmp_path, tenants=2)
    with (tmp_path / "collector.toml").open("a") as file:
        file.write(_INFLUXDB)
    for count in (3, 1):
        simulator, text = started(tmp_path, tenants=count)
        found = tomllib.loads(text)
        assert found["tenants"] == tomllib.loads(simulator.settings)["tenants"]
        assert found["influxdb"]["main"]["database"] == "tried"
        assert "# What I try it with." in text


def test_a_tenant_of_a_persons_own_stays(tmp_path: Path) -> None:
    """A section that is of no simulated tenant is nobody's but the person's."""
    started(tmp_path)
    own = '\n[tenants.real]\ntenant_id = "11111111-1111-1111-1111-111111111111"\nca_file = "corporate.pem"\n'
    with (tmp_path / "collector.toml").open("a") as file:
        file.write(own)
    assert own in started(tmp_path)[1]


def test_a_line_that_was_taken_out_is_back(tmp_path: Path) -> None:
    """Without its CA, say, the simulator can't be polled: its own lines are complete each time it starts."""
    _, text = started(tmp_path)
    (tmp_path / "collector.toml").write_text(text.replace("ca_file", "# ca_file"))
    simulator, text = started(tmp_path)
    assert tomllib.loads(text) == tomllib.loads(simulator.settings)
    assert "# ca_file" in text


@pytest.mark.parametrize(
    ("changed", "says", "mend"),
    [
        ("[poll\n", "can't be read, so what was added to it can't be kept", "mend or delete that file"),
        ("[tenants.contoso.more]\n", "can't be told from the simulator's own lines", "on one line each"),
        ("[[tenants.fabrikam]]\n", "can't be told from the simulator's own lines", "on one line each"),
        ('[tenants.fabrikam]\nca_file = "{ca}"\nregion = "eu"\n', "[tenants.fabrikam] has region", "--tenants"),
    ],
)
def test_what_cannot_be_kept_is_refused(tmp_path: Path, changed: str, says: str, mend: str) -> None:
    """Where it can't be sure to keep everything it starts nothing and changes nothing, and says what to do."""
    simulator, text = started(tmp_path)
    if "contoso" in changed:
        text = text.replace("credential = {", "[tenants.contoso.credential]\n#")
    (tmp_path / "collector.toml").write_text(text + changed.replace("{ca}", str(simulator.ca_file)))
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}
    with pytest.raises(ConfigError) as caught:
        Simulator(folder=tmp_path)
    assert says in str(caught.value)
    assert mend in caught.value.mend
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before
