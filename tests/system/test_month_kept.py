"""Ten days of hourly polls, of which all is kept: what they take of the disk."""

import json

import pytest
from month.figures import lived


def test_without_pruning_a_point_takes_the_same_room_for_ever() -> None:
    """What the journal's file grows by is its points, and no more a point than at first."""
    life = lived(240, 0)
    # Ten days are too few to tell the process's size from its warming up.
    assert set(life["grown"]) <= {"rss_kib"}, json.dumps(life)
    assert life["left"] == life["appended"]
    first, middle, last = (life["samples"][n] for n in (1, len(life["samples"]) // 2, -1))
    early = (middle["journal"] - first["journal"]) / (middle["points"] - first["points"])
    late = (last["journal"] - middle["journal"]) / (last["points"] - middle["points"])
    assert late == pytest.approx(early, rel=0.15)
    assert late < 70
