"""A consumer that fails says so, and nothing is pruned on its word meanwhile."""

from contextlib import suppress
from pathlib import Path

import pytest
from journals import org

from collector.batch import Batch, Cursor, Filter
from collector.derive import Derive, Rules
from collector.errors import JournalError
from collector.history.spikes import Rule
from collector.journal import Journal
from collector.service.deriving import DERIVING, Deriving
from collector.service.lanes import Lanes

_EVERYTHING = Filter()
_RULE = Rule(rise=5.0, window_days=14)
_RULES = Rules(organization=_RULE, groups=_RULE, interval=3600, links={})


class _Failing(Journal):
    """A journal that can't be read while it has an error."""

    error: Exception | None = None

    def read(self, cursor: Cursor, limit: int, wanted: Filter = _EVERYTHING) -> Batch:
        if self.error:
            raise self.error
        return super().read(cursor, limit, wanted)


@pytest.mark.parametrize("error", [JournalError("down"), RuntimeError("a fault of ours")])
def test_what_fails_is_not_up_to_date(tmp_path: Path, error: Exception) -> None:
    """Also where it was before; and it is again once a turn goes well."""
    with _Failing(tmp_path / "journal.db") as journal:
        deriving = Deriving(Derive(journal, _RULES), Lanes({DERIVING: 1}), lambda: None)
        found: list[bool] = []
        for journal.error in (None, error, None):
            journal.append([org()])
            with suppress(RuntimeError):
                deriving.finish()
            found.append(deriving.up_to_date)
        assert found == [True, False, True]
        assert deriving.error is None
