"""`replay`, and the way to `rejected`: what was delivered, or refused, is brought to a sink again."""

import json
import time
from typing import TYPE_CHECKING, Annotated

import typer

from collector.cli.again import GOES_ON, Patience, breakable, failed, interrupted, known, open_journal, quiet, shown
from collector.cli.moments import Since
from collector.cli.options import ConfigFile, Json, pasted
from collector.cli.progress import Progress, counted
from collector.cli.rejecting import rejected
from collector.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable

    from collector.service import Replayed, Stand


def add(app: typer.Typer) -> None:
    """Add the commands of this file."""
    app.command()(replay)
    app.add_typer(rejected, name="rejected")


def replay(
    sink: Annotated[str, typer.Argument(metavar="SINK", help="A sink, by its name in the settings.")],
    *,
    since: Since = None,
    everything: Annotated[bool, typer.Option("--all", help="From the first point on.")] = False,
    onward: Annotated[
        bool, typer.Option("--continue", help="From where the sink stands: what was broken off is taken up again.")
    ] = False,
    patience: Patience = 20.0,
    config: ConfigFile = None,
    as_json: Json = False,
) -> None:
    """Deliver again, from an earlier point of the journal on."""
    from collector.point import rfc3339
    from collector.service import replay as deliver_again

    asked = (since is not None, everything, onward).count(True)
    if asked > 1:
        raise ConfigError(["replay: give one of the three: --since TIME, --all, or --continue"])
    if not asked:
        raise ConfigError(["replay: from when on? --since TIME, --all, or --continue"])
    if since is not None and since > time.time() * 1000:
        raise ConfigError(
            [f"--since: {rfc3339(since)} lies ahead of this machine's clock; there is no point from then on"]
        )
    settings = quiet(config)
    known(sink, settings.influxdb)
    breakable()
    with open_journal(settings) as journal, Progress() as progress:
        far = Far(shown(sink, progress))
        try:
            done = deliver_again(settings, journal, sink, since, onward=onward, patience=patience, seen=far)
        except KeyboardInterrupt:
            stands = f"{far}the cursor of {sink} stays where it is by now"
            raise interrupted(stands, f"replay {sink} --continue") from None
    _show_replay(done, onward=onward, as_json=as_json)
    if done.sink.error:
        raise failed(sink, done.sink.error, f"its cursor stays moved, {_left(done)}; {GOES_ON}")


class Far:
    """How far a delivery has come, as it was told last; in words, for whoever breaks it off."""

    def __init__(self, show: "Callable[[Stand], None]") -> None:
        self._show = show
        self._stand: Stand | None = None

    def __call__(self, stand: "Stand") -> None:
        """Take note of it, and show it."""
        self._stand = stand
        self._show(stand)

    def __str__(self) -> str:
        return f"{self._stand.done:,} of {counted(self._stand.of, 'point')} are delivered; " if self._stand else ""


def _left(done: "Replayed") -> str:
    """Return what waits, in the number that was asked for; and what a service has polled since, as that."""
    left = max(done.points - done.sink.points, 0)
    newer = done.sink.backlog - left
    return f"{counted(left, 'point')} of it wait{f', and {newer:,} newer' if newer > 0 else ''}"


def _show_replay(done: "Replayed", *, onward: bool, as_json: bool) -> None:
    from collector.point import rfc3339

    sink = done.sink
    since = None if done.since is None else rfc3339(done.since)
    if as_json:
        document = {
            "sink": sink.sink,
            "from": since,
            "points": done.points,
            "delivered": sink.points,
            "backlog": sink.backlog,
            "by": done.by,
            "dead_letters": sink.dead_letters,
            "ok": sink.error is None,
            "error": f"{sink.error.name}: {sink.error}" if sink.error else "",
        }
        print(json.dumps(document))
        return
    if since is None:
        none = "no point waits" if onward else "there is no point from then on"
        print(f"{sink.sink}: {none}; nothing had to be delivered again")
        return
    by = f" by the process {done.by}" if done.by else ""
    if sink.error is None or sink.points:
        print(f"{sink.sink}: {sink.points:,} of {counted(done.points, 'point')} delivered{by}, the first of {since}")
    if sink.dead_letters:
        print(pasted(f"it has {counted(sink.dead_letters, 'dead letter')}: see `rejected list`"))
