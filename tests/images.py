"""A Dockerfile's steps, run as near to an engine as can be: on machines that are layers above this one.

What stands for its base is this machine, with this suite's Python; whatever else is done, the Dockerfile says. A step
that is not known fails.
"""

import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from machines import PATH, Machine, Started

_BUILD_VARIABLES = re.compile(r"PIP_|(HTTPS?|ALL|NO)_PROXY$|SSL_CERT_|REQUESTS_CA_BUNDLE$", re.IGNORECASE)
"""What an engine, too, lets steps know of the machine that it builds on."""
_VARIABLE = re.compile(r"\$\{?(\w+)\}?")


@dataclass
class Stage:
    """What the steps of one stage have come to."""

    name: str
    steps: list[tuple[str, str]] = field(default_factory=list)
    env: dict[str, str] = field(default_factory=dict)
    labels: dict[str, str] = field(default_factory=dict)
    said: dict[str, str] = field(default_factory=dict)
    """By its keyword, the last of each step that says one thing: USER, WORKDIR, VOLUME, CMD and so on."""

    def words(self, keyword: str) -> list[str]:
        """Return the words of a step in JSON form."""
        found: list[str] = json.loads(self.said[keyword])
        return found


class Image:
    """The image of a Dockerfile. Its build stages run once, with this machine's network; containers then have none."""

    def __init__(self, dockerfile: Path) -> None:
        self._context = dockerfile.parent
        self._given = (self._context / ".dockerignore").read_text(encoding="utf-8").splitlines()
        *self._before, self.last = _stages(dockerfile.read_text(encoding="utf-8"))
        self._parcels: dict[str, bytes] = {}

    def build(self, folder: Path) -> None:
        """Run all stages but the last, and keep what that takes from them."""
        wanted = [shlex.split(rest) for keyword, rest in self.last.steps if keyword == "COPY"]
        for stage in self._before:
            with Machine(folder / stage.name) as machine:
                self._run(stage, machine)
                for flag, source, _ in wanted:
                    if flag == f"--from={stage.name}":
                        pack = machine.command("tar", "-C", source, "-c", ".")
                        self._parcels[source] = subprocess.run(pack, capture_output=True, check=True).stdout

    @contextmanager
    def container(self, folder: Path, files: Mapping[str, str | Path], *more: str) -> Iterator["Container"]:
        """Yield a container with `files`, which nobody writes to but to its volumes and `more` folders."""
        with Machine(folder, alone=True) as machine:
            self._run(self.last, machine)
            for path, file in files.items():
                text = file if isinstance(file, str) else file.read_text(encoding="utf-8")
                machine.write(path, text)
            machine.seal(*shlex.split(self.last.said["VOLUME"]), *more)
            yield Container(machine, self.last)

    def _run(self, stage: Stage, machine: Machine) -> None:
        cwd = "/"
        base = f"{Path(sys.base_prefix).resolve()}/bin:{PATH}"
        stage.env = {"PATH": base}
        arguments: dict[str, str] = {}
        for keyword, written in stage.steps:
            rest = written if keyword == "RUN" else _expanded(written, stage.env | arguments)
            match keyword:
                case "ARG":
                    arguments |= _pairs(rest)
                case "ENV":
                    stage.env |= _pairs(rest)
                case "LABEL":
                    stage.labels |= _pairs(rest)
                case "WORKDIR":
                    cwd = stage.said[keyword] = rest
                    machine.well("mkdir", "-p", cwd)
                case "COPY":
                    self._copy(machine, shlex.split(rest), cwd)
                case "RUN":
                    here = {key: value for key, value in os.environ.items() if _BUILD_VARIABLES.match(key)}
                    machine.well("sh", "-c", rest, env=here | {"HOME": "/root"} | stage.env | arguments, cwd=cwd)
                case "USER" | "VOLUME" | "EXPOSE" | "HEALTHCHECK" | "ENTRYPOINT" | "CMD":
                    stage.said[keyword] = rest
                case _:
                    raise AssertionError(f"{keyword}: a step that is not known here")

    def _copy(self, machine: Machine, words: list[str], cwd: str) -> None:
        if words[0].startswith("--from="):
            _, source, target = words
            machine.well("mkdir", "-p", target)
            unpack = machine.command("tar", "-C", target, "-x")
            subprocess.run(unpack, input=self._parcels[source], capture_output=True, check=True)
            return
        *sources, target = words
        for source in sources:
            assert f"!{source}" in self._given, f".dockerignore keeps {source} out"
            from_here = self._context / source
            # Of a folder its content is copied, as an engine does.
            copy = ["cp", "-rT", str(from_here), target] if from_here.is_dir() else ["cp", str(from_here), target]
            machine.well(*copy, cwd=cwd)


@dataclass
class Container:
    """A running image: its processes are its user's, without any right of root's."""

    machine: Machine
    stage: Stage

    @contextmanager
    def running(
        self, *words: str, env: Mapping[str, str] | None = None, entrypoint: Sequence[str] | None = None
    ) -> Iterator[Started]:
        """Yield what an engine would run for `words`, or for none, while it runs; it has to end well."""
        begin = self.stage.words("ENTRYPOINT") if entrypoint is None else entrypoint
        given = words or (self.stage.words("CMD") if entrypoint is None else ())
        with self.machine.started(*begin, *given, user=self._user, env=self._env(env), cwd=self._cwd) as started:
            yield started

    def run(self, *words: str, env: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
        """Run a command beside what runs."""
        return self.machine.run(*words, user=self._user, env=self._env(env), cwd=self._cwd)

    def health(self, env: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
        """Ask as an engine would."""
        _, _, words = self.stage.said["HEALTHCHECK"].partition("CMD ")
        return self.run(*json.loads(words), env=env)

    @property
    def _user(self) -> str:
        return self.stage.said["USER"].partition(":")[0]

    @property
    def _cwd(self) -> str:
        return self.stage.said["WORKDIR"]

    def _env(self, more: Mapping[str, str] | None) -> dict[str, str]:
        return {**self.stage.env, **(more or {})}


def _stages(text: str) -> list[Stage]:
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    stages: list[Stage] = []
    for step in re.sub(r"\\\n\s*", " ", "\n".join(lines)).splitlines():
        keyword, _, rest = step.partition(" ")
        if keyword == "FROM":
            stages.append(Stage(rest.rpartition(" AS ")[2]))
        elif stages:
            stages[-1].steps.append((keyword, rest.strip()))
    return stages


def _pairs(text: str) -> dict[str, str]:
    return dict(pair.split("=", 1) for pair in shlex.split(text))


def _expanded(text: str, known: Mapping[str, str]) -> str:
    return _VARIABLE.sub(lambda found: known[found[1]], text)
