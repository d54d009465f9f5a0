"""What the page on retention says of sizes is what a real InfluxDB 1.x and the journal take, and its sums are right."""

import re
import tomllib
from collections.abc import Mapping
from fnmatch import fnmatch
from pathlib import Path

import pytest
from servers import INFLUXD, Influxd, need
from stored import Stored, history, stored

from collector.measurements import MEASUREMENTS, Origin
from collector.settings import load

TEXT = (Path(__file__).parents[1] / "docs" / "retention.md").read_text(encoding="utf-8")
EACH = {
    name: (float(weeks), float(years))
    for name, weeks, years in re.findall(r"^\| `(\w+)` \| ([\d.]+) \| ([\d.]+) \|", TEXT, re.MULTILINE)
}
_DAYS = 14
JOURNAL = "the journal"


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, float]:
    """Bytes a point by measurement, of two weeks, and of the journal."""
    need(INFLUXD)
    folder = tmp_path_factory.mktemp("stored")
    points, journal = history(folder, _DAYS)
    found: Mapping[str, Stored] = stored(points, folder)
    return {**{name: its.each for name, its in found.items()}, JOURNAL: journal / len(points)}


@pytest.mark.parametrize("name", EACH)
def test_a_point_costs_what_the_page_says(measured: Mapping[str, float], name: str) -> None:
    """Two weeks of the same history cost as much a point, give or take what a short history has more of."""
    weeks, _ = EACH[name]
    assert 0.7 * weeks <= measured[name] <= 1.5 * weeks


def test_a_row_of_the_journal_costs_what_the_page_says(measured: Mapping[str, float]) -> None:
    """The file is that long."""
    (said,) = re.findall(r"^\| the journal, a point of any of them \| (\d+) \|", TEXT, re.MULTILINE)
    assert 0.8 * int(said) <= measured[JOURNAL] <= 1.2 * int(said)


def test_the_page_has_each_measurement_that_grows_by_itself() -> None:
    """All but what is rare, what people write and what has to be asked for."""
    rare = {"exposure_spike", "exposure_annotation", "device_secure_score"}
    assert set(EACH) == set(MEASUREMENTS) - rare


def _year(tenants: int, groups: int, polls: int = 24) -> tuple[float, float, float]:
    """Return points, and bytes in shards of a week and of a year, of all measurements of a year."""
    days = 365
    counts = {
        "exposure_score": days * polls,
        "exposure_trend": days * polls,
        "exposure_score_by_group": days * polls * groups,
        "exposure_trend_by_group": days * polls * groups,
        "exposure_score_daily": days,
        "exposure_score_by_group_daily": days * groups,
        "collector_poll": 2 * days * polls,
    }
    assert counts.keys() == EACH.keys()
    weeks, years = (sum(count * EACH[name][column] for name, count in counts.items()) for column in (0, 1))
    return tenants * sum(counts.values()), tenants * weeks, tenants * years


def test_the_sums_are_right() -> None:
    """Each row of the table of years follows from the table of points, to the two digits that it has."""
    units = {"million": 1e6, "billion": 1e9, "MB": 1e6, "GB": 1e9}
    rows = re.findall(r"^\| (one|[\d,]+) tenants?(?:,| of) (\d+) groups, hourly \| (.+) \|$", TEXT, re.MULTILINE)
    assert len(rows) == 4
    for tenants, groups, cells in rows:
        points, weeks, years = _year(1 if tenants == "one" else int(tenants.replace(",", "")), int(groups))
        said = [float(number) * units[unit] for number, unit in (cell.strip().split() for cell in cells.split("|"))]
        for is_said, is_so in zip(said, (points, weeks, years, points * 73), strict=True):
            assert is_said == pytest.approx(is_so, rel=0.06), (tenants, groups, is_said, is_so)


def test_shards_are_made_longer_as_the_page_says(influxd: Influxd) -> None:
    """InfluxDB takes the statement, and has shards of that length from then on."""
    (statement,) = re.findall(r"^```sql\n(.*)\n```", TEXT, re.MULTILINE)
    (database,) = re.findall(r'ON "(\w+)"', statement)
    influxd.query(f"CREATE DATABASE {database}")
    influxd.query(statement)
    assert [row["shardGroupDuration"] for row in influxd.query(f"SHOW RETENTION POLICIES ON {database}")] == [
        "8736h0m0s"
    ]
    influxd.query(f"DROP DATABASE {database}")


def test_the_settings_of_the_page_load(tmp_path: Path) -> None:
    """Its two sinks are accepted, and the second one takes days, spikes and annotations, and nothing else."""
    blocks = re.findall(r"^```toml\n(.*?)^```", TEXT, re.DOTALL | re.MULTILINE)
    assert len(blocks) == 2
    tenant = '[tenants.contoso]\ntenant_id = "11111111-1111-1111-1111-111111111111"\n'
    tenant += 'client_id = "22222222-2222-2222-2222-222222222222"\ncredential = { kind = "managed_identity" }\n'
    for block in blocks:
        (tmp_path / "collector.toml").write_text(tenant + block, encoding="utf-8")
        load(tmp_path / "collector.toml", {})
    patterns = tomllib.loads(blocks[1])["influxdb"]["forever"]["measurements"]
    taken = {name for name in MEASUREMENTS if any(fnmatch(name, pattern) for pattern in patterns)}
    kept = {"exposure_score_daily", "exposure_score_by_group_daily", "exposure_spike", "exposure_annotation"}
    assert taken == kept
    assert not any(MEASUREMENTS[name].origin is Origin.RAW for name in taken)
