"""The sinks: points as line protocol to InfluxDB. Is not a queue: what was not taken is the journal's to keep."""

from collector.http import Http
from collector.influx.v1 import V1
from collector.influx.v2 import V2
from collector.settings import Influx

__all__ = ["V1", "V2", "open_sink"]


def open_sink(name: str, settings: Influx, http: Http) -> V1 | V2:
    """Return the sink that the settings describe; nothing is sent, and no secret read, before it is asked."""
    own = http.serving(f"influxdb.{name}")
    return V1(name, settings, own) if settings.api == "v1" else V2(name, settings, own)
