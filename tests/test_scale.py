"""What the page on scale says that can be counted is so, and what it tells people to look at is there."""

import re
from pathlib import Path

import pytest
from benchmarks.polls import HOUR, Polls
from benchmarks.size import GOALS
from test_derive import Lived, lived

from collector.journal import Journal
from collector.measurements import MEASUREMENTS
from collector.pipeline.hold import MOST
from collector.service.engine import Engine
from collector.service.spread import span
from collector.settings import Settings, load
from collector.settings.models import Poll
from collector.web.metrics import GROUP_SERIES

__all__ = ["lived"]

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "docs" / "scale.md").read_text(encoding="utf-8")
SOURCES = "\n".join(path.read_text(encoding="utf-8") for path in sorted((ROOT / "collector").rglob("*.py")))
EVENTS = re.findall(r"`([a-z]+\.[a-z_]+)`", TEXT)
METRICS = sorted(set(re.findall(r"`((?:collector|defender)_\w+)", TEXT)))
TENANT = """
[tenants.north-1]
tenant_id = "11111111-1111-1111-1111-111111111111"
client_id = "22222222-2222-2222-2222-222222222222"
credential = { kind = "client_secret", client_secret = "made-up" }
"""
_LIMIT = 1_000_000
"""Series of a database that a 1.x takes unless its settings say otherwise."""
_JOURNAL = 73
"""Bytes of a point in the journal, by docs/retention.md."""


def number(pattern: str) -> float:
    """Return the one number that the page has in a place."""
    (found,) = re.findall(pattern, " ".join(TEXT.split()))
    return float(found.replace(",", ""))


def series(groups: int) -> int:
    """Return how many series a tenant has by the page's sum."""
    return 3 * groups + 5


@pytest.mark.parametrize("name", METRICS)
def test_each_metric_that_the_page_names_is_one(name: str) -> None:
    """Who looks for it in `/metrics` finds it."""
    assert f'"{name.removesuffix("_total")}"' in SOURCES


@pytest.mark.parametrize("event", sorted({each for each in EVENTS if not each.endswith(("toml", "md", "conf"))}))
def test_each_word_of_the_log_and_of_the_settings_that_the_page_names_is_one(event: str) -> None:
    """It is an event of the log, or a key of the settings."""
    table, key = event.split(".")
    section = Settings.model_fields.get(table)
    assert f'"{event}"' in SOURCES or (section and key in section.annotation.model_fields)  # type: ignore[union-attr]


def test_the_settings_that_the_page_proposes_are_settings(tmp_path: Path) -> None:
    """Each block of settings loads, beside a tenant and the url that a sink has anyway."""
    blocks = re.findall(r"```toml\n(.*?)```", TEXT, re.DOTALL)
    assert blocks
    for block in blocks:
        path = tmp_path / "collector.toml"
        path.write_text(f"{block}\n{TENANT}", encoding="utf-8")
        assert load(path, {}).tenants


def test_the_limits_of_ours_are_as_the_page_says() -> None:
    """How many groups a scrape shows, how many points wait in memory, and how tenants begin a slot."""
    assert number(r"shows the first ([\d,]+) groups") == GROUP_SERIES
    assert number(r"([\d,]+) points wait in memory") == MOST
    assert number(r"1,000 tenants within ([\d,]+) s of an hour") == span(1_000, 3600)
    assert number(r"from ([\d,]+) tenants on within six minutes") == 10 * span(10**6, 3600)
    assert number(r"`poll.concurrency` \((\d+), at most 256") == Poll().concurrency


def test_connections_do_not_grow_with_tenants(tmp_path: Path) -> None:
    """The service is made with as many as the page says."""
    path = tmp_path / "collector.toml"
    path.write_text(TENANT, encoding="utf-8")
    with Journal(tmp_path / "journal.db") as journal:
        engine = Engine(load(path, {}), journal, name="host-1", tenants=[], delivered=lambda _: None)
        assert number(r"most of them ([\d,]+): twice") == engine._clients._most
        engine.stop(0)


def test_a_tenant_has_as_many_series_as_the_page_says(lived: Lived) -> None:
    """Counted in a journal that has two days of a tenant: its scores, what is derived of them, and its polls."""
    groups = 7
    polls = Polls(groups, "contoso")
    for _ in range(50):
        slot = lived.now + HOUR
        lived.came(*polls.organization(slot), *polls.groups(slot))
    rare = {"exposure_spike", "exposure_annotation"}
    found = sum(len(set(lived.journal.series(name))) for name in MEASUREMENTS if name not in rare)
    assert found == series(groups)
    assert "3 *g* + 5" in TEXT


@pytest.mark.parametrize(
    ("groups", "tenants"),
    [
        (int(a), int(b.replace(",", "")))
        for a, b in re.findall(r"^\| (\d+) groups \| ([\d,]+) tenants", TEXT, re.MULTILINE)
    ],
)
def test_an_influxdb_is_full_where_the_page_says(groups: int, tenants: int) -> None:
    """By the sum, to two digits."""
    assert tenants == pytest.approx(_LIMIT / series(groups), rel=0.05)


def test_a_year_of_the_journal_is_as_long_as_the_page_says() -> None:
    """By the sum of docs/retention.md: hourly, 20 groups a tenant."""
    rows = re.findall(r"^\| ([\d,]+) tenants \|.*\| ([\d.]+) (M|G)B a year \|$", TEXT, re.MULTILINE)
    assert [int(tenants.replace(",", "")) for tenants, *_ in rows] == [10, *(tenants for tenants, _ in GOALS.capacity)]
    for tenants, size, unit in rows:
        a_tenant = 365 * 24 * 21 * 2 + 365 * 21 + 730 * 24
        expected = int(tenants.replace(",", "")) * a_tenant * _JOURNAL
        assert float(size) * {"M": 1e6, "G": 1e9}[unit] == pytest.approx(expected, rel=0.06)
