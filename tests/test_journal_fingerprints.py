"""Fingerprints: every series that was put in is found, as itself, for a few bytes each."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from journals import group, org

from collector.journal import fingerprints
from collector.journal.fingerprints import Fingerprints
from collector.point import Series

_STEPS = st.lists(st.tuples(st.integers(0, 40), st.sampled_from([0, 1, 2, 3, 1 << 50])), max_size=120)
"""Which fingerprint gets which number; with 0 it loses the one it has."""


def _sparse(n: int) -> bytes:
    """Return one of few fingerprints of which many want the same place: the last, or one before it."""
    return bytes([255 - n % 3, 0, 0, 0, 0, 0, 0, 0, n + 1, 0, 0, 0])


@given(_STEPS)
@example([(3, 1), (3, 0)])
@example([(n, n + 1) for n in range(0, 9, 3)])
def test_what_was_put_last_is_what_is_found(steps: list[tuple[int, int]]) -> None:
    """Whatever comes and goes, also where all want one place and the table grows: as a dict has it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fingerprints, "_FIRST", 4)
        table, model = Fingerprints(), dict[bytes, int]()
        for n, number in steps:
            fingerprint = _sparse(n)
            if number:
                table.put(fingerprint, number)
                model[fingerprint] = number
            else:
                table.drop(fingerprint)
                model.pop(fingerprint, None)
        assert {n: table.get(_sparse(n)) for n in range(41)} == {n: model.get(_sparse(n)) for n in range(41)}
        table.clear()
        assert not any(table.get(_sparse(n)) for n in range(41))


def test_without_memory_for_more_what_was_put_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """A table that can't grow says so, and errs in nothing that it holds; it grows once there is memory."""
    table = Fingerprints()
    every = [table.of([str(n)]) for n in range(1_024)]
    put = 768
    for number, fingerprint in enumerate(every[:put], 1):
        table.put(fingerprint, number)

    def none(_: int) -> bytearray:
        raise MemoryError

    monkeypatch.setattr(fingerprints, "bytearray", none, raising=False)
    for _ in range(2):
        with pytest.raises(MemoryError):
            table.put(every[put], put + 1)
    assert [table.get(fingerprint) for fingerprint in every] == [*range(1, put + 1), *[None] * (1_024 - put)]
    monkeypatch.undo()
    for number, fingerprint in enumerate(every[put:], put + 1):
        table.put(fingerprint, number)
    assert [table.get(fingerprint) for fingerprint in every] == [*range(1, 1_025)]


def test_each_series_has_a_fingerprint_of_its_own() -> None:
    """Measurement, keys and values all count, each where it stands; and every table has its own secret."""
    table = Fingerprints()
    every = [
        org().series,
        group("a").series,
        group("b").series,
        group("a", tenant="fabrikam").series,
        Series("exposure_trend_by_group", group("a").series.tags),
        Series("exposure_score_by_group", (("tenant", "contoso"), ("rbacGroupNamea", "x"), ("rbacGroupId", "7"))),
        Series("exposure_score_by_group", (("tenant", "contoso"), ("rbacGroupName", "ax"), ("rbacGroupId", "7"))),
    ]
    found = {table.of(series) for series in every}
    assert len(found) == len(every)
    assert found == {table.of(series) for series in every}
    assert Fingerprints().of(org().series) not in found


def test_a_series_takes_at_most_forty_bytes() -> None:
    """At 200,000 groups there are 600,000 series: what is held of all of them is no more than this."""
    table = Fingerprints()
    for n in range(20_000):
        table.put(table.of(("exposure_score_by_group", "tenant", "contoso", "rbacGroupName", str(n))), n + 1)
        assert n < 1_000 or len(table._table) / n <= 41
    assert table.get(table.of(("exposure_score_by_group", "tenant", "contoso", "rbacGroupName", "77"))) == 78


def test_what_is_put_again_takes_no_more_room() -> None:
    """Names that are learnt anew, or get another number, stand where they stood."""
    table = Fingerprints()
    every = [table.of([str(n)]) for n in range(100)]
    room = len(table._table)
    for number in range(1, 21):
        for fingerprint in every:
            table.put(fingerprint, number)
    assert len(table._table) == room
    assert {table.get(fingerprint) for fingerprint in every} == {20}
