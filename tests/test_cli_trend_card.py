"""What score cards look like, to the letter: at 80 and 40 columns, in ASCII, and a ranking of tenants."""

from dataclasses import replace

import pytest
from cards import DAY, NOW, shown, standing, whole

from collector.cli.scorecard import Page
from collector.history import Card, Group

AT_80 = """\
contoso
  31.2 medium (30 to under 70)   1 day 0.0   7 days -2.2   30 days +4.0
  scored 2023-11-14 22:00 UTC

  The last 30 days of the organization, the highest score of each column
  34┤                          ⡤⠤⠤⠤⠤⠤⠤      ⠠⠤⠤⠤⠤⠤⠤⠤⠤⡄
    │                          ⡇                     ⡇
  32┤                          ⡇                     ⡇
    │                          ⡇                     ⠈⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉
  30┤╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌⡇╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌
    │                          ⡇
  28┤                          ⡇
    │⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠃
  26┤
    └──────┬───────────────┬──────────────┬──────────────┬─────────────
      2023-10-19      2023-10-26     2023-11-02     2023-11-09

  score  level    1 day  7 days  30 days  device group
   72.0  high      +0.3   +12.5        -  Servers
   29.9  low        0.0    -1.0     +2.0  Clients of the branch office in Frank…
    8.0  low          -       -        -  日本支社のクライアント端末
  2 more groups were not seen since 2023-11-11 22:00.

Lower is better, + is worse. - is not known. Times are UTC.
"""
AT_40 = """\
contoso
  31.2 medium (30 to under 70)
  1 day 0.0   7 days -2.2   30 days +4.0
  scored 2023-11-14 22:00 UTC

  The last 30 days of the organization,
  the highest score of each column
  34┤             ⢠⠤⠤⠤   ⠤⠤⠤⠤⢤
    │             ⢸          ⢸
  32┤             ⢸          ⢸
    │             ⢸           ⠉⠉⠉⠉⠉⠉⠉⠉⠉
  30┤╌╌╌╌╌╌╌╌╌╌╌╌╌⢸╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌
    │             ⢸
  28┤             ⢸
    │⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠜
  26┤
    └───────────┬───────────────┬──────
           2023-10-26      2023-11-09

   72.0 high   Servers
        1d +0.3  7d +12.5  30d -
   29.9 low    Clients of the branch of…
        1d 0.0  7d -1.0  30d +2.0
    8.0 low    日本支社のクライアント端…
        1d -  7d -  30d -
  2 more groups were not seen since
  2023-11-11 22:00.

Lower is better, + is worse. - is not
known. Times are UTC.
"""
ASCII_AT_80 = """\
contoso
  31.2 medium (30 to under 70)   1 day 0.0   7 days -2.2   30 days +4.0
  scored 2023-11-14 22:00 UTC

  The last 30 days of the organization, the highest score of each column
  34+                          .......      ..........
    |                          :                     :
  32+                          :                     :
    |                          :                      '''''''''''''''''
  30+--------------------------:---------------------------------------
    |                          :
  28+                          :
    |''''''''''''''''''''''''''
  26+
    +------+---------------+--------------+--------------+-------------
      2023-10-19      2023-10-26     2023-11-02     2023-11-09

  score  level    1 day  7 days  30 days  device group
   72.0  high      +0.3   +12.5        -  Servers
   29.9  low        0.0    -1.0     +2.0  Clients of the branch office in Fra...
    8.0  low          -       -        -  ?????????????
  2 more groups were not seen since 2023-11-11 22:00.

Lower is better, + is worse. - is not known. Times are UTC.
"""
RANKING = """\
  score  level    1 day  7 days  30 days  last score        tenant
   72.0  high      +1.0       -        -  2023-11-13 22:00  fabrikam, late
   31.2  medium     0.0    -2.2     +4.0  2023-11-14 22:00  contoso
      -  -            -       -        -  never polled      newcomer
"""


@pytest.mark.parametrize(
    ("width", "encoding", "text"),
    [(80, "utf-8", AT_80), (40, "utf-8", AT_40), (80, "ascii", ASCII_AT_80)],
    ids=["80", "40", "ascii"],
)
def test_a_card_is_good_to_read(width: int, encoding: str, text: str) -> None:
    """A card in a pipe: score, level and band, changes, the chart with its hole, the groups, and what is left out."""
    assert shown(whole, width, encoding) == text


def test_a_change_across_a_break_has_a_sign_that_is_explained() -> None:
    """In the headline, in a row and in a narrow one; numbers stay below each other, and the last line explains it."""
    broken = replace(standing(31.25, 0.5, -2.25, 4.0), across=frozenset({7, 30}))
    groups = [
        Group(name="Servers", id="1", standing=broken),
        Group(name="Clients", id="2", standing=standing(30.0, 0.5, -2.25, 4.0)),
    ]
    card = Card(tenant="contoso", standing=broken, groups=groups)

    def show(page: Page) -> None:
        page.card(card)
        page.legend([card])

    wide, narrow = shown(show, 80), shown(show, 40)
    assert "   1 day +0.5   7 days -2.2*   30 days +4.0*\n" in wide
    assert "   31.2  medium    +0.5    -2.2*    +4.0* Servers\n" in wide
    assert "   30.0  medium    +0.5    -2.2     +4.0  Clients\n" in wide
    assert " ".join(wide.split()).endswith("+ is worse. * reaches across a break: not comparable. Times are UTC.")
    assert "  1 day +0.5   7 days -2.2*   30 days +4.0*\n" in narrow or "  1d +0.5  7d -2.2*  30d +4.0*\n" in narrow
    assert "        1d +0.5  7d -2.2*  30d +4.0*\n" in narrow
    assert all(len(line) <= 40 for line in narrow.splitlines())


def test_a_wide_terminal_cuts_no_name() -> None:
    """At 120 columns a long name is whole, and the chart stays as wide as it is good to read."""
    lines = shown(whole, 120).splitlines()
    assert any(line.endswith("  Clients of the branch office in Frankfurt am Main") for line in lines)
    assert max(len(line) for line in lines if "│" in line or "└" in line) <= 72


def test_a_ranking_has_every_tenant_and_when_it_was_polled() -> None:
    """Tenants in the order given, with what is late and what was never polled in words."""
    cards = [
        Card(tenant="fabrikam", standing=standing(72.0, 1.0, None, None, at=NOW - DAY), late=["organization"]),
        Card(tenant="contoso", standing=standing(31.25, 0.0, -2.25, 4.0)),
        Card(tenant="newcomer", standing=None),
    ]
    assert shown(lambda page: page.ranking(cards), 80) == RANKING
    narrow = shown(lambda page: page.ranking(cards), 40)
    assert all(len(line) <= 40 for line in narrow.splitlines())
    assert "fabrikam, late" in narrow
    assert "never polled" in narrow
