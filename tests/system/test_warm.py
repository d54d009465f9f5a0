"""Commands that start where the libraries are loaded: in all that the suite looks at they are those of an owner."""

import os
import re
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from system import warm
from system.blackbox import COMMAND, Simulated, collector, environment, settings, until, well
from system.warm import Warm


@pytest.mark.parametrize(
    "words",
    [
        ["--help"],
        ["status", "--config", "gone.toml"],
        ["colour"],
        ["trend", "--config", "collector.toml"],
        ["export", "--config", "collector.toml"],
    ],
)
def test_a_command_says_what_it_says_when_an_owner_starts_it(
    simulated: Simulated, tmp_path: Path, words: list[str]
) -> None:
    """The same on either stream, and the same exit code: in its folder, where its settings are."""
    config = settings(tmp_path, simulated)
    well(collector("once", "--config", config))
    env = environment(measured=False)
    there = subprocess.run(
        [*COMMAND, *words], env=env, cwd=tmp_path, stdin=0, capture_output=True, text=True, timeout=60, check=False
    )
    here = warm.run(words, env, tmp_path, 60)
    assert (here.returncode, here.stdout, here.stderr) == (there.returncode, there.stdout, there.stderr)


def test_it_has_the_environment_that_it_is_given_and_no_other(simulated: Simulated, tmp_path: Path) -> None:
    """A setting that stands there alone is taken, and one that an earlier command was given is not."""
    words = ["status", "--config", str(settings(tmp_path, simulated))]
    plain = environment(measured=False)
    given = plain | {"COLLECTOR__JOURNAL__PATH": str(tmp_path / os.fsdecode(b"elsewhere \xff\xc3\xbc.db"))}
    said = []
    for env in (given, plain):
        there = subprocess.run([*COMMAND, *words], env=env, capture_output=True, text=True, timeout=60, check=False)
        here = warm.run(words, env, None, 60)
        assert (here.returncode, here.stdout, here.stderr) == (there.returncode, there.stdout, there.stderr)
        said.append(here.stdout + here.stderr)
    assert "COLLECTOR__JOURNAL__PATH" in said[0]
    assert "COLLECTOR__JOURNAL__PATH" not in said[1]


@pytest.mark.parametrize("mask", [0, 0o027])
def test_what_it_makes_it_makes_under_the_mask_of_who_starts_it(tmp_path: Path, mask: int) -> None:
    """Not under the one that the process had which starts it: what is tested without any is without any."""
    before = os.umask(mask)
    try:
        process = Warm(["simulate", "--folder", str(tmp_path)], environment(measured=False))
    finally:
        os.umask(before)
    with process.stdout, process.stderr:
        assert "serving on" in process.stderr.readline()
        status = Path(f"/proc/{process.pid}/status").read_text(encoding="utf-8")
        process.kill()
        process.wait(15)
    assert re.findall(r"^Umask:\t(\d+)$", status, re.MULTILINE) == [f"{mask:04o}"]


def test_it_takes_signals_and_is_a_process_of_its_own(tmp_path: Path) -> None:
    """Two side by side have two process ids; each ends when it is told to, as Ctrl-C tells it or for good."""
    env = environment(measured=False)
    processes = [Warm(["simulate", "--folder", str(tmp_path / str(n))], env) for n in range(2)]
    assert len({os.getpid(), *(process.pid for process in processes)}) == 3
    for number, process in zip((signal.SIGINT, signal.SIGKILL), processes, strict=True):
        assert "serving on" in process.stderr.readline()
        assert process.poll() is None
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(0.1)
        process.send_signal(number)
    assert [process.wait(15) for process in processes] == [0, -signal.SIGKILL]
    for process in processes:
        process.stdout.close()
        process.stderr.close()


def test_what_takes_too_long_is_ended(tmp_path: Path) -> None:
    """As `subprocess.run` ends it."""
    with pytest.raises(subprocess.TimeoutExpired):
        warm.run(["simulate", "--folder", str(tmp_path)], environment(measured=False), None, 0.5)


def test_of_a_worker_that_is_killed_nothing_stays() -> None:
    """Neither the process that it asked nor the folder in which it asked it, though it had no time to say so."""
    work = "import os; from system.warm import run; print(run(['--help'], os.environ, None, 60).returncode, flush=True)"
    with tempfile.TemporaryDirectory() as folder:  # with a shorter name than a test's: sockets want one
        killed = subprocess.run(
            [sys.executable, "-c", f"{work}; os.kill(os.getpid(), {signal.SIGKILL:d})"],
            cwd=Path(__file__).parents[1],
            env=environment({"TMPDIR": folder}, measured=False),
            stdout=subprocess.PIPE,
            timeout=60,
            check=False,
        )
        assert (killed.returncode, killed.stdout) == (-signal.SIGKILL, b"0\n")
        until(lambda: not list(Path(folder).iterdir()), what="nothing is left")


def test_nothing_of_the_collector_is_loaded_before_a_command_is() -> None:
    """What is tested is imported anew by each command, from its first module on."""
    looked = "import sys, warm_process as w; w._load(); print(any(m.startswith('collector') for m in sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", looked], cwd=Path(__file__).parent, capture_output=True, text=True, check=True
    )
    assert done.stdout == "False\n"
