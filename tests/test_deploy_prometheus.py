"""The alert rules for Prometheus hold what Prometheus' own checker holds them to, and ask what `/metrics` has."""

import json
import re
import subprocess
from pathlib import Path

from deployed import BOARDS, panels
from prometheus_client.parser import text_string_to_metric_families
from servers import need
from test_web import Known

from collector.settings import Spikes
from collector.web.metrics import exposition
from deploy.blueprints import prometheus

ROOT = Path(__file__).parents[1]
DEPLOY = ROOT / "deploy" / "prometheus"
PROMTOOL = "/usr/bin/promtool"
_METRIC = re.compile(r"\b(?:collector|defender)_\w+")
_LABELS = re.compile(r"\b(?:by|on) \(([^)]*)\)|(\w+)!?=~?\\?\"")


def checked(*arguments: str) -> str:
    """Return what `promtool` says; fail when it objects."""
    done = promtool(*arguments)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def promtool(*arguments: str, given: str = "") -> "subprocess.CompletedProcess[str]":
    """Return how `promtool` ended, `given` what it reads."""
    need(PROMTOOL)
    return subprocess.run(
        [PROMTOOL, *arguments], cwd=ROOT, input=given, capture_output=True, text=True, timeout=120, check=False
    )


def test_the_metrics_are_named_as_prometheus_has_it() -> None:
    """`promtool check metrics` finds names, units, types and words of help right.

    But for two labels, which are called as they are in InfluxDB.
    """
    text, _ = exposition(Known(), "text/plain")
    objections = promtool("check", "metrics", given=text.decode()).stderr.splitlines()
    camel = "defender_exposure_score_by_group label names should be written in 'snake_case' not 'camelCase'"
    assert set(objections) == {camel}


def test_the_rules_and_the_settings_are_ones() -> None:
    """`promtool check config` finds nothing wrong with the sample settings and the rules that they name."""
    assert "SUCCESS" in checked("check", "config", str(DEPLOY / "prometheus.yaml"))


def test_each_alert_fires_when_it_must_and_only_then() -> None:
    """`promtool test rules` on histories with steps, dips, drifts, noise, gaps and restarts."""
    assert "SUCCESS" in checked("test", "rules", "tests/promtool/exposure.test.yaml")


def test_each_alert_has_a_history_on_which_it_fires() -> None:
    """No alert is there whose firing was not seen."""
    history = (ROOT / "tests" / "promtool" / "exposure.test.yaml").read_text(encoding="utf-8")
    names = re.findall(r'alert: "(\w+)"', (DEPLOY / "exposure.rules.yaml").read_text(encoding="utf-8"))
    assert len(names) == 13
    for name in names:
        assert re.search(rf"alertname: {name}\n +exp_alerts:\n +- exp_labels", history), name


def test_what_is_asked_is_what_the_metrics_have() -> None:
    """Each metric, and each label, of a rule and of a panel is one that `/metrics` shows."""
    text, _ = exposition(Known(), "text/plain")
    families = list(text_string_to_metric_families(text.decode()))
    shown = {sample.name for family in families for sample in family.samples}
    labels = {label for family in families for sample in family.samples for label in sample.labels} | {"instance"}
    rules = re.findall(r'expr: (".*")$', (DEPLOY / "exposure.rules.yaml").read_text(encoding="utf-8"), re.MULTILINE)
    asked = [json.loads(rule) for rule in rules] + [
        target["expr"]
        for board in BOARDS.values()
        for panel in panels(board)
        for target in panel["targets"]
        if "expr" in target
    ]
    assert len(asked) > 20
    for expression in asked:
        assert set(_METRIC.findall(expression)) <= shown, expression
        named = {name.strip() for several, one in _LABELS.findall(expression) for name in (several or one).split(",")}
        assert named <= labels, expression


def test_a_rise_is_what_the_settings_take_for_one() -> None:
    """Without a word of its owner Prometheus reckons with the same points and days as the collector."""
    usual = Spikes()
    assert (
        usual.rise_points,
        usual.group_rise_points,
        usual.window_days,
    ) == (prometheus.RISE, prometheus.GROUP_RISE, prometheus.WINDOW_DAYS)
