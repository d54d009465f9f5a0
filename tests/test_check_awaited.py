"""collector.check.awaited: what is said to be awaited while `check` goes on."""

import pytest

from collector.check.awaited import Awaited, Wait


def test_what_is_awaited_longest_is_named() -> None:
    """Of all that is awaited the first is named, with its seconds, and the others are counted; what ended is gone."""
    now = [100.0]
    awaited = Awaited(lambda: now[0])
    assert awaited.longest() is None
    with awaited.asking("contoso: organization"):
        now[0] = 103.0
        with awaited.asking("sink main"), awaited.asking("sink main"):
            now[0] = 112.0
            assert awaited.longest() == Wait("contoso: organization", 12.0, 2)
        assert awaited.longest() == Wait("contoso: organization", 12.0, 0)
    assert awaited.longest() is None


def test_what_failed_is_awaited_no_more() -> None:
    """An exchange that raises has ended."""
    awaited = Awaited()
    with pytest.raises(ValueError, match="broken"), awaited.asking("sink main"):
        raise ValueError("broken")
    assert awaited.longest() is None
