"""Which file a name leads to. What belongs to a journal stands beside the file itself, not beside a link to it."""

import os
from pathlib import Path


def followed(path: Path) -> Path:
    """Return the name of the file itself, by whatever links; it need not be there."""
    return Path(os.path.realpath(path))
