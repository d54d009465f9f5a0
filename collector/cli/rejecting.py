"""`rejected`: the points that a sink refused for good, and what becomes of them."""

import json
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from collector.cli.again import GOES_ON, Patience, breakable, failed, interrupted, known, open_journal, quiet, shown
from collector.cli.options import ConfigFile, Json, pasted
from collector.cli.progress import Progress, counted

if TYPE_CHECKING:
    from collector.journal import Journal, Letter
    from collector.service import Resending
    from collector.settings import Settings

rejected = typer.Typer(
    help="List, send again or discard what a sink refused for good.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
Sink = Annotated[str | None, typer.Option("--sink", "-s", help="This sink alone, by its name in the settings.")]


@rejected.command("list")
def list_letters(*, sink: Sink = None, config: ConfigFile = None, as_json: Json = False) -> None:
    """List the points that a sink refused, and the server's words."""
    from collector.journal import Journal

    settings = quiet(config)
    with Journal(settings.journal.path, readonly=True) as journal:
        letters = journal.letters.every(_chosen(journal, settings, sink))
        if as_json:
            print(json.dumps({"rejected": [_document(letter) for letter in letters]}))
        else:
            _show_letters(list(letters))


@rejected.command()
def resend(*, sink: Sink = None, patience: Patience = 20.0, config: ConfigFile = None, as_json: Json = False) -> None:
    """Send the points that were refused again, but for those that have a newer value by now."""
    from collector.service import resend as send_again

    settings = quiet(config)
    breakable()
    with open_journal(settings) as journal:
        if sink is not None:
            known(sink, settings.influxdb)
        having = _chosen(journal, settings, sink)
        sinks = [name for name in having if name in settings.influxdb]
        for name in [name for name in having if name not in sinks]:
            said = f"{name}: not in the settings: its dead letters stay; `rejected discard` takes them"
            print(pasted(said), file=sys.stderr)
        with Progress() as progress:
            try:
                done = send_again(settings, journal, sinks, patience=patience, seen=shown(", ".join(sinks), progress))
            except KeyboardInterrupt:
                raise interrupted("what was sent again is in the journal", "rejected resend") from None
    _show_resending(done, as_json=as_json)
    for each in done.sinks:
        if each.error:
            raise failed(each.sink, each.error, f"{each.backlog} points wait; {GOES_ON}")
    if done.again:
        raise typer.Exit(1)


@rejected.command()
def discard(*, sink: Sink = None, config: ConfigFile = None, as_json: Json = False) -> None:
    """Give up on sending them again; the points stay in the journal."""
    settings = quiet(config)
    with open_journal(settings) as journal:
        sinks = _chosen(journal, settings, sink)
        gone = journal.letters.discard(sinks, journal.letters.last())
    print(json.dumps({"discarded": gone}) if as_json else f"{counted(gone, 'dead letter')} discarded")


def _chosen(journal: "Journal", settings: "Settings", sink: str | None) -> Sequence[str]:
    """Return the sink that was asked for, or every one that has dead letters, also one that left the settings."""
    having = journal.letters.counts()
    if sink is None:
        return list(having)
    known(sink, list(dict.fromkeys([*settings.influxdb, *having])))
    return [sink]


def _document(letter: "Letter") -> dict[str, object]:
    from collector.point import rfc3339

    point = letter.row.point
    return {
        "sink": letter.sink,
        "measurement": point.series.measurement,
        "tags": dict(point.series.tags),
        "time": rfc3339(point.time),
        "fields": dict(point.fields),
        "at": rfc3339(letter.at),
        "words": letter.words,
    }


def _show_letters(letters: "Sequence[Letter]") -> None:
    """Show the points under the words with which they were refused: these are long, and mostly the same."""
    from collector.cli.terminal import plain
    from collector.point import rfc3339

    if not letters:
        print("no dead letters")
    alike: dict[tuple[str, str], list[Letter]] = {}
    for letter in letters:
        alike.setdefault((letter.sink, letter.words), []).append(letter)
    for (sink, words), refused in alike.items():
        last = rfc3339(max(letter.at for letter in refused) // 1000 * 1000)
        print(f"{sink} refused {counted(len(refused), 'point')}, the last at {last}:\n{plain(words)}")
        wide = max(len(letter.row.point.series.measurement) for letter in refused)
        for letter in refused:
            point = letter.row.point
            tags = ", ".join(f"{key}={value}" for key, value in point.series.tags)
            print(plain(f"  {rfc3339(point.time)}  {point.series.measurement:{wide}}  {tags}"))


def _show_resending(done: "Resending", *, as_json: bool) -> None:
    if as_json:
        document = {
            "sent": done.sent,
            "superseded": done.superseded,
            "rejected": [_document(letter) for letter in done.again],
            "left": done.left,
            "ok": not done.again and not any(sink.error for sink in done.sinks),
        }
        print(json.dumps(document))
        return
    print(
        f"{counted(done.sent, 'point')} sent again, {done.superseded} superseded by a newer value,"
        f" {len(done.again)} rejected again"
    )
    for words in dict.fromkeys(letter.words for letter in done.again):
        print(f"  {words}")
    if done.left:
        print(f"{counted(done.left, 'dead letter')} not sent yet")
