"""The facts as Prometheus has them, made when they are scraped: gauges kept for 200,000 groups cost 180 MiB."""

from collections.abc import Iterator

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector

from collector.errors import JournalError
from collector.web.facts import Facts

GROUP_SERIES = 10_000
"""Groups that are shown at the most; all of them are in the journal and in InfluxDB."""


def exposition(facts: Facts, accept: str) -> tuple[bytes, str]:
    """Return the metrics and their content type, in the format that `accept` asks for."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Scrape(facts))
    encode, content_type = choose_encoder(accept)
    return encode(registry), content_type


class _Scrape(Collector):
    def __init__(self, facts: Facts) -> None:
        self._facts = facts

    def collect(self) -> Iterator[Metric]:
        readable = True
        try:
            # A list: half a family would be a lie.
            yield from [*self._scores(), self._scored(), *self._sinks(), *self._derived()]
            yield GaugeMetricFamily(
                "collector_journal_bytes", "Size of the journal's file", value=self._facts.journal_bytes()
            )
        except JournalError:
            readable = False
        yield from self._polls()
        yield self._expiries()
        yield from self._settings()
        yield GaugeMetricFamily(
            "collector_journal_ok",
            "1 while the journal can be read and written, and holds what was written as far as it was looked at",
            value=int(readable and self._facts.journal_ok()),
        )

    def _scores(self) -> Iterator[Metric]:
        whole = GaugeMetricFamily(
            "defender_exposure_score",
            "The organization's exposure score, 0 to 100, lower is better; gone after three intervals without a point",
            labels=["tenant"],
        )
        groups = GaugeMetricFamily(
            "defender_exposure_score_by_group",
            "A device group's exposure score, 0 to 100, lower is better; gone after three intervals without a point",
            labels=["tenant", "rbacGroupName", "rbacGroupId"],
        )
        for point in self._facts.scores(GROUP_SERIES):
            family = whole if point.series.measurement == "exposure_score" else groups
            family.add_metric(point.series[2::2], float(point.fields["score"]))
        yield whole
        yield groups

    def _scored(self) -> Metric:
        # The score itself goes: a gauge that stays would be drawn as measured at each scrape. Since when it is gone
        # stays, also over a restart.
        times = GaugeMetricFamily(
            "defender_exposure_score_timestamp_seconds",
            "The slot of the organization's newest score, however old",
            labels=["tenant"],
        )
        for tenant, seconds in self._facts.scored().items():
            times.add_metric([tenant], seconds)
        return times

    def _sinks(self) -> Iterator[Metric]:
        backlog = GaugeMetricFamily(
            "collector_sink_backlog_points", "Points that the sink has yet to take", labels=["sink"]
        )
        oldest = GaugeMetricFamily(
            "collector_sink_oldest_point_seconds",
            "Age of the first point that the sink has yet to take",
            labels=["sink"],
        )
        dead = GaugeMetricFamily("collector_dead_letters", "Points that the sink has refused for good", labels=["sink"])
        for sink in self._facts.sinks():
            backlog.add_metric([sink.sink], sink.backlog)
            oldest.add_metric([sink.sink], sink.oldest_seconds)
            dead.add_metric([sink.sink], sink.dead_letters)
        yield from (backlog, oldest, dead)

    def _derived(self) -> Iterator[Metric]:
        derived = self._facts.derived()
        yield GaugeMetricFamily(
            "collector_derive_backlog_points",
            "Points from which trends, spikes and days are yet to be derived",
            value=derived.backlog,
        )
        yield GaugeMetricFamily(
            "collector_derive_oldest_point_seconds",
            "Age of the first point that is yet to be derived from",
            value=derived.oldest_seconds,
        )
        yield GaugeMetricFamily(
            "collector_derive_left_out",
            "Scores of which something can't be derived, while all the rest is; the log names them",
            value=derived.left_out,
        )
        yield GaugeMetricFamily(
            "collector_derive_ok", "1 while deriving goes well and leaves nothing out", value=int(derived.ok)
        )

    def _expiries(self) -> Metric:
        ends = GaugeMetricFamily(
            "collector_credential_expiry_timestamp_seconds",
            "When the tenant's certificate or client secret ends, as far as it is known",
            labels=["tenant"],
        )
        for tenant, seconds in self._facts.expiries().items():
            ends.add_metric([tenant], seconds)
        return ends

    def _settings(self) -> Iterator[Metric]:
        settings = self._facts.settings()
        yield GaugeMetricFamily(
            "collector_reload_ok", "1 unless the last reload was refused: old settings hold", value=int(settings.ok)
        )
        yield GaugeMetricFamily(
            "collector_settings_timestamp_seconds", "When the settings that hold were taken up", value=settings.taken_up
        )
        tenants = GaugeMetricFamily(
            "collector_tenants", "Tenants of the settings, by whether this shard polls them", labels=["shard", "polled"]
        )
        tenants.add_metric([settings.shard, "here"], settings.here)
        tenants.add_metric([settings.shard, "elsewhere"], settings.elsewhere)
        yield tenants

    def _polls(self) -> Iterator[Metric]:
        success = GaugeMetricFamily(
            "collector_poll_last_success_timestamp_seconds",
            "The slot of the last poll that succeeded",
            labels=["tenant", "subject"],
        )
        for key, seconds in self._facts.successes().items():
            success.add_metric(key, seconds)
        polls = CounterMetricFamily(
            "collector_polls", "Polls that were settled, by outcome", labels=["tenant", "subject", "outcome"]
        )
        for outcome, count in self._facts.polls().items():
            polls.add_metric(outcome, count)
        yield success
        yield polls
        yield from self._last_polls()

    def _last_polls(self) -> Iterator[Metric]:
        labels = ["tenant", "subject"]
        moments = GaugeMetricFamily(
            "collector_poll_timestamp_seconds", "The slot of the last poll that was settled, well or not", labels=labels
        )
        lengths = GaugeMetricFamily(
            "collector_poll_seconds",
            "How long the exchanges of the last poll took, those of all its tries together",
            labels=labels,
        )
        throttled = CounterMetricFamily(
            "collector_poll_throttled",
            "Tries of polls to which the answer was that the tenant is asked too often (429)",
            labels=labels,
        )
        for key, poll in self._facts.polled().items():
            moments.add_metric(key, poll.at)
            lengths.add_metric(key, poll.seconds)
            throttled.add_metric(key, poll.throttled)
        yield from (moments, lengths, throttled)
