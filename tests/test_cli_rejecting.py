"""`rejected list` of names and words that would play with a terminal."""

from pathlib import Path

import pytest
from journals import group
from system.blackbox import collector, document, well

from collector.batch import DeadLetter
from collector.journal import Journal

SETTINGS = """
[tenants.contoso]
tenant_id = "11111111-1111-1111-1111-111111111111"
client_id = "22222222-2222-2222-2222-222222222222"
credential = { kind = "client_secret", client_secret = "made-up" }
"""
NAMES = (":fire: dept", "[red]all[/red]", "a\u202eb\u2028c", "x" * 300)
WORDS = "partial write: field type :warning: [bold]conflict[/bold]"


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """Settings beside a journal, of which a sink has refused a point of each name."""
    with Journal(tmp_path / "journal.db") as journal:
        journal.append([group(name) for name in NAMES])
        cursor = journal.cursor("main")
        batch = journal.read(cursor, 10)
        assert journal.advance(cursor, batch.after, [DeadLetter(row, WORDS) for row in batch.rows])
    config = tmp_path / "collector.toml"
    config.write_text(SETTINGS)
    return config


def test_names_and_words_are_shown_as_they_are_a_line_a_point(config: Path) -> None:
    """No emoji code, no markup and no colour is made of them; what would turn or break a line is left out."""
    done = collector("rejected", "list", "--config", config, env={"FORCE_COLOR": "1", "COLUMNS": "60"})
    head, words, *points = well(done).splitlines()
    assert head.startswith("main refused 4 points, the last at ")
    assert words == WORDS
    shown = (*NAMES[:2], "abc", NAMES[3])
    assert points == [
        f"  2023-11-14T00:00:00Z  exposure_score_by_group  tenant=contoso, rbacGroupName={name}, rbacGroupId=7"
        for name in shown
    ]


def test_json_has_every_character(config: Path) -> None:
    """A program gets the names as the journal has them."""
    found = document(collector("rejected", "list", "--config", config, "--json"))["rejected"]
    assert [letter["tags"]["rbacGroupName"] for letter in found] == list(NAMES)
    assert {(letter["words"], letter["time"], letter["fields"]["score"]) for letter in found} == {
        (WORDS, "2023-11-14T00:00:00Z", 33.25)
    }
