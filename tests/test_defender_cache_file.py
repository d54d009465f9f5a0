"""collector.defender.sign_in.cache: what stands in the file, and who may read it, whatever happens to its writer."""

import os
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from collector.defender.sign_in.cache import CacheFile

KILLED = """
import os, signal, sys
from pathlib import Path
from collector.defender.sign_in.cache import CacheFile
os.fsync = lambda _: os.kill(os.getpid(), signal.SIGKILL)
CacheFile("cache_file", Path(sys.argv[1]), "sign in").write("the~secret of the second")
"""


@pytest.mark.parametrize("umask", [0o000, 0o077, 0o777])
def test_no_umask_opens_or_closes_the_cache(tmp_path: Path, umask: int) -> None:
    """It is readable and writable by its owner, and by nobody else, whatever the process's umask is."""
    file = CacheFile("cache_file", tmp_path / "cache", "sign in")
    before = os.umask(umask)
    try:
        file.write("first")
    finally:
        os.umask(before)
    assert stat.S_IMODE(file.path.stat().st_mode) == 0o600


def test_a_process_that_is_killed_while_it_writes_leaves_no_secret_behind(tmp_path: Path) -> None:
    """The cache is as it was before; what had been written beside it is gone after the next renewal."""
    file = CacheFile("cache_file", tmp_path / "cache", "sign in")
    file.write("first")
    for _ in range(2):
        assert subprocess.run([sys.executable, "-c", KILLED, file.path], check=False).returncode == -signal.SIGKILL
        assert file.path.read_text(encoding="utf-8") == "first"
    assert all(stat.S_IMODE(each.stat().st_mode) == 0o600 for each in tmp_path.iterdir())
    file.write("third")
    assert [each.name for each in tmp_path.iterdir()] == ["cache"]
    assert file.path.read_text(encoding="utf-8") == "third"
