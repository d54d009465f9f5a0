"""The alert rules for Grafana. Each asks the data source of one fixed uid, since alert rules know no variables.

They say when to tell, not whom: contact points and notification policies stay their owner's. No query asks for `now()`:
the range of the rule is the only time in it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from collector.errors import Unauthorized
from collector.history.card import MEDIUM
from deploy.blueprints import boards, groups, score, service, tenants
from deploy.blueprints.influxql import EVERYBODY, WITHIN
from deploy.blueprints.looks import Json
from deploy.blueprints.panels import LATE

FOLDER, GROUP = "Exposure", "Exposure score"
NEWS_SECONDS = 12 * 3600
"""How long something that happened is news. The score moves once a day: what happens tomorrow is told anew."""
EVERY = "5m"

_MEMORY_SECONDS = 7 * 86_400
"""How long a tenant is missed."""
_EXPRESSION = "__expr__"
_HOME = "{{ externalURL }}"
"""Grafana's own address, which ends in a slash."""
_CHOSEN = "{{ with $labels.tenant }}var-tenant={{ . | urlquery }}&{{ end }}"
"""The alert's tenant as a part of an address. An alert of an empty database is nobody's."""
_HIGH = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One rule: it fires for each series whose last value is over (`gt`) or under (`lt`) `bound`, once that `holds`.

    `seconds`: how far back it asks. `unknown`: the state without any series, `failing`: while the database can't be
    asked. `shows`: dashboard and panel.
    """

    uid: str
    title: str
    query: str
    seconds: int
    severity: str
    summary: str
    description: str
    shows: tuple[str, int]
    compares: str = "gt"
    bound: float = 0
    holds: str = "10m"
    unknown: str = "OK"
    failing: str = "KeepLast"

    def json(self) -> Json:
        """Return it as Grafana reads it."""
        dashboard, panel = self.shows
        return {
            "uid": self.uid,
            "title": self.title,
            "condition": "C",
            "data": [
                _query(self.query, self.seconds),
                _expression(
                    "B", {"type": "reduce", "expression": "A", "reducer": "last", "settings": {"mode": "dropNN"}}
                ),
                _expression(
                    "C",
                    {
                        "type": "threshold",
                        "expression": "B",
                        "conditions": [{"evaluator": {"type": self.compares, "params": [self.bound]}}],
                    },
                ),
            ],
            "for": self.holds,
            "noDataState": self.unknown,
            "execErrState": self.failing,
            "dashboardUid": dashboard,
            "panelId": panel,
            "annotations": {
                "summary": self.summary,
                "description": self.description,
                "link": f"{_HOME}d/{dashboard}?{_CHOSEN}viewPanel={panel}",
                "__dashboardUid__": dashboard,
                "__panelId__": str(panel),
            },
            "labels": {"severity": self.severity, "service": "exposure-collector"},
            "isPaused": False,
        }


def rules(interval_seconds: int) -> Sequence[Rule]:
    """Return all rules, for scores that are polled once an interval."""
    recent = max(NEWS_SECONDS, (LATE + 1) * interval_seconds)
    return (*_spikes(), *_levels(recent), _late(interval_seconds), _signing_in(recent))


def provisioning(interval_seconds: int) -> Json:
    """Return the file that Grafana provisions them from."""
    group: Json = {
        "orgId": 1,
        "name": GROUP,
        "folder": FOLDER,
        "interval": EVERY,
        "rules": [rule.json() for rule in rules(interval_seconds)],
    }
    return {"apiVersion": 1, "groups": [group]}


def _spikes() -> Sequence[Rule]:
    begun = f'SELECT count("peak") FROM "exposure_spike" WHERE {WITHIN} AND "state" = 1'
    return (
        Rule(
            uid="exposure-spike",
            title="Exposure score: a spike has begun",
            query=f'{begun} AND "rbacGroupName" = \'{EVERYBODY}\' GROUP BY "tenant"',
            seconds=NEWS_SECONDS,
            severity="critical",
            summary="{{ $labels.tenant }}: the exposure score stands far above what was usual",
            description=(
                "A spike of the organization's score has begun. It is told once and is no news after 12 hours; whether "
                "it goes on, and how many device groups rose with it, is on the dashboard."
            ),
            shows=(score.UID, score.TREND),
        ),
        Rule(
            uid="exposure-spike-groups",
            title="Exposure score: spikes of device groups have begun",
            # A peak under 30 means that the score never left the low level.
            query=f'{begun} AND "peak" >= {MEDIUM:g} AND "rbacGroupName" != \'{EVERYBODY}\' GROUP BY "tenant"',
            seconds=NEWS_SECONDS,
            severity="warning",
            summary="{{ $labels.tenant }}: the exposure score of {{ $values.B.Value }} device groups has risen",
            description=(
                "One alert a tenant, however many groups rose: all of them at once is a new scoring model rather than "
                "a threat. Groups on a low level are left out."
            ),
            shows=(score.UID, score.SPIKES),
        ),
    )


def _levels(recent: int) -> Sequence[Rule]:
    of_groups = (
        'SELECT last("level") AS "now", min("level") AS "least" FROM "exposure_trend_by_group" '
        f'WHERE {WITHIN} GROUP BY "tenant", "rbacGroupName", "rbacGroupId"'
    )
    return (
        Rule(
            uid="exposure-level-high",
            title="Exposure score: the level is high",
            query=f'SELECT last("level") FROM "exposure_trend" WHERE {WITHIN} GROUP BY "tenant"',
            seconds=recent,
            bound=_HIGH - 1,
            unknown="KeepLast",
            severity="critical",
            summary="{{ $labels.tenant }}: the exposure score is on a high level",
            description="The organization's score is 70 or more. It fires for as long as that holds.",
            shows=(score.UID, score.SCORE),
        ),
        Rule(
            uid="exposure-level-high-groups",
            title="Exposure score: device groups have come to a high level",
            query=(
                f'SELECT count("now") FROM ({of_groups}) WHERE "now" = {_HIGH} AND "least" < {_HIGH} GROUP BY "tenant"'
            ),
            seconds=recent,
            severity="warning",
            summary="{{ $labels.tenant }}: {{ $values.B.Value }} device groups have come to a high level",
            description="Their score was under 70 within the last 12 hours, and is not any more. Told once.",
            shows=(score.UID, groups.LEVELS),
        ),
    )


def _late(interval_seconds: int) -> Rule:
    # A mean over the step that has begun and as many whole ones as may be missing: 0 where none of them has a point.
    points = f'moving_average(count("score"), {LATE + 1})'
    step = f"time({interval_seconds}s)"
    return Rule(
        uid="exposure-late",
        title="Exposure score: no fresh point",
        query=f'SELECT {points} FROM "exposure_score" WHERE {WITHIN} GROUP BY {step}, "tenant" fill(0)',
        seconds=max(_MEMORY_SECONDS, 10 * LATE * interval_seconds),
        compares="lt",
        bound=0.1,
        holds="15m",
        unknown="Alerting",
        failing="Alerting",
        severity="warning",
        summary=(
            "{{ with $labels.tenant }}{{ . }}{{ else }}all tenants{{ end }}: "
            "no fresh exposure score for three intervals"
        ),
        description=(
            "Either it is not polled, or not delivered: `exposure-collector status` says which. It fires, too, when "
            "there is no score at all, or the database does not answer for 15 minutes. It stops after 7 days."
        ),
        shows=(tenants.UID, tenants.OLDEST),
    )


def _signing_in(recent: int) -> Rule:
    last = f'SELECT last("error") AS "error" FROM "collector_poll" WHERE {WITHIN} GROUP BY "tenant", "subject"'
    return Rule(
        uid="exposure-sign-in",
        title="Exposure score: sign-in or permission fails",
        query=f'SELECT count("error") FROM ({last}) WHERE "error" = \'{Unauthorized.__name__}\' GROUP BY "tenant"',
        seconds=recent,
        severity="critical",
        summary="{{ $labels.tenant }}: Microsoft refuses the collector",
        description=(
            "The last poll ended in Unauthorized: a person must grant, renew or create something. "
            "`exposure-collector check` says what. A poll that is missed can't be asked for again."
        ),
        shows=(service.UID, service.FAILURES),
    )


def _query(text: str, seconds: int) -> Json:
    return {
        "refId": "A",
        "relativeTimeRange": {"from": seconds, "to": 0},
        "datasourceUid": boards.UID,
        "model": {
            "refId": "A",
            "datasource": {"type": "influxdb", "uid": boards.UID},
            "query": text,
            "rawQuery": True,
            "resultFormat": "time_series",
            "intervalMs": 60_000,
            "maxDataPoints": 43_200,
        },
    }


def _expression(ref: str, model: Json) -> Json:
    """Return a step that Grafana computes itself."""
    return {
        "refId": ref,
        "relativeTimeRange": {"from": 0, "to": 0},
        "datasourceUid": _EXPRESSION,
        "model": {"refId": ref, "datasource": {"type": _EXPRESSION, "uid": _EXPRESSION}, **model},
    }
