"""A month of hourly polls, lived in a minute: what the service takes of its machine does not grow."""

import json

from month.figures import lived


def test_a_month_takes_no_more_of_the_machine_than_its_first_days() -> None:
    """Memory, threads, descriptors and the journal's file stand still, and at the end InfluxDB has every slot.

    It is a month of a tenant of 20 groups with its failed polls, retries, expired tokens, and an InfluxDB that is away
    for six hours every five days; a week of it is kept.
    """
    month = lived(720, 7)
    assert month["grown"] == [], json.dumps(month)
    assert (month["polls"], month["stored"]) == (1440, 1440)
    assert 20 < month["failed"] < 100
    assert month["tries"] > 1500
    assert month["outages"] == 6
    assert month["scrapes"] == 120
    assert month["delivered"] == month["appended"] > 14_000
    assert month["left"] < month["appended"] / 3
    assert 7 <= month["oldest_days"] <= 8.1
    assert month["in_order"]
