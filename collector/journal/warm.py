"""The series that were in use last, by number and back: at least `most` of them, and at most twice as many.

Is not the memory of all names: see `names.py`.
"""

from collector.point import Series


class Warm:
    """Two generations: who is not asked for while a young one fills up is let go of."""

    def __init__(self, most: int) -> None:
        self._most = most
        self.clear()

    def clear(self) -> None:
        """Let go of all."""
        self._numbers: dict[Series, int] = {}
        self._series: dict[int, Series] = {}
        self._old_numbers: dict[Series, int] = {}
        self._old_series: dict[int, Series] = {}

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
            series = self._old_series.get(number)
            if series is not None:
                self.keep(number, series)
        return series

    def keep(self, number: int, series: Series) -> None:
        """Hold a series and its number."""
        if len(self._series) >= self._most:
            self._old_numbers, self._old_series = self._numbers, self._series
            self._numbers, self._series = {}, {}
        self._numbers[series] = number
        self._series[number] = series

    def drop(self, number: int) -> None:
        """Let go of a number."""
        for numbers, every in ((self._numbers, self._series), (self._old_numbers, self._old_series)):
            series = every.pop(number, None)
            if series is not None:
                numbers.pop(series, None)
