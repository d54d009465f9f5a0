"""Makes the README's picture of the score card: the demo as it runs, seen by a real browser.

python -m tests.picture        from the project's root; writes docs/card.png
"""

import re
import sys
import tempfile
from pathlib import Path

# As pytest has it: the servers and processes of the tests are found by their names.
sys.path.insert(0, str(Path(__file__).parent))

import httpx
from chromium import Chromium
from parsed import Parsed
from system.blackbox import Process, until

PICTURE = Path(__file__).parents[1] / "docs" / "card.png"
_SECONDS = 40
"""Of the demo: the picture is made before it ends."""
_WIDTH, _HEIGHT = 1280, 1180
_MOST = 150_000


def main() -> None:
    """Write the picture; fail where it would be too large for a page that is read on the way."""
    with tempfile.TemporaryDirectory() as folder, Process("demo", "--seconds", str(_SECONDS)) as demo:
        found = until(lambda: re.search(r"Look at it: (\S+)", "".join(demo.out)), seconds=60, what="the card's address")
        url = str(found[1])
        until(lambda: _whole(url), seconds=30, what="a card with its spikes")
        with Chromium(Path(folder)) as browser:
            browser.screen(_WIDTH, _HEIGHT)
            browser.open(url)
            picture = browser.picture()
    if len(picture) > _MOST:
        raise RuntimeError(f"{len(picture):,} bytes are too many for {PICTURE.name}")
    PICTURE.write_bytes(picture)
    sys.stdout.write(f"{PICTURE}: {len(picture):,} bytes\n")


def _whole(url: str) -> bool:
    """Whether the card shows all that follows from the history, and a poll that went well."""
    try:
        said = Parsed(httpx.get(url, trust_env=False).text).said
    except httpx.TransportError:
        return False
    return "the organization +" in said and "still open" in said and "over after" in said and "went well" in said


if __name__ == "__main__":
    main()
