"""The clock of this machine, against what the tenants' servers say. Pure: whoever asked them brings the offsets."""

from collections.abc import Iterable, Sequence

from collector.check.finding import Finding
from collector.defender import TOLERATED_SECONDS, agreed

_MEND = "let the clock be set over the network (NTP); `timedatectl` shows whether it is"


def judge(offsets: Iterable[float | None]) -> Sequence[Finding]:
    """Return the finding of the clock, none where no server told the time. An offset is how far it is ahead, in s."""
    ahead = agreed(offsets)
    if ahead is None:
        return []
    if abs(ahead) < TOLERATED_SECONDS:
        return [Finding("clock", ok=True, message=f"within {TOLERATED_SECONDS // 60} minutes of the servers'")]
    message = f"this machine's clock is {_span(round(abs(ahead)))} {'ahead of' if ahead > 0 else 'behind'} the servers'"
    return [Finding("clock", ok=False, message=message, mend=_MEND)]


def _span(seconds: int) -> str:
    """Return a span in its two greatest units."""
    units = ((86_400, "days"), (3600, "h"), (60, "min"), (1, "s"))
    parts = [(seconds // size % most, unit) for (size, unit), most in zip(units, (10**9, 24, 60, 60), strict=True)]
    first = next(index for index, (count, _) in enumerate(parts) if count)
    return " ".join(f"{count} {unit}" for count, unit in parts[first : first + 2] if count)
