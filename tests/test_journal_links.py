"""A journal that is named by a link: what belongs to the file stands beside the file itself, not beside the link."""

from pathlib import Path

import pytest
from cuts import cut_short, flipped, goes_on
from journals import every, group, org
from salvages import contents, made, served

from collector.errors import JournalError
from collector.journal import Journal, aside, holder, in_charge
from collector.journal.rights import permit


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the journal is: on a disk of its own, say."""
    (tmp_path / "disk").mkdir()
    return tmp_path / "disk" / "journal.db"


@pytest.fixture
def link(path: Path) -> Path:
    """What the settings name."""
    link = path.parent.parent / "link.db"
    link.symlink_to(path)
    return link


def test_a_damaged_journal_is_set_aside_where_it_is(path: Path, link: Path) -> None:
    """The link stays one, and the new file stands on the same disk; the role over both is one all the while."""
    before = made(path)
    content = path.read_bytes()
    path.write_bytes(bytes(100) + content[100:])
    with in_charge(link) as journal:
        assert contents(journal) == before
        assert holder(path) == holder(link) is not None
        journal.mend()
        journal.append([org()])
        assert holder(path) == holder(link) is not None
    assert link.is_symlink()
    assert [file.parent for file in aside(link)] == [path.parent] * 2
    assert aside(link) == aside(path)
    assert aside(link)[0].read_bytes()[100:] == content[100:]
    with Journal(path) as journal:
        assert journal.tail() == before.tail + 1


def test_what_would_undo_a_write_is_looked_at_where_sqlite_keeps_it(tmp_path: Path, path: Path, link: Path) -> None:
    """Damaged, it goes with the file that it belongs to, and nothing is let go."""
    cut = cut_short(tmp_path)
    undo = flipped(cut.undo, 17)
    path.write_bytes(cut.main)
    path.with_name("journal.db-journal").write_bytes(undo)
    assert served(link) == cut.before
    (file,) = aside(path)
    assert file.with_name(f"{file.name}-journal").read_bytes() == undo
    goes_on(link)


def test_a_journal_is_made_where_the_link_leads(path: Path, link: Path) -> None:
    """For its owner alone, as anywhere; and without a folder there it is said which one is to be made."""
    with Journal(link) as journal:
        journal.append([org()])
    assert path.stat().st_mode & 0o777 == 0o600
    assert {file.name for file in path.parent.iterdir()} - {"journal.db-journal"} == {"journal.db"}
    link.unlink()
    link.symlink_to(path.parent / "none" / "journal.db")
    with pytest.raises(JournalError, match="its folder does not exist") as caught:
        Journal(link)
    assert caught.value.mend == f"mkdir -p {path.parent / 'none'}"


def test_a_link_that_leads_elsewhere_now_is_followed(path: Path, link: Path) -> None:
    """A person has moved the journal to another disk under a service: points go to where it is."""
    with Journal(link) as journal:
        journal.append([org()])
        new = path.parent.parent / "journal.db"
        new.write_bytes(path.read_bytes())
        path.unlink()
        link.unlink()
        link.symlink_to(new)
        journal.append([group("later")])
        assert every(journal) == [org(), group("later")]
    with Journal(new, readonly=True) as journal:
        assert every(journal) == [org(), group("later")]


def test_what_is_barred_is_named_itself(path: Path, link: Path) -> None:
    """A right to the link's folder would help nobody."""
    assert permit(link) == permit(path)
