"""What makes a file or a folder survive a power cut: SQLite does it for what it writes, and this for the rest."""

import os
from pathlib import Path


def sync(path: Path) -> None:
    """Return once what was written to a file, or the names in a folder, are on the disk; raise OSError."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
