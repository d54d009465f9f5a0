"""The last id of each name of a tenant's groups: between two answers in one piece, some 35 bytes a group.

A dict holds them at 32 bytes a group and the texts at 140, which are others than those of the series that are derived
from. Nearly always an answer has an id for each of its names, and the same ones again: then nothing is taken apart.
"""

import json
from collections.abc import Container, Sequence

from collector.point import group_name


class LastIds:
    """Ids as tags, by names as the API has them ("" for none)."""

    def __init__(self) -> None:
        self._packed = ""
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
        if self._ids is not None or self._packed != _pack(names, ids):
            self._taken_apart().update(zip(names, ids, strict=True))

    def keep(self, groups: Container[tuple[str, str]]) -> None:
        """Forget all but these: the name of each as a tag, and its id."""
        self._ids = {name: id_ for name, id_ in self._taken_apart().items() if (group_name(name), id_) in groups}

    def pack(self) -> None:
        """Hold them in one piece until one is asked for."""
        ids = self._ids
        if ids is not None:
            self._packed, self._count = _pack([*ids], [*ids.values()]), len(ids)
            self._ids = None

    def _taken_apart(self) -> dict[str, str]:
        ids = self._ids
        if ids is None:
            names, each = json.loads(self._packed)
            ids = self._ids = dict(zip(names, each, strict=True))
            self._packed = ""
        return ids


def _pack(names: Sequence[str], ids: Sequence[str]) -> str:
    # As ASCII: a name may have any character, and one alone would make each of the others take as much as it does.
    return json.dumps((names, ids), separators=(",", ":"))
