"""One sink: whether it would take a point, and whether its measurements may be read. Stores nothing in it."""

from collections.abc import Sequence

from collector.batch import NO_ROWS
from collector.check.finding import Finding, bad
from collector.errors import CollectorError, ConfigError, Unauthorized
from collector.http.clients import Clients
from collector.influx import V1, V2, open_sink
from collector.settings import Settings


def examine(settings: Settings, name: str, clients: Clients) -> Sequence[Finding]:
    """Return what was found of a sink. Each exchange takes at most the sink's `timeout_seconds`."""
    where, write = settings.influxdb[name], f"sink {name}: write"
    try:
        sink = open_sink(name, where, clients.trusting(where.ca_file))
        sink.write(NO_ROWS)
    except ConfigError as error:
        return [Finding(write, ok=False, message=f"influxdb.{name}.{error}", mend=error.mend)]
    except CollectorError as error:
        return [bad(write, error)]
    return [Finding(write, ok=True, message=sink.target), _read(sink)]


def _read(sink: V1 | V2) -> Finding:
    name = f"sink {sink.name}: read"
    try:
        seen = sink.read()
        # VictoriaMetrics has no measurements to show, however full it is; a v2 sink may be one.
        empty = "allowed; nothing is in it yet" + ("" if isinstance(sink, V1) else ", or it is a VictoriaMetrics")
        return Finding(name, ok=True, message=f"{seen} measurements are there" if seen else empty)
    except Unauthorized as error:
        return Finding(name, ok=True, message=f"not allowed, and not needed to deliver ({error})")
    except CollectorError as error:
        return bad(name, error)
