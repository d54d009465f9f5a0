"""Expressions in PromQL, of what `/metrics` says. Is not how they are drawn, and not the alerts."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Expression:
    """One expression. `name`: how its series are called; `instant`: whether its value now is wanted, as a row."""

    text: str
    name: str = ""
    instant: bool = False

    def target(self, ref: str, uid: str) -> dict[str, object]:
        """Return it as a panel has it."""
        return {
            "refId": ref,
            "datasource": {"type": "prometheus", "uid": uid},
            "expr": self.text,
            "legendFormat": self.name,
            "instant": self.instant,
            "range": not self.instant,
            "format": "table" if self.instant else "time_series",
        }
