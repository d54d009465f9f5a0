"""The same alerts for Prometheus, by what `/metrics` says, and what only Prometheus can know: backlog, dead letters.

`/metrics` has no baselines. What was usual is reckoned here as the collector does, from the scores at the midnights of
the last days; a baseline that is frozen while a spike lasts, and breaks, it can't know.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from collector.errors import Unauthorized
from collector.history.card import HIGH, MEDIUM
from deploy.blueprints.looks import Json
from deploy.blueprints.panels import LATE

SCORE, BY_GROUP = "defender_exposure_score", "defender_exposure_score_by_group"
RISE, GROUP_RISE, WINDOW_DAYS = 5, 10, 14
"""What `[spikes]` of the settings says unless it says otherwise."""

_CLOSES = 3
"""Days that have to be known, and that a rise is measured against."""
_NOISE = 3 * 1.4826
_NEWS = "12h"
_SOON_DAYS = 14
_METRICS = {SCORE: RISE, BY_GROUP: GROUP_RISE}
_TENANT, _VALUE = "{{ $labels.tenant }}", "{{ $value }}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """One alert: it fires for each series that `expression` has, once that has held `holds`."""

    name: str
    expression: str
    holds: str
    severity: str
    summary: str
    description: str

    def json(self) -> Json:
        """Return it as Prometheus reads it."""
        return {
            "alert": self.name,
            "expr": self.expression,
            "for": self.holds,
            "labels": {"severity": self.severity, "service": "exposure-collector"},
            "annotations": {"summary": self.summary, "description": self.description},
        }


def rules(interval_seconds: int) -> Json:
    """Return the file of rules, for scores that are polled once an interval."""
    alerts = (*_scores(), *_polls(interval_seconds), *_delivery(interval_seconds))
    recorded = [_recorded(metric, rise) for metric, rise in _METRICS.items()]
    return {
        "groups": [
            # More often than every 5 minutes, after which Prometheus takes a value for gone.
            {"name": "exposure-usual", "interval": "2m", "rules": [rule for pair in recorded for rule in pair]},
            {"name": "exposure", "interval": "1m", "rules": [alert.json() for alert in alerts]},
        ]
    }


def _recorded(metric: str, rise: int) -> Sequence[Json]:
    """Return what is usual of a score, how far its days are from that, and how far above it the score has risen."""
    days = f"[{WINDOW_DAYS}d:1d]"
    usual, noise, risen = (f"{metric}:{what}" for what in ("usual", "noise", "risen"))
    # Before there are days by which to tell how noisy a score is, it counts as still.
    least = f"(clamp_min({noise} * {_NOISE:g}, {rise}) or {metric} * 0 + {rise})"
    lately = f"min_over_time({metric}[{_CLOSES}d:1d])"
    return (
        {
            "record": usual,
            "expr": f"quantile_over_time(0.5, {metric}{days}) and count_over_time({metric}{days}) >= {_CLOSES}",
        },
        {"record": noise, "expr": f"quantile_over_time(0.5, abs({metric} - {usual}){days})"},
        {"record": risen, "expr": f"{metric} - {usual} >= {least} and {metric} - {lately} >= {least}"},
    )


def _scores() -> Sequence[Alert]:
    # Since 12 hours at the most; an hour of it is looked at, so that a restart at that moment makes no news.
    new = {metric: f"{metric}:risen unless max_over_time({metric}:risen[1h] offset {_NEWS})" for metric in _METRICS}
    return (
        Alert(
            name="ExposureSpike",
            expression=new[SCORE],
            holds="10m",
            severity="critical",
            summary=f"{_TENANT}: the exposure score stands far above what was usual",
            description="A spike of the organization's score has begun. It is told once, and no news after 12 hours.",
        ),
        Alert(
            name="ExposureSpikeGroups",
            expression=f"count by (tenant) (({new[BY_GROUP]}) and {BY_GROUP} >= {MEDIUM:g})",
            holds="10m",
            severity="warning",
            summary=f"{_TENANT}: the exposure score of {_VALUE} device groups has risen",
            description="One alert a tenant, however many groups rose. Groups on a low level are left out.",
        ),
        Alert(
            name="ExposureLevelHigh",
            expression=f"{SCORE} >= {HIGH:g}",
            holds="10m",
            severity="critical",
            summary=f"{_TENANT}: the exposure score is on a high level",
            description="The organization's score is 70 or more.",
        ),
        Alert(
            name="ExposureLevelHighGroups",
            expression=(
                f"count by (tenant) ({BY_GROUP} >= {HIGH:g} and min_over_time({BY_GROUP}[{_NEWS}]) < {HIGH:g})"
            ),
            holds="10m",
            severity="warning",
            summary=f"{_TENANT}: {_VALUE} device groups have come to a high level",
            description="Their score was under 70 within the last 12 hours, and is not any more.",
        ),
    )


def _polls(interval: int) -> Sequence[Alert]:
    late = (LATE + 1) * interval
    age = "time() - collector_poll_last_success_timestamp_seconds"
    refused = f'collector_polls_total{{outcome="{Unauthorized.__name__}"}}'
    window = f"{2 * interval}s"
    return (
        Alert(
            name="ExposureLate",
            # Two collectors may poll one tenant: the better of them counts.
            expression=(
                f"max by (tenant) (min by (tenant, subject) ({age})) >= {late} "
                f'or sum by (tenant) (collector_polls_total{{outcome!="ok"}}) >= {LATE} '
                "unless on (tenant) collector_poll_last_success_timestamp_seconds"
            ),
            holds="10m",
            severity="warning",
            summary=f"{_TENANT}: no fresh exposure score for three intervals",
            description="`exposure-collector status` says why.",
        ),
        Alert(
            name="ExposureSignIn",
            # A counter that has only just appeared has not increased.
            expression=(
                f"count by (tenant) ((increase({refused}[{window}]) > 0 or {refused} unless {refused} offset {window}) "
                f"unless on (tenant, subject) {age} < {2 * interval})"
            ),
            holds="10m",
            severity="critical",
            summary=f"{_TENANT}: Microsoft refuses the collector",
            description="A person must grant, renew or create something: `exposure-collector check` says what.",
        ),
        Alert(
            name="ExposureCredentialEnds",
            expression=f"collector_credential_expiry_timestamp_seconds - time() < {_SOON_DAYS} * 86400",
            holds="1h",
            severity="warning",
            summary=f"{_TENANT}: its certificate or client secret ends within {_SOON_DAYS} days",
            description="One that is replaced on disk counts without a restart.",
        ),
    )


def _delivery(interval: int) -> Sequence[Alert]:
    return (
        Alert(
            name="ExposureBacklog",
            expression=f"collector_sink_oldest_point_seconds > {(LATE + 1) * interval}",
            holds="15m",
            severity="warning",
            summary="{{ $labels.sink }}: points wait to be delivered",
            description="Nothing is lost: the journal has them. `exposure-collector status` says what is wrong.",
        ),
        Alert(
            name="ExposureDeadLetters",
            expression="collector_dead_letters > 0",
            holds="10m",
            severity="warning",
            summary=f"{{{{ $labels.sink }}}}: {_VALUE} points were refused for good",
            description="`exposure-collector rejected list` shows them, with the server's words.",
        ),
        Alert(
            name="ExposureJournal",
            expression="collector_journal_ok == 0",
            holds="10m",
            severity="critical",
            summary="The journal can't be written, or is damaged",
            description="Points wait in memory. `exposure-collector check` says what is to be done.",
        ),
        Alert(
            name="ExposureDerive",
            expression="collector_derive_ok == 0",
            holds="30m",
            severity="warning",
            summary="Trends, spikes or days of some scores are not told",
            description="No score is lost. The log says what is wrong: `derive.failed`, `derive.left_out`.",
        ),
        Alert(
            name="ExposureReload",
            expression="collector_reload_ok == 0",
            holds="10m",
            severity="warning",
            summary="Changed settings were refused, and older ones hold",
            description="A start would refuse them too, and poll nobody. The log names the lines: `settings.refused`.",
        ),
        Alert(
            name="ExposureCollectorGone",
            expression="absent(collector_journal_ok)",
            holds="15m",
            severity="critical",
            summary="The collector is not to be seen",
            description="It does not run, or Prometheus can't read /metrics. What it misses can't be asked for again.",
        ),
    )
