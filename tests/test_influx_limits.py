"""An InfluxDB 1.x that has as many series as it takes: what is new waits for it, and is no bad point."""

from pathlib import Path

import pytest
from columns import columns
from servers import INFLUXD, Influxd, need

from collector.errors import Unauthorized
from collector.http import Http
from collector.influx import V1
from collector.point import Point, Series
from collector.settings import Influx

SLOT = 1700000000123
MOST = 3


def scores(first: int, last: int) -> list[Point]:
    """Return a score of each of some tenants."""
    return [
        Point(Series("exposure_score", (("tenant", f"customer-{n}"),)), SLOT, {"score": 33.5})
        for n in range(first, last)
    ]


@pytest.mark.parametrize("limit", ["max-series-per-database", "max-values-per-tag"])
def test_series_beyond_a_limit_of_the_server_wait_until_it_is_raised(limit: str, tmp_path: Path) -> None:
    """Points of series that are one too many are kept, and the mend names the limit.

    What the server has room for is stored; and all of it once the limit was raised.
    """
    need(INFLUXD)
    http = Http()
    with Influxd(tmp_path, limits=f"{limit} = {MOST}") as server:
        database = server.database()
        sink = V1("main", Influx(api="v1", url=server.url, database=database), http)
        sink.write(columns(scores(0, MOST)))
        with pytest.raises(Unauthorized, match=f"400: partial write: {limit} limit exceeded") as caught:
            sink.write(columns(scores(2, MOST + 2)))
        assert caught.value.mend.startswith(f"raise {limit} in [data]")
        assert len(server.points("exposure_score", database)) == MOST
        server.stop()
        settings = tmp_path / "influxdb.conf"
        settings.write_text(settings.read_text(encoding="utf-8").replace(f"{limit} = {MOST}", f"{limit} = 0"))
        server.start()
        sink.write(columns(scores(2, MOST + 2)))
        assert len(server.points("exposure_score", database)) == MOST + 2
    http.close()
