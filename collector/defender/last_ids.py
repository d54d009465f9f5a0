"""The last id of each name of a tenant's groups: between two answers in few pieces, some 35 bytes a group.

A dict holds them at 32 bytes a group and the texts at 140, which are others than those of the series that are derived
from. Nearly always an answer has an id for each of its names, and the same ones again: then nothing is taken apart.
"""

import json
from collections.abc import Container, Sequence

from collector.point import group_name

PART = 50_000
"""Names of an answer that are learnt together at the most."""


class LastIds:
    """Ids as tags, by names as the API has them ("" for none)."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self._alike = 0
        """Parts that this answer has had so far, all of them as they were in the last."""
        self._count = 0
        self._ids: dict[str, str] | None = {}
        """None while they are packed."""

    def __len__(self) -> int:
        ids = self._ids
        return self._count if ids is None else len(ids)

    def of(self, name: str) -> str | None:
        """Return the last id of a name, None where it is not known."""
        return self._taken_apart().get(name)

    def learn(self, names: Sequence[str], ids: Sequence[str]) -> None:
        """Take in the ids of names, in the order in which they came."""
        if self._ids is None and self._parts[self._alike : self._alike + 1] == [_pack(names, ids)]:
            self._alike += 1
        else:
            self._taken_apart().update(zip(names, ids, strict=True))

    def keep(self, groups: Container[tuple[str, str]]) -> None:
        """Forget all but these: the name of each as a tag, and its id."""
        self._ids = {name: id_ for name, id_ in self._taken_apart().items() if (group_name(name), id_) in groups}

    def pack(self) -> None:
        """Hold them in few pieces until one is asked for. An answer has ended."""
        self._alike = 0
        ids = self._ids
        if ids is not None:
            names, each = [*ids], [*ids.values()]
            parts = [slice(at, at + PART) for at in range(0, len(ids), PART)]
            self._parts, self._count = [_pack(names[part], each[part]) for part in parts], len(ids)
            self._ids = None

    def _taken_apart(self) -> dict[str, str]:
        ids = self._ids
        if ids is None:
            ids = self._ids = {}
            for part in self._parts:
                ids.update(zip(*json.loads(part), strict=True))
            self._parts = []
        return ids


def _pack(names: Sequence[str], ids: Sequence[str]) -> bytes:
    # In UTF-8: in a text one character alone may make each of the others take as much as it does. A name may have any.
    return json.dumps((names, ids), separators=(",", ":"), ensure_ascii=False).encode("utf-8", "surrogatepass")
