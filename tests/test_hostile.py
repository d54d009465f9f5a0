"""An API that means harm: it fills no memory, and ends in its own error, with what was good before it kept."""

import itertools
import json
import os
import threading
from pathlib import Path
from typing import Self

import pytest
from origins import Authority, Reply, Request
from sign_ins import SignIns
from tenants import FakeTenant

from collector.defender import Defender
from collector.defender.asking import MAX_GROUPS, Asking
from collector.errors import BadResponse
from collector.http import Http
from collector.step import Step

_SLOT = 1_700_000_000_000 // 3_600_000 * 3_600_000
_MEGABYTE = 1 << 20


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "*")


def gathered(fake: FakeTenant, authority: Authority) -> tuple[int, BadResponse]:
    """Poll the groups of a tenant; return how many points came of it, and how it ended."""
    http = Http(authority.pem)
    defender = Defender("contoso", fake.settings(), http, dict)
    defender.sign_in(10)
    asking = defender.ask("device_groups", _SLOT)
    with pytest.raises(BadResponse) as caught:
        exhaust(asking)
    http.close()
    return len(asking.points), caught.value


def exhaust(asking: Asking) -> None:
    """Ask for page after page."""
    while asking.step(30) is Step.MORE:
        pass


def pages(fake: FakeTenant, rows: int) -> None:
    """Let each page have so many new groups, and a next one, without end."""
    numbers = itertools.count()

    def page(_: Request) -> Reply:
        number = next(numbers)
        value = [{"rbacGroupName": f"group {number}-{n}", "rbacGroupId": n, "score": 1.5} for n in range(rows)]
        link = f"{fake.url}/api/exposureScore/ByMachineGroups?$skip={number}"
        return Reply(json.dumps({"value": value, "@odata.nextLink": link}).encode())

    fake.api = page


class Peak:
    """How much more memory this process had, at the most, than when it began."""

    def __init__(self) -> None:
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._look)
        self._begun = self._most = self._now()

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    @property
    def more(self) -> int:
        """Bytes."""
        return self._most - self._begun

    def _look(self) -> None:
        while not self._ended.wait(0.01):
            self._most = max(self._most, self._now())

    @staticmethod
    def _now() -> int:
        return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE")


def test_a_million_groups_end_at_two_hundred_thousand(make: SignIns, authority: Authority) -> None:
    """Whoever answers with more groups than any tenant has is told so; the first ones are kept, and memory is left."""
    pages(make.fake, 20_000)
    with Peak() as peak:
        count, error = gathered(make.fake, authority)
    assert count == MAX_GROUPS
    assert "over 200,000 groups" in str(error)
    assert peak.more < 300 * _MEGABYTE


def test_pages_without_end_do_end(make: SignIns, authority: Authority) -> None:
    """A list that always has a next page is given up after a hundred, with what they held."""
    pages(make.fake, 3)
    count, error = gathered(make.fake, authority)
    assert (count, "over 100 pages" in str(error)) == (300, True)


@pytest.mark.unmeasured
@pytest.mark.parametrize(
    "row",
    [b'{"score":1}', b"{}", b'{"rbacGroupName":"%d","score":1}', b"[]"],
    ids=["scores", "empty", "named", "lists"],
)
def test_as_many_values_as_an_answer_may_have_fill_no_memory(make: SignIns, authority: Authority, row: bytes) -> None:
    """Two million values, of whatever kind, take less than three hundred megabytes more."""
    marks = row.count(b":") + row.count(b",") + 1
    rows = [row % n if b"%" in row else row for n in range(min(1_990_000 // marks, (15 << 20) // (len(row) + 6)))]
    body = b'{"value":[' + b",".join(rows) + b',{"score":null}]}'
    make.fake.api = lambda _: Reply(body)
    with Peak() as peak:
        gathered(make.fake, authority)
    assert peak.more < 300 * _MEGABYTE


@pytest.mark.parametrize(
    "body",
    [
        b"[" * 100_000,
        b'{"value":' + b"[" * 100_000,
        b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
        pytest.param(b'{"value": [' + b"[]," * 1_000_000 + b"[]]}", marks=pytest.mark.unmeasured),
        b'{"value": ' + b"9" * 8_000_000 + b"}",
        b'{"value": "' + b"\\ud800" * 1_000_000 + b'"}',
        b'{"value": [{"rbacGroupName": "' + b"a" * 8_000_000 + b'", "score": NaN}]}',
        pytest.param(
            b'{"value": [' + b",".join(b'{"score": 1e400}' for _ in range(300_000)) + b"]}",
            marks=pytest.mark.unmeasured,
        ),
        b'{"value": [' + b",".join([b'{"score":1}'] * 1_300_000) + b"]}",
        b'{"value": [' + b"{}," * 5_000_000 + b"{}]}",
        b"{" + b",".join(b'"%d":1' % n for n in range(1_400_000)) + b"}",
    ],
    ids=[
        "brackets",
        "brackets in a list",
        "objects",
        "empty lists",
        "digits",
        "surrogates",
        "a name",
        "infinities",
        "scores",
        "empty objects",
        "keys",
    ],
)
def test_whatever_one_answer_is_made_of_it_fills_no_memory(make: SignIns, authority: Authority, body: bytes) -> None:
    """Up to sixteen megabytes of anything end in one short error, within a hundred megabytes more."""
    make.fake.api = lambda _: Reply(body)
    with Peak() as peak:
        count, error = gathered(make.fake, authority)
    assert count == 0
    assert len(str(error)) < 1000
    assert str(error).isprintable()
    assert peak.more < 100 * _MEGABYTE
