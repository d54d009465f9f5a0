"""What is left out is counted as long as it comes again."""

from collector.service.left_out import LeftOut


def _fails() -> None:
    raise ValueError("a fault")


def test_what_does_not_come_again_is_left_out_no_longer() -> None:
    """A group that was forgotten, or has another name, is counted for two days; one that fails on stays."""
    now = 0.0
    left_out = LeftOut(monotonic=lambda: now)
    assert not left_out("trend", "contoso", "Servers", _fails)
    assert not left_out("trend", "contoso", "Clients", _fails)
    now = 2 * 86_400.0
    assert left_out.count == 2
    assert not left_out("trend", "contoso", "Clients", _fails)
    now += 1
    assert left_out.words == "left out: Clients of contoso (ValueError: a fault)"
    assert left_out.count == 1
    assert left_out("trend", "contoso", "Servers", lambda: None)
    assert left_out("trend", "contoso", "Clients", lambda: None)
    assert (left_out.count, left_out.words) == (0, "")
