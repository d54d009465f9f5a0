"""collector.settings.shard: whose a tenant is."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tables import CONTOSO, loaded, problems

from collector.settings import Settings, Shard, load

NAMES = st.sets(st.text(min_size=1, max_size=20).filter(lambda name: name.isprintable()), max_size=60)


@given(NAMES, st.integers(1, 12))
def test_every_tenant_is_of_exactly_one_shard(names: set[str], count: int) -> None:
    """Whatever it is called, and however many shards there are."""
    shards = [Shard(index, count) for index in range(count)]
    for name in names:
        (owner,) = [shard for shard in shards if shard.has(name)]
        assert {shard.owner(name) for shard in shards} == {owner}


@given(NAMES, st.integers(1, 12))
def test_a_shard_that_is_added_takes_tenants_and_no_other_one_does(names: set[str], count: int) -> None:
    """From n to n+1 a tenant stays where it is, or goes to the new one."""
    for name in names:
        after = Shard(0, count + 1).owner(name).index
        assert after in (Shard(0, count).owner(name).index, count)


@given(st.integers(1, 11), st.integers(0, 10**6))
def test_about_its_share_of_the_tenants_moves_to_a_new_shard(count: int, seed: int) -> None:
    """Of 2,000 tenants 1/(n+1), give or take six standard deviations of a fair draw."""
    names = [f"customer {seed}-{n}" for n in range(2_000)]
    moved = sum(Shard(0, count + 1).owner(name).index == count for name in names)
    share = 1 / (count + 1)
    assert abs(moved - 2_000 * share) <= 6 * (2_000 * share * (1 - share)) ** 0.5


def test_a_tenant_stays_where_it_is_for_ever() -> None:
    """In another process, under another hash seed and in a later version: these are on record."""
    names = ["contoso", "fabrikam", "northwind", "Büro München", "東京", "tenant-0001"]
    whose = (
        "import sys; from collector.settings import Shard; print([Shard(0, 3).owner(n).index for n in sys.argv[1:]])"
    )
    for seed in ("0", "1"):
        env = {**os.environ, "PYTHONHASHSEED": seed}
        done = subprocess.run(
            [sys.executable, "-c", whose, *names], env=env, capture_output=True, text=True, timeout=60, check=True
        )
        assert done.stdout.strip() == "[2, 1, 1, 0, 2, 0]"


def test_settings_have_the_tenants_of_their_shard_and_the_names_of_the_others(tmp_path: Path) -> None:
    """Three processes with the same file have each tenant once; a sink may name whichever there is."""
    tenants = {f"t{n}": CONTOSO for n in range(20)}
    sink = {"main": {"url": "http://h", "bucket": "b", "tenants": list(tenants)}}
    found: list[Settings] = [
        loaded(tmp_path, {"tenants": tenants, "influxdb": sink, "shard": f"{index}/3"}) for index in range(3)
    ]
    assert sorted(name for each in found for name in each.tenants) == sorted(tenants)
    for each in found:
        assert each.elsewhere == tenants.keys() - each.tenants.keys()
        assert {str(each.shard_of(name)) for name in each.elsewhere} <= {"0/3", "1/3", "2/3"} - {str(each.shard)}
        assert each.shard_of(next(iter(each.tenants))) is None
        assert each.shard_of("nobody") is None
    assert loaded(tmp_path, {"tenants": tenants}).elsewhere == frozenset()


def test_a_shard_may_have_no_tenant_at_all(tmp_path: Path) -> None:
    """With more shards than tenants some wait for one."""
    found = [loaded(tmp_path, {"tenants": {"contoso": CONTOSO}, "shard": f"{n}/4"}).tenants for n in range(4)]
    assert sorted(map(len, found)) == [0, 0, 0, 1]


@pytest.mark.parametrize(
    ("host", "pod", "index"),
    [("collector-2", None, 2), ("collector-2", "collector-0", 0), ("web", "exposure-collector-1", 1)],
)
def test_a_pod_of_a_stateful_set_knows_its_shard(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, host: str, pod: str | None, index: int
) -> None:
    """`auto` is the number at the end of POD_NAME, else of the host's name, which in a pod is the pod's."""
    monkeypatch.setattr("socket.gethostname", lambda: host)
    environ = {"COLLECTOR__SHARD": "auto/3"} | ({"POD_NAME": pod} if pod else {})
    assert loaded(tmp_path, {"tenants": {"contoso": CONTOSO}}, environ).shard == Shard(index, 3)


@pytest.mark.parametrize(
    ("shard", "said"),
    [
        ("3/3", "the index must be 0 to 2 for 3 shards (is 3)"),
        ("0/0", "must be of 1 to 256 shards (is of 0)"),
        ("0/257", "must be of 1 to 256 shards (is of 257)"),
        ("1", 'must be INDEX/COUNT, in quotes, like "0/3", "1/3" and "2/3" for three processes'),
        (1, 'must be INDEX/COUNT, in quotes, like "0/3", "1/3" and "2/3" for three processes'),
        ("-1/3", 'must be INDEX/COUNT, in quotes, like "0/3", "1/3" and "2/3" for three processes'),
        ("auto/5", "the index must be 0 to 4 for 5 shards (is 7)"),
    ],
)
def test_a_shard_that_can_t_be_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, shard: Any, said: str
) -> None:
    """A pod too many, too: it would poll nobody, or somebody else's tenants."""
    monkeypatch.setattr("socket.gethostname", lambda: "collector-7")
    assert problems(tmp_path, {"tenants": {"contoso": CONTOSO}, "shard": shard}) == (f"shard: {said}",)


def test_auto_on_a_machine_without_a_number_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rather than to take one that isn't meant."""
    monkeypatch.setattr("socket.gethostname", lambda: "db01")
    (line,) = problems(tmp_path, {"tenants": {"contoso": CONTOSO}, "shard": "auto/3"})
    assert line.startswith('shard: "auto" takes the number after the last - of POD_NAME')


def test_an_empty_shard_is_all_tenants(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As without the key."""
    monkeypatch.setattr("collector.settings.loader.DEFAULT_FILE", tmp_path / "none.toml")
    (tmp_path / "c.toml").write_text(
        'shard = "0/2"\n[tenants.a]\ntenant_id = "a.test"\ncredential.kind = "managed_identity"\n'
    )
    assert load(tmp_path / "c.toml", {"COLLECTOR__SHARD": ""}).shard is None
