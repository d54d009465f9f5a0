"""collector.defender: the ids that are remembered of a tenant's groups, in few bytes and as they came."""

import tracemalloc
from unittest import mock

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.defender import last_ids
from collector.defender.last_ids import LastIds

_NAMES = st.sampled_from(["", "A", "B", "Büro", "x\ud800", "\0", '"', "日本", "a,b"])
_ANSWERS = st.lists(st.dictionaries(_NAMES, st.sampled_from(["1", "2", "none"])), max_size=6)


@given(_ANSWERS, st.sets(st.integers(0, 5)), st.integers(1, 3), st.integers(1, 3))
def test_the_last_id_of_each_name_is_known(
    answers: list[dict[str, str]], whole: set[int], part: int, held: int
) -> None:
    """Whatever comes, in whatever parts, and whichever answers come to their end: as a dict has it.

    Also where all is the same again, and where it is held in other parts than it comes in.
    """
    ids, model = LastIds(), dict[str, str]()
    with mock.patch.object(last_ids, "PART", held):
        for n, answer in enumerate(answers):
            for _ in range(2):
                names = [*answer]
                for some in (names[at : at + part] for at in range(0, len(names), part)):
                    ids.learn(some, [answer[name] for name in some])
                model |= answer
                if n in whole:
                    ids.pack()
                assert len(ids) == len(model)
    assert {name: ids.of(name) for name in [*model, "never seen"]} == {**model, "never seen": None}


def test_who_is_kept_is_known_by_his_tags() -> None:
    """Of two groups of one name the one whose id it is; of a name that no tag can hold, its tag."""
    ids = LastIds()
    ids.learn(["A", "(all)", "B"], ["1", "2", "3"])
    ids.pack()
    ids.keep({("A", "1"), ("(all)", "2"), ("B", "4")})
    assert [ids.of(name) for name in ("A", "(all)", "B")] == ["1", None, None]


@pytest.mark.parametrize(("named", "most"), [("Clients of site {}", 50), ("拠点 {} のクライアント", 65)])
def test_between_two_answers_a_group_takes_little_more_than_its_name(named: str, most: int) -> None:
    """At 200,000 groups some 10 MiB; neither an answer like the one before nor one odd name makes it more."""
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        ids = LastIds()
        for _ in range(2):
            ids.learn([named.format(n) for n in range(1_999)] + ["😀"], [str(n) for n in range(2_000)])
            ids.pack()
        held, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert (held - before) / 2_000 < most
    assert (ids.of(named.format(77)), ids.of("😀")) == ("77", "1999")
