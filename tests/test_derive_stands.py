"""collector.derive: what is remembered of scores, each once, in few bytes, and for as long as it holds."""

import tracemalloc

from journals import group, org

from collector.derive.followed import GROUPS, Followed, followed
from collector.derive.stands import Stand, Stands
from collector.history.spikes import Usual
from collector.point import MAX_TIME, of_groups


def _stand(one: Followed, score: float = 20.0) -> Stand:
    usual = Usual(baseline=score, threshold=score + 1, least=score + 2, greatest=score + 3, worn=score + 4)
    return Stand(one.short, last=0, day=0, usual=usual, broken=None, breaks=MAX_TIME, open=None)


def test_a_score_takes_less_than_five_hundred_bytes() -> None:
    """At 200,000 groups that are 95 MiB, with their names, where they stand, and what is usual of each."""
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        stands = Stands()
        for tenant in range(30):
            ids = [str(1_000 * tenant + n) for n in range(200)]
            every = of_groups(f"t{tenant}", [f"Clients of site {id_}" for id_ in ids], ids)
            stands.follow(GROUPS, f"t{tenant}", followed(every))
            for one in stands.followed(GROUPS, f"t{tenant}").values():
                stands.keep(_stand(one, float(len(one.series[0]))))
            del ids, every, one
        held, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len(stands.series(GROUPS, "t9")) == 200
    assert (held - before) / 6_000 < 500


def test_whoever_asks_gets_the_series_that_is_held() -> None:
    """What is kept of a score refers to the names that are there already, whichever sample it was told by."""
    stands = Stands()
    stands.follow(GROUPS, "contoso", followed([held := group("a").series]))
    for again in (group("a").series, group("a").series):
        assert again is not held
        one = stands.who(again)
        assert one is not None
        assert one.series[0] is held
        stands.keep(_stand(one))
    stand = stands.of(group("a").series)
    assert stand is not None
    assert (stand.whose is held, stand.one, stand.series) == (True, (held,), (held,))


def test_only_whose_series_are_others_is_forgotten() -> None:
    """A group that gets a second name stands nowhere until it is told anew; who is as he was stands as he stood."""
    stands = Stands()
    a, b, renamed = of_groups("contoso", ["a", "b", "a2"], ["1", "2", "1"])
    stands.follow(GROUPS, "contoso", followed([a, b]))
    for series in (a, b):
        stands.keep(_stand(followed([a, b])[series]))
    stands.follow(GROUPS, "contoso", followed([a, b, renamed]))
    assert stands.without([a, b, renamed]) == {a, renamed}
    whole = stands.who(renamed)
    assert whole == (a, renamed) == stands.who(a)
    assert whole is not None
    stands.keep(_stand(whole))
    assert stands.of(a) is stands.of(renamed) is not None
    stands.forget([renamed])
    assert stands.without([a, b, renamed]) == {a, renamed}
    assert stands.who(a) == whole
    stands.forget_tenants({"fabrikam"})
    assert stands.of(b) is not None
    stands.forget_tenants({"contoso"})
    assert stands.of(b) is None
    assert stands.series(GROUPS, "contoso") == {a, b, renamed}


def test_who_stands_nowhere_is_named_in_the_order_in_which_he_came() -> None:
    """So two samples of one score and moment are told of alike by every process, whatever order a set has in it."""
    stands = Stands()
    every = of_groups("contoso", [f"g{n}" for n in range(50)], [str(n) for n in range(50)])
    stands.follow(GROUPS, "contoso", followed(every))
    stands.keep(_stand(followed(every)[every[7]]))
    assert list(stands.without([*every[::-1], *every])) == [*every[:7:-1], *every[6::-1]]


def test_of_whom_nothing_was_learnt_nothing_is_known() -> None:
    """A series of nobody is followed by nobody, stands nowhere, and is no matter to forget."""
    stands = Stands()
    stands.forget([org().series])
    stands.clear()
    assert (stands.of(org().series), stands.who(org().series)) == (None, None)
    assert list(stands.series(GROUPS, "contoso")) == []
    assert stands.followed(GROUPS, "contoso") == {}
