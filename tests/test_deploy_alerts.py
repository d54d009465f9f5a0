"""The alert rules fire on histories on which a person has to be told, and on no other; by a real InfluxDB 1.x."""

import json
import subprocess
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest
from alerting import MINUTE, TENANT, Story, Watch
from deployed import RULES
from quarter import HOUR
from servers import Influxd, need

from collector.errors import CollectorError, Unauthorized, Unavailable
from deploy.blueprints.files import ALERTS, files

PROMTOOL = "/usr/bin/promtool"
REFUSED: CollectorError = Unauthorized("no consent")
ABSENT: CollectorError = Unavailable("503")


@pytest.fixture
def story(tmp_path: Path, influxd: Influxd) -> Iterator[Story]:
    """A history that has yet to begin."""
    story = Story(tmp_path, influxd)
    yield story
    story.close()


@pytest.fixture
def watch() -> Callable[[str], Watch]:
    """Watches a rule of the committed file."""
    return lambda uid: Watch(RULES[uid])


def groups(*scores: float) -> dict[str, dict[str, float]]:
    """Return groups of the tenant with these scores."""
    return {TENANT: {f"group {number}": score for number, score in enumerate(scores)}}


def test_a_spike_is_told_once_within_half_an_hour(story: Story, watch: Callable[[str], Watch]) -> None:
    """Seven points above what was usual page within half an hour, once, and are no news after half a day."""
    spike = watch("exposure-spike")
    story.usual(5, {TENANT: 40.0, "calm": 40.0})
    story.hours(3, {TENANT: 40.5, "calm": 40.0}, watches=[spike])
    assert spike.told == []
    rose = story.now
    story.hours(11, {TENANT: 47.0, "calm": 40.0}, watches=[spike])
    assert spike.firing == {(TENANT,)}
    ((when, _),) = spike.told
    assert when - rose <= 30 * MINUTE
    story.hours(14, {TENANT: 47.0, "calm": 40.0}, watches=[spike])
    assert spike.firing == set()
    assert len(spike.told) == 1


@pytest.mark.parametrize("scores", [(44.0, 44.0, 44.0), (35.0, 40.0, 40.0), (42.0, 44.0, 46.0)], ids=str)
def test_what_is_no_spike_is_not_told(
    story: Story, watch: Callable[[str], Watch], scores: tuple[float, float, float]
) -> None:
    """A step of less than five points, a dip that ends, and a drift over days page nobody."""
    spike = watch("exposure-spike")
    story.usual(5, {TENANT: 40.0})
    for score in scores:
        story.usual(1, {TENANT: score})
        story.hours(2, {TENANT: score}, watches=[spike])
    assert spike.told == []


def test_a_second_step_is_told_though_the_first_spike_goes_on(story: Story, watch: Callable[[str], Watch]) -> None:
    """What comes a day and a half later is news of its own."""
    spike = watch("exposure-spike")
    story.usual(5, {TENANT: 40.0})
    story.hours(36, {TENANT: 47.0}, watches=[spike])
    story.hours(2, {TENANT: 54.0}, watches=[spike])
    assert [labels for _, labels in spike.told] == [(TENANT,), (TENANT,)]


def test_groups_that_rise_together_are_one_alert_of_their_tenant(story: Story, watch: Callable[[str], Watch]) -> None:
    """Twelve device groups page once; on the next day another one pages anew."""
    spike = watch("exposure-spike-groups")
    story.usual(5, {TENANT: 40.0}, groups(*[25.0] * 12, 25.0))
    story.hours(1, {TENANT: 40.0}, groups(*[25.0] * 12, 25.0), watches=[spike])
    story.hours(2, {TENANT: 40.0}, groups(*[45.0] * 12, 25.0), watches=[spike])
    assert [labels for _, labels in spike.told] == [(TENANT,)]
    story.usual(1, {TENANT: 40.0}, groups(*[45.0] * 12, 25.0))
    story.hours(1, {TENANT: 40.0}, groups(*[45.0] * 12, 25.0), watches=[spike])
    assert spike.firing == set()
    story.hours(2, {TENANT: 40.0}, groups(*[45.0] * 12, 45.0), watches=[spike])
    assert [labels for _, labels in spike.told] == [(TENANT,), (TENANT,)]


def test_a_group_on_a_low_level_pages_nobody(story: Story, watch: Callable[[str], Watch]) -> None:
    """From 5 to 25 is a spike, and still low; the same rise to 30 is told."""
    spike = watch("exposure-spike-groups")
    story.usual(5, {TENANT: 40.0}, groups(5.0, 5.0))
    story.hours(2, {TENANT: 40.0}, groups(25.0, 5.0), watches=[spike])
    assert spike.told == []
    story.hours(2, {TENANT: 40.0}, groups(25.0, 30.0), watches=[spike])
    assert spike.firing == {(TENANT,)}


def test_the_organization_has_an_alert_of_its_own(story: Story, watch: Callable[[str], Watch]) -> None:
    """A spike of the organization is not told as one of a group, nor the other way."""
    whole, parts = watch("exposure-spike"), watch("exposure-spike-groups")
    story.usual(5, {TENANT: 40.0, "other": 40.0}, groups(40.0))
    story.hours(2, {TENANT: 40.0, "other": 47.0}, groups(55.0), watches=[whole, parts])
    assert whole.firing == {("other",)}
    assert parts.firing == {(TENANT,)}


def test_a_high_level_is_told_for_as_long_as_it_lasts(story: Story, watch: Callable[[str], Watch]) -> None:
    """70 fires, 69.9 does not; it goes on through hours without a score, and ends when the level is left."""
    high = watch("exposure-level-high")
    story.hours(2, {TENANT: 69.9}, watches=[high])
    assert high.told == []
    story.hours(3, {TENANT: 70.0}, watches=[high])
    assert high.firing == {(TENANT,)}
    story.hours(3, {}, watches=[high])
    story.hours(1, {}, watches=[high], answers=False)
    assert high.firing == {(TENANT,)}
    story.hours(1, {TENANT: 69.0}, watches=[high])
    assert high.firing == set()
    assert len(high.told) == 1


def test_a_high_level_of_nobody_any_more_keeps_its_last_state(story: Story, watch: Callable[[str], Watch]) -> None:
    """When the last tenant falls silent, its alert stays as it was instead of being called off."""
    high = watch("exposure-level-high")
    story.hours(2, {TENANT: 75.0}, watches=[high])
    story.hours(15, {}, watches=[high])
    assert high.firing == {(TENANT,)}


def test_groups_are_told_when_they_come_to_a_high_level(story: Story, watch: Callable[[str], Watch]) -> None:
    """One that was always there pages nobody; two that come pages once, as one alert, and are no news for ever."""
    high = watch("exposure-level-high-groups")
    story.hours(3, {TENANT: 50.0}, groups(90.0, 69.0, 69.0), watches=[high])
    assert high.told == []
    story.hours(3, {TENANT: 50.0}, groups(90.0, 72.0, 71.0), watches=[high])
    assert [labels for _, labels in high.told] == [(TENANT,)]
    story.hours(14, {TENANT: 50.0}, groups(90.0, 72.0, 71.0), watches=[high])
    assert high.firing == set()
    assert len(high.told) == 1


def test_a_tenant_is_late_after_three_intervals(story: Story, watch: Callable[[str], Watch]) -> None:
    """Two missed slots are none of anybody's business, three are told within the hour, of that tenant alone."""
    late = watch("exposure-late")
    story.hours(6, {TENANT: 40.0, "other": 40.0}, watches=[late])
    story.hours(2, {"other": 40.0}, watches=[late])
    story.hours(4, {TENANT: 40.0, "other": 40.0}, watches=[late])
    assert late.told == []
    last = story.now - HOUR
    story.hours(5, {"other": 40.0}, watches=[late])
    ((when, labels),) = late.told
    assert labels == (TENANT,)
    assert 3 * HOUR < when - last <= 5 * HOUR
    story.hours(1, {TENANT: 40.0, "other": 40.0}, watches=[late])
    assert late.firing == set()


def test_a_tenant_stays_late_for_days(story: Story, watch: Callable[[str], Watch]) -> None:
    """That it has no point any more calls nothing off."""
    late = watch("exposure-late")
    story.hours(2, {TENANT: 40.0, "other": 40.0}, watches=[late])
    story.usual(6, {"other": 40.0})
    story.hours(1, {"other": 40.0}, watches=[late])
    assert late.firing == {(TENANT,)}


def test_without_any_score_somebody_is_told(story: Story, watch: Callable[[str], Watch]) -> None:
    """An empty database fires within half an hour: nothing comes in."""
    late = watch("exposure-late")
    story.hours(1, {}, error={TENANT: ABSENT}, watches=[late])
    assert late.firing == {()}


def test_a_restart_of_the_database_is_no_alert(story: Story, watch: Callable[[str], Watch]) -> None:
    """Ten minutes without an answer change nothing; an hour of them is told by the rule for fresh points alone."""
    watches = [watch(uid) for uid in RULES]
    story.hours(6, {TENANT: 40.0}, error={TENANT: None}, watches=watches)
    for watched in watches:
        for minute in (0, 5, 10):
            watched.look(story.now + minute * MINUTE, None)
        assert watched.told == []
    story.hours(1, {TENANT: 40.0}, error={TENANT: None}, watches=watches)
    story.hours(1, {TENANT: 40.0}, error={TENANT: None}, watches=watches, answers=False)
    assert {watched.rule["uid"] for watched in watches if watched.firing} == {"exposure-late"}
    story.hours(1, {TENANT: 40.0}, error={TENANT: None}, watches=watches)
    assert not any(watched.firing for watched in watches)


def test_a_refused_sign_in_is_told_and_an_outage_is_not(story: Story, watch: Callable[[str], Watch]) -> None:
    """Unauthorized fires for that tenant until a poll succeeds; Unavailable is nobody's fault here."""
    refused = watch("exposure-sign-in")
    story.hours(2, {TENANT: 40.0}, error={TENANT: None, "other": ABSENT}, watches=[refused])
    assert refused.told == []
    story.hours(2, {}, error={TENANT: REFUSED, "other": ABSENT}, watches=[refused])
    assert refused.firing == {(TENANT,)}
    story.hours(1, {}, error={TENANT: REFUSED}, watches=[refused], answers=False)
    assert refused.firing == {(TENANT,)}
    story.hours(1, {TENANT: 40.0}, error={TENANT: None, "other": ABSENT}, watches=[refused])
    assert refused.firing == set()
    assert len(refused.told) == 1


def test_rules_for_rare_polls_wait_for_them(story: Story) -> None:
    """With a poll each six hours the rules made for that are quiet between two, and tell when they are missing."""
    (group,) = json.loads(files(6 * 3600)[ALERTS])["groups"]
    rare = {rule["uid"]: Watch(rule) for rule in group["rules"]}
    watches = [rare["exposure-late"], rare["exposure-level-high"]]
    for _ in range(4):
        story.hours(1, {TENANT: 75.0}, watches=watches)
        story.hours(5, {}, watches=watches)
    assert rare["exposure-late"].told == []
    assert [labels for _, labels in rare["exposure-level-high"].told] == [(TENANT,)]
    story.hours(14, {}, watches=watches)
    assert rare["exposure-late"].told == []
    story.hours(6, {}, watches=watches)
    assert rare["exposure-late"].firing == {(TENANT,)}


@pytest.mark.parametrize(
    ("labels", "summary", "link"),
    [
        ({"tenant": "O'Neil & co"}, "O'Neil & co", "?var-tenant=O%27Neil+%26+co&viewPanel=8"),
        ({}, "all tenants", "?viewPanel=8"),
    ],
    ids=["a tenant's", "nobody's"],
)
def test_an_alert_of_an_empty_database_reads_well(
    labels: Mapping[str, str], summary: str, link: str, tmp_path: Path
) -> None:
    """It has no tenant to name, and leads to all of them; by the templates that Grafana has from Prometheus."""
    need(PROMTOOL)
    # Promtool has no address of its own to begin a link with.
    written = {
        key: RULES["exposure-late"]["annotations"][key].removeprefix("{{ externalURL }}") for key in ("summary", "link")
    }
    rules = {"groups": [{"name": "g", "rules": [{"alert": "Late", "expr": "late > 0", "annotations": written}]}]}
    said = {"summary": f"{summary}: no fresh exposure score for three intervals", "link": f"d/exposure-tenants{link}"}
    pairs = ", ".join(f'{key}="{value}"' for key, value in labels.items())
    test = {
        "interval": "1m",
        "input_series": [{"series": f"late{{{pairs}}}", "values": "1x5"}],
        "alert_rule_test": [
            {
                "eval_time": "3m",
                "alertname": "Late",
                "exp_alerts": [{"exp_labels": dict(labels), "exp_annotations": said}],
            }
        ],
    }
    (tmp_path / "rules.yaml").write_text(json.dumps(rules), encoding="utf-8")
    tests = {"rule_files": ["rules.yaml"], "evaluation_interval": "1m", "tests": [test]}
    (tmp_path / "tests.yaml").write_text(json.dumps(tests), encoding="utf-8")
    done = subprocess.run(
        [PROMTOOL, "test", "rules", "tests.yaml"], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
