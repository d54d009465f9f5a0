"""Which of several processes polls a tenant: exactly one, by the tenant's name and nothing else. Is no agreement.

The shards of one set of settings need not know each other, nor run at the same time: each can say of every tenant
whose it is. It is the rendezvous way: each shard draws a number for the name, and the highest has it. So a shard
that is added takes tenants from all others, and no tenant moves between those that were there.
"""

import re
from dataclasses import dataclass
from hashlib import sha256

from collector.settings.mistakes import mistake

MOST = 256
"""Shards at the most: each draws a number for every tenant, whenever settings are read."""
AUTO = "auto"
"""Instead of the index: the number at the end of the pod's name."""

_WRITTEN = re.compile(rf"(?P<index>{AUTO}|[0-9]{{1,4}})/(?P<count>[0-9]{{1,4}})")
_ORDINAL = re.compile(r".*-(?P<ordinal>[0-9]{1,4})")
_RIGHT = 'must be INDEX/COUNT, in quotes, like "0/3", "1/3" and "2/3" for three processes'


@dataclass(frozen=True, slots=True)
class Shard:
    """One of `count` processes that share the tenants; `index` is 0 to `count` - 1."""

    index: int
    count: int

    def __post_init__(self) -> None:
        if not 0 <= self.index < self.count <= MOST:
            raise ValueError(f"{self}: no shard of {self.count}")

    def has(self, tenant: str) -> bool:
        """Whether this shard polls the tenant of that name."""
        return self.owner(tenant).index == self.index

    def owner(self, tenant: str) -> "Shard":
        """Return the shard, of as many, that polls the tenant of that name."""
        return Shard(max(range(self.count), key=lambda index: (_drawn(tenant, index), -index)), self.count)

    def __str__(self) -> str:
        return f"{self.index}/{self.count}"


@dataclass(frozen=True, slots=True)
class Posted:
    """What the settings say of the shard, and the name of the pod or the machine that it may be taken from."""

    text: str
    host: str


def shard(value: object) -> Shard | None:
    """Return what `value` names, None for an empty text: then one process polls all tenants."""
    if isinstance(value, Shard | None):
        return value
    posted = value if isinstance(value, Posted) else Posted(value, "") if isinstance(value, str) else None
    if posted is None or (posted.text and not _WRITTEN.fullmatch(posted.text)):
        raise mistake(_RIGHT)
    found = _WRITTEN.fullmatch(posted.text)
    return _right(_index(found["index"], posted.host), int(found["count"])) if found else None


def _index(written: str, host: str) -> int:
    if written != AUTO:
        return int(written)
    ordinal = _ORDINAL.fullmatch(host)
    if ordinal is None:
        raise mistake(
            f'"{AUTO}" takes the number after the last - of POD_NAME, else of the host\'s name, as a StatefulSet gives '
            "it, and there is none; write the index itself"
        )
    return int(ordinal["ordinal"])


def _right(index: int, count: int) -> Shard:
    if not 1 <= count <= MOST:
        raise mistake(f"must be of 1 to {MOST} shards (is of {count})")
    if index >= count:
        raise mistake(f"the index must be 0 to {count - 1} for {count} shards (is {index})")
    return Shard(index, count)


def _drawn(tenant: str, index: int) -> bytes:
    """Return the number of a shard for a name: a hash, the same in every process and version."""
    return sha256(f"{index}/{tenant}".encode()).digest()
