"""How figures look: the levels' bands and colours, which are the score card's, units, and what is drawn how.

Each function returns a part of a panel as Grafana keeps it in JSON.
"""

from collections.abc import Mapping, Sequence

from collector.history.card import HIGH, MEDIUM

GREEN, AMBER, RED = "#2fa463", "#f0b23c", "#e4574f"
BLUE, GREY, VIOLET = "#2456cf", "#7a8490", "#6b3fc4"
"""As `collector/web/card.css` has them."""

_STILL = 0.05
"""A change of less is shown as 0.0."""
_LEVELS = (("1", "low", GREEN), ("2", "medium", AMBER), ("3", "high", RED))

Json = dict[str, object]


def steps(first: str, *others: tuple[float, str]) -> Json:
    """Return thresholds: a colour from the bottom on, and others from a value on."""
    above = [{"value": value, "color": color} for value, color in others]
    return {"mode": "absolute", "steps": [{"value": None, "color": first}, *above]}


BANDS = steps(GREEN, (MEDIUM, AMBER), (HIGH, RED))
"""Low, medium and high."""
MOVES = steps(GREEN, (-_STILL, GREY), (_STILL, RED))
"""A score that fell, stayed or rose: lower is better."""
NONE_IS_GOOD = steps(GREEN, (1, RED))

LEVELS: list[Json] = [
    {"type": "value", "options": {value: {"text": text, "color": color} for value, text, color in _LEVELS}}
]
"""What the numbers of the field `level` say."""
OUTCOMES: list[Json] = [
    {"type": "value", "options": {"0": {"text": "failed", "color": RED}, "1": {"text": "ok", "color": GREEN}}}
]
STATES: list[Json] = [
    {
        "type": "value",
        "options": {
            "0": {"text": "over", "color": GREY},
            "1": {"text": "open", "color": RED},
            "2": {"text": "withdrawn", "color": GREY},
        },
    }
]


def score(**more: object) -> Json:
    """Return how a score is shown: one decimal, in the colour of its level."""
    return {
        "unit": "none",
        "decimals": 1,
        "min": 0,
        "color": {"mode": "thresholds"},
        "thresholds": BANDS,
        "noValue": "-",
        **more,
    }


def change() -> Json:
    """Return how a change is shown."""
    return {"unit": "none", "decimals": 1, "color": {"mode": "thresholds"}, "thresholds": MOVES, "noValue": "-"}


def count(good: Json | None = None, unit: str = "none") -> Json:
    """Return how a number of things is shown; `good`: the thresholds, where some numbers are worse than others."""
    color: Json = {"mode": "thresholds"} if good else {"mode": "fixed", "fixedColor": BLUE}
    return {"unit": unit, "decimals": 0, "color": color, "thresholds": good or steps(BLUE), "noValue": "0"}


def lines(*, bands: bool = False, bars: bool = False, stepped: bool = True, filled: int = 0) -> Json:
    """Return how series are drawn. `bands`: the levels behind them; `stepped`: a value stands until the next one."""
    drawn: Json = {
        "drawStyle": "bars" if bars else "line",
        "lineInterpolation": "stepAfter" if stepped and not bars else "linear",
        "lineWidth": 1 if bars else 2,
        "fillOpacity": 70 if bars else filled,
        "showPoints": "never",
        "axisSoftMin": 0,
        "thresholdsStyle": {"mode": "area" if bands else "off"},
    }
    if bars:
        drawn["stacking"] = {"mode": "normal", "group": "A"}
    return drawn


def legend(*calcs: str, table: bool = False) -> Json:
    """Return the legend and the tooltip of a chart."""
    return {
        "legend": {
            "showLegend": True,
            "displayMode": "table" if table else "list",
            "placement": "right" if table else "bottom",
            "calcs": list(calcs),
            **({"sortBy": "Last *", "sortDesc": True} if table and "lastNotNull" in calcs else {}),
        },
        "tooltip": {"mode": "multi", "sort": "desc"},
    }


def override(name: str, properties: Mapping[str, object]) -> Json:
    """Return what is different for the field of this name."""
    listed: Sequence[Json] = [{"id": key, "value": value} for key, value in properties.items()]
    return {"matcher": {"id": "byName", "options": name}, "properties": listed}


def painted(kind: str, look: Json) -> Json:
    """Return the properties of a table's column whose cells have the colour of their value."""
    shown = {key: value for key, value in look.items() if key not in ("min", "noValue", "color")}
    return {"custom.cellOptions": {"type": kind}, "custom.width": 110, **shown}
