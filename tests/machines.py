"""Another machine like this one: a layer above its disk, in namespaces, for what a test installs, breaks or boots.

Whatever is written there is gone afterwards, and every process in it ends with it. Needs root.
"""

import itertools
import os
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import pytest
from servers import NOT_TESTED, need

_UNSHARE = "/usr/bin/unshare"
_IP = "/usr/bin/ip"
SYSTEMD = "/lib/systemd/systemd"
_WAIT_SECONDS = 30
PATH = "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin"
_BEGIN = """
set -e
mount -t tmpfs tmpfs "$1"
cd "$1"
mkdir layer work root
mount -t overlay overlay -o "lowerdir=/,upperdir=$1/layer,workdir=$1/work" root
mount -t proc proc root/proc
mount --rbind /dev root/dev
mount -t tmpfs tmpfs root/run
# Only the disk's own files are in the layer: what is mounted elsewhere, and is needed, is brought in.
shift
for each do
    mkdir -p "root$each"
    mount --rbind "$each" "root$each"
done
# A Python may be at home at root's: other users are to reach it here.
chmod 755 root/root
mkdir root/before
"""
_UNITS = """
mount -t sysfs sysfs root/sys
mount -t cgroup2 cgroup2 root/sys/fs/cgroup
# Nothing starts by itself: a machine that boots would clean its /tmp, in which this very suite may lie.
rm -rf root/etc/systemd/system/*.wants root/lib/systemd/system/*.wants
printf '[Unit]\\nDefaultDependencies=no\\n' > root/etc/systemd/system/test.target
"""
# Not by chroot: who is in one may make no namespace of users.
_ENTER = """
cd root
pivot_root . before
umount -l before
rmdir before
"""
# The first process begins in a control group of its own: two systemds can't share one.
_APART = """
set -e
mount -t cgroup2 cgroup2 "$1"
mkdir "$1/$2"
echo $$ > "$1/$2/cgroup.procs"
umount "$1"
shift 2
exec "$@"
"""
_CLEARED = """
mount -t cgroup2 cgroup2 "$1"
for try in $(seq 100); do
    find "$1/$2" -depth -type d -exec rmdir {} + 2>/dev/null
    [ -e "$1/$2" ] || exit 0
    sleep 0.05
done
exit 1
"""
_IDLE = f"{_BEGIN}{_ENTER}echo up; exec cat >/dev/null"
# What is mounted for a service, its secrets above all, it must see: the mounts are shared.
_BOOT = f"""{_BEGIN}{_UNITS}{_ENTER}mount --make-rshared /; echo up
exec env -i container=test {SYSTEMD} --system --unit=test.target --show-status=no --log-target=null"""


@dataclass(frozen=True)
class Started:
    """A command that runs, and the file of all that it says."""

    process: subprocess.Popen[bytes]
    log: Path


class Machine:
    """One machine, from `with` to its end.

    `boots`: whether systemd is its first process, and units can be started. `alone`: whether it has a loopback of its
    own, and no other network; else it shares this machine's.
    """

    def __init__(self, folder: Path, *, boots: bool = False, alone: bool = False) -> None:
        for program in (_UNSHARE, *([SYSTEMD] if boots else []), *([_IP] if alone else [])):
            need(program)
        if os.geteuid() != 0:
            pytest.skip(f"{NOT_TESTED} for want of root's rights")
        self._folder = folder
        self._boots = boots
        self._alone = alone
        namespaces = f"-mpf{'C' if boots else ''}{'n' if alone else ''}"
        lonely = f"{_IP} link set lo up\n" if alone else ""
        begin = ("sh", "-c", lonely + (_BOOT if boots else _IDLE), "sh", str(folder), *_elsewhere())
        self._groups = (f"{folder}.groups", f"exposure-collector-{uuid.uuid4().hex}")
        apart = (_UNSHARE, "-m", "--propagation", "private", "sh", "-c", _APART, "sh", *self._groups)
        self._command = [*(apart if boots else ()), _UNSHARE, namespaces, "--kill-child"]
        self._command += ["--propagation", "private", *begin]
        self._process: subprocess.Popen[str] | None = None
        self._begun = itertools.count()

    def __enter__(self) -> Self:
        self._folder.mkdir(parents=True, exist_ok=True)
        Path(self._groups[0]).mkdir(exist_ok=True)
        self._process = subprocess.Popen(
            self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        assert self._process.stdout is not None
        assert self._process.stderr is not None
        if self._process.stdout.readline() != "up\n":
            raise AssertionError(self._process.stderr.read())
        end = time.monotonic() + _WAIT_SECONDS
        while self._boots and self.run("systemctl", "is-active", "--quiet", "test.target").returncode:
            assert time.monotonic() < end, "systemd does not come up"
            time.sleep(0.05)
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process is not None
        self._process.kill()
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout, self._process.stderr):
            if stream:
                stream.close()
        if self._boots:
            cleared = (_UNSHARE, "-m", "--propagation", "private", "sh", "-c", _CLEARED, "sh", *self._groups)
            subprocess.run(cleared, check=True, capture_output=True, timeout=60)

    def command(self, *words: str, user: str = "", env: Mapping[str, str] | None = None, cwd: str = "/") -> list[str]:
        """Return the command that runs `words` on it; as `user`, a number, without any right of root's."""
        rights = ["--reuid", user, "--regid", user, "--clear-groups", "--no-new-privs"]
        rights += ["--bounding-set=-all", "--inh-caps=-all", "--ambient-caps=-all"]
        given = {"PATH": PATH, **(env or {})}
        return [
            *("nsenter", "-t", self._inside(), "-m", "-p", *(["-n"] if self._alone else []), "--"),
            *(["setpriv", *rights] if user else []),
            *("env", "-i", "-C", cwd, *(f"{key}={value}" for key, value in given.items()), *words),
        ]

    def run(
        self, *words: str, user: str = "", env: Mapping[str, str] | None = None, cwd: str = "/", timeout: float = 120
    ) -> subprocess.CompletedProcess[str]:
        """Run a command on it to its end."""
        command = self.command(*words, user=user, env=env, cwd=cwd)
        return subprocess.run(command, capture_output=True, text=True, timeout=timeout, check=False)

    def well(self, *words: str, user: str = "", env: Mapping[str, str] | None = None, cwd: str = "/") -> str:
        """Return what a command printed; fail with what it said unless it ended with 0."""
        done = self.run(*words, user=user, env=env, cwd=cwd)
        assert done.returncode == 0, f"{words}: exit {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    @contextmanager
    def started(
        self, *words: str, user: str = "", env: Mapping[str, str] | None = None, cwd: str = "/"
    ) -> Iterator["Started"]:
        """Yield a command while it runs; fail unless it then ends with 0, when it is told to."""
        begun = next(self._begun)
        pid_file = f"/run/{begun}.pid"
        log = self._folder.with_name(f"{self._folder.name}-{begun}.log")
        # The signal is for the process there, not for what waits for it here.
        command = self.command(*words, user=user, env=env, cwd=cwd)
        at = command.index("--") + 1
        command[at:at] = ["sh", "-c", 'echo $$ > "$0"; exec "$@"', pid_file]
        with log.open("w", encoding="utf-8") as output:
            process = subprocess.Popen(command, stdout=output, stderr=output)
        try:
            yield Started(process, log)
            self.run("sh", "-c", f"kill -TERM $(cat {pid_file})")
            code = process.wait(20)
            assert code == 0, f"{words}: exit {code}\n{log.read_text(encoding='utf-8')}"
        finally:
            self.run("sh", "-c", f"kill -KILL $(cat {pid_file})")
            process.kill()
            process.wait()

    def write(self, path: str, text: str, mode: int = 0o644) -> None:
        """Write a file, with the folders that it needs."""
        self.well("mkdir", "-p", str(Path(path).parent))
        done = subprocess.run(self.command("tee", path), input=text, text=True, capture_output=True, check=False)
        assert done.returncode == 0, done.stderr
        self.well("chmod", f"{mode:o}", path)

    def seal(self, *volumes: str) -> None:
        """Let nothing be written from now on but below `volumes`, whoever asks."""
        for volume in volumes:
            self.well("mount", "--bind", volume, volume)
        self.well("mount", "-o", "remount,bind,ro", "/")

    def _inside(self) -> str:
        """Return the pid of its first process."""
        assert self._process is not None
        pid = self._process.pid
        return Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()[0]


def _elsewhere() -> list[str]:
    """Return what this suite needs and what isn't on the disk itself, nor below /dev, which every machine has."""
    needed = {str(Path(__file__).parent.parent), sys.prefix, sys.base_prefix}
    disk = Path("/").stat().st_dev
    return [each for each in sorted(needed) if Path(each).stat().st_dev != disk and not each.startswith("/dev/")]
