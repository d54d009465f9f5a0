"""The series that were in use last, by number and back: at least `most` of them, and at most twice as many.

And those that others hold, for as long as they do, by number: so a score that is polled and derived from is one object,
however long ago it was read here. Is not the memory of all names: see `names.py`.
"""

from collections.abc import Iterable
from weakref import ref

from collector.point import Series

_GAP = 1 << 20
"""Numbers that may be left out between two: they follow each other, unless a file is damaged."""


class Warm:
    """Two generations: who is not asked for while a young one fills up is let go of, unless somebody else holds it."""

    def __init__(self, most: int) -> None:
        self._most = most
        self.clear()

    def clear(self) -> None:
        """Let go of all."""
        self._numbers: dict[Series, int] = {}
        self._series: dict[int, Series] = {}
        self._old_numbers: dict[Series, int] = {}
        self._old_series: dict[int, Series] = {}
        self._elsewhere: list[ref[Series] | None] = []
        """By number, all that were held here and may be held by others."""

    def number(self, series: Series) -> int | None:
        """Return the number of a series, None where it is not held."""
        number = self._numbers.get(series)
        if number is None:
            number = self._old_numbers.get(series)
            if number is not None:
                self.keep(number, self._old_series[number])
        return number

    def series(self, number: int) -> Series | None:
        """Return the series of a number, None where it is not held."""
        series = self._series.get(number)
        if series is None:
            series = self._old_series.get(number) or self._of_others(number)
            if series is not None:
                self.keep(number, series)
        return series

    def keep(self, number: int, series: Series) -> None:
        """Hold a series and its number."""
        if len(self._series) >= self._most:
            gone = list(self._old_series)
            self._old_numbers, self._old_series = self._numbers, self._series
            self._numbers, self._series = {}, {}
            self._forget(gone)
        self._numbers[series] = number
        self._series[number] = series
        self._note(number, series)

    def drop(self, number: int) -> None:
        """Let go of a number."""
        for numbers, every in ((self._numbers, self._series), (self._old_numbers, self._old_series)):
            series = every.pop(number, None)
            if series is not None:
                numbers.pop(series, None)
        if number < len(self._elsewhere):
            self._elsewhere[number] = None

    def _of_others(self, number: int) -> Series | None:
        there = self._elsewhere[number] if number < len(self._elsewhere) else None
        return None if there is None else there()

    def _note(self, number: int, series: Series) -> None:
        more = number + 1 - len(self._elsewhere)
        if more > _GAP:
            return  # a damaged file may have any number
        if more > 0:
            self._elsewhere += [None] * more
        self._elsewhere[number] = ref(series)

    def _forget(self, numbers: Iterable[int]) -> None:
        """Keep no place for those of the numbers whose series nobody holds."""
        for number in numbers:
            if number < len(self._elsewhere) and self._of_others(number) is None:
                self._elsewhere[number] = None
