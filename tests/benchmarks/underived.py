"""The command line without what is derived: a round's raw points alone. Is no command of the product."""

from collector.cli import main
from collector.service import engine
from collector.service.deriving import Deriving


class _Nothing(Deriving):
    """Derives nothing, and has nothing to do."""

    def begin(self) -> None:
        """Take up nothing."""

    def nudge(self) -> None:
        """Look for nothing."""

    def finish(self, seconds: float = float("inf")) -> bool:
        """Return at once: there is nothing to wait for."""
        del seconds
        self.up_to_date = True
        return True


if __name__ == "__main__":
    vars(engine)["Deriving"] = _Nothing
    main()
