"""The pages over facts: live, ready, metrics, and who may ask."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from fakes import group, score
from prometheus_client.parser import text_string_to_metric_families

from collector.errors import ConfigError, JournalError
from collector.history.view import Ranking, View
from collector.point import Point
from collector.web import DeriveFacts, PollFacts, SettingsFacts, SinkFacts, Web
from collector.web.metrics import GROUP_SERIES

READY = {"ready": True, "reasons": [], "warnings": []}
SLOT = 1_700_000_000_000 // 3_600_000 * 3_600_000


class Known:
    """Facts as a test wants them."""

    def __init__(self) -> None:
        self.alive = True
        self.why: list[str] = []
        self.though: list[str] = []
        self.points: list[Point] = [score("contoso", SLOT, 41.25), group("contoso", 'Büro "3"\\x', SLOT, 12.0, "7")]
        self.readable = True
        self.writable = True
        self.views: dict[str, View] = {}
        self.ranked: Ranking | None = None

    def turns(self) -> bool:
        return self.alive

    def reasons(self) -> Sequence[str]:
        return self.why

    def warnings(self) -> Sequence[str]:
        return self.though

    def settings(self) -> SettingsFacts:
        return SettingsFacts(ok=not self.though, taken_up=1_700_000_000.5, shard="0/3", here=4, elsewhere=8)

    def derived(self) -> DeriveFacts:
        return DeriveFacts(backlog=12, oldest_seconds=60.5, left_out=len(self.though), ok=not self.though)

    def scores(self, most: int) -> Sequence[Point]:
        if not self.readable:
            raise JournalError("disk I/O error")
        whole = [point for point in self.points if point.series.measurement == "exposure_score"]
        return [*whole, *[point for point in self.points if point.series.measurement != "exposure_score"][:most]]

    def tenants(self) -> Sequence[str]:
        return list(self.views)

    def ranking(self, days: int, place: int) -> Ranking:
        assert days > 0
        assert place >= 0
        assert self.ranked is not None
        return self.ranked

    def view(self, tenant: str, days: int | None, group: str | None, place: int) -> View | None:
        assert days is None or days > 0
        assert place >= 0
        if not self.readable:
            raise JournalError("disk I/O error", mend="look at the disk")
        found = self.views.get(tenant)
        if found is None or group is None:
            return found
        return next((replace(found, group=one) for one in found.card.groups if group in (one.name, one.id)), None)

    def scored(self) -> Mapping[str, float]:
        return {"contoso": SLOT / 1000}

    def successes(self) -> Mapping[tuple[str, str], float]:
        return {("contoso", "organization"): 1_699_999_200.0}

    def polls(self) -> Mapping[tuple[str, str, str], int]:
        return {("contoso", "organization", "ok"): 5, ("contoso", "organization", "Unavailable"): 1}

    def polled(self) -> Mapping[tuple[str, str], PollFacts]:
        return {("contoso", "organization"): PollFacts(at=SLOT / 1000, seconds=1.25, throttled=3)}

    def expiries(self) -> Mapping[str, float]:
        return {"contoso": 1_800_000_000.0}

    def sinks(self) -> Sequence[SinkFacts]:
        return [SinkFacts(sink="main", backlog=7, oldest_seconds=3600.5, dead_letters=2)]

    def journal_bytes(self) -> int:
        return 4096

    def journal_ok(self) -> bool:
        return self.writable


@pytest.fixture
def known() -> Known:
    """A collector that is well."""
    return Known()


@pytest.fixture
def pages(known: Known) -> Iterator[httpx.Client]:
    """A client of the pages, which allow the name a.test."""
    web = Web("127.0.0.1", 0, ("a.test",), known)
    web.start()
    with httpx.Client(base_url=web.url, trust_env=False) as client:
        yield client
    web.stop()


def samples(text: str) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    """Return every sample by its name and labels, as Prometheus reads it."""
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_live_and_ready(known: Known, pages: httpx.Client) -> None:
    """200 while it turns and is ready; 503 with the reasons otherwise."""
    assert (pages.get("/livez").status_code, pages.get("/readyz").json()) == (200, READY)
    known.alive, known.why = False, ["no tenant was polled"]
    assert pages.get("/livez").status_code == 503
    ready = pages.get("/readyz")
    assert (ready.status_code, ready.json()) == (503, READY | {"ready": False, "reasons": ["no tenant was polled"]})


def test_metrics_are_what_prometheus_reads(pages: httpx.Client) -> None:
    """Every promised metric is there with its labels and value, names with quotes and backslashes included."""
    found = samples(pages.get("/metrics").text)

    def value(name: str, **labels: str) -> float:
        return found[name, frozenset(labels.items())]

    assert value("defender_exposure_score", tenant="contoso") == 41.25
    labels = {"tenant": "contoso", "rbacGroupName": 'Büro "3"\\x', "rbacGroupId": "7"}
    assert value("defender_exposure_score_by_group", **labels) == 12.0
    assert value("defender_exposure_score_timestamp_seconds", tenant="contoso") == SLOT / 1000
    subject = {"tenant": "contoso", "subject": "organization"}
    assert value("collector_poll_last_success_timestamp_seconds", **subject) == 1_699_999_200.0
    assert value("collector_credential_expiry_timestamp_seconds", tenant="contoso") == 1_800_000_000.0
    assert value("collector_polls_total", outcome="ok", **subject) == 5
    assert value("collector_polls_total", outcome="Unavailable", **subject) == 1
    assert value("collector_poll_timestamp_seconds", **subject) == SLOT / 1000
    assert value("collector_poll_seconds", **subject) == 1.25
    assert value("collector_poll_throttled_total", **subject) == 3
    assert value("collector_sink_backlog_points", sink="main") == 7
    assert value("collector_sink_oldest_point_seconds", sink="main") == 3600.5
    assert value("collector_dead_letters", sink="main") == 2
    assert value("collector_derive_backlog_points") == 12
    assert value("collector_derive_oldest_point_seconds") == 60.5
    assert value("collector_derive_ok") == 1
    assert value("collector_reload_ok") == 1
    assert value("collector_settings_timestamp_seconds") == 1_700_000_000.5
    assert value("collector_tenants", shard="0/3", polled="here") == 4
    assert value("collector_tenants", shard="0/3", polled="elsewhere") == 8
    assert value("collector_journal_bytes") == 4096
    assert value("collector_journal_ok") == 1


def test_the_readme_names_every_metric(pages: httpx.Client) -> None:
    """Its table has each that is scraped, with its labels, and no other."""
    readme = (Path(__file__).parents[1] / "README.md").read_text().partition("\n## While it runs\n")[2]
    listed = dict(re.findall(r"^\| `((?:defender|collector)_\w+)(?:\{([\w, ]+)\})?` \|", readme, re.MULTILINE))
    found = dict(samples(pages.get("/metrics").text).keys())
    assert {name: set(re.findall(r"\w+", labels)) for name, labels in listed.items()} == {
        name: {label for label, _ in labels} for name, labels in found.items()
    }


def test_what_can_not_be_derived_is_seen_and_makes_nobody_unready(known: Known, pages: httpx.Client) -> None:
    """`/readyz` says it beside what is ready, and the metrics have it for an alert."""
    known.though = ["what follows from the scores is not all derived: a fault"]
    ready = pages.get("/readyz")
    assert (ready.status_code, ready.json()) == (200, READY | {"warnings": known.though})
    found = samples(pages.get("/metrics").text)
    assert [found[f"collector_derive_{name}", frozenset()] for name in ("ok", "left_out")] == [0, 1]


def test_a_journal_that_fails_is_told_by_the_metrics(known: Known, pages: httpx.Client) -> None:
    """Without a readable journal the metrics still answer, and say so; an unwritable one too."""
    known.writable = False
    assert samples(pages.get("/metrics").text)["collector_journal_ok", frozenset()] == 0
    known.writable, known.readable = True, False
    found = samples(pages.get("/metrics").text)
    assert found["collector_journal_ok", frozenset()] == 0
    assert not any(name.startswith("defender_") for name, _ in found)


def test_groups_past_ten_thousand_are_left_out(known: Known, pages: httpx.Client) -> None:
    """A provider's 200,000 groups are no page for Prometheus."""
    known.points = [group("contoso", f"group {n}", SLOT) for n in range(GROUP_SERIES + 5)]
    text = pages.get("/metrics").text
    assert text.count("\ndefender_exposure_score_by_group{") == GROUP_SERIES


def test_openmetrics_is_answered_to_who_asks_for_it(pages: httpx.Client) -> None:
    """Prometheus asks for OpenMetrics, and gets it."""
    answer = pages.get("/metrics", headers={"Accept": "application/openmetrics-text; version=1.0.0"})
    assert answer.headers["Content-Type"].startswith("application/openmetrics-text")
    assert answer.text.endswith("# EOF\n")


def test_the_server_answers_and_ends(known: Known) -> None:
    """It binds at once, answers after its start, and a second one on the port is refused with the setting's name."""
    web = Web("127.0.0.1", 0, (), known)
    port = int(web.url.rsplit(":", 1)[1].rstrip("/"))
    with pytest.raises(ConfigError, match=r"web\.listen"):
        Web("127.0.0.1", port, (), known)
    web.start()
    assert httpx.get(f"{web.url}livez", trust_env=False).text == "ok\n"
    web.stop()
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{web.url}livez", trust_env=False)
