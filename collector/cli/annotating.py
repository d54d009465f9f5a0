"""`annotate`: what people know of the scores, kept beside them. Is not a change of any score."""

import json
import secrets
import time
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from collector.cli.again import open_journal, quiet
from collector.cli.choosing import one_group, some_tenants
from collector.cli.moments import At
from collector.cli.names import nearest
from collector.cli.options import ConfigFile, Json, pasted
from collector.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from collector.history import Note
    from collector.journal import Journal
    from collector.settings import Settings

_LETTERS = "bcdfghjkmnpqrstvwxz"
"""Of an id: no word comes of them, no number to a spreadsheet, and none looks like another."""
_LENGTH = 7
_MOST_BYTES = 65_535
"""InfluxDB's bound of a text."""


def add(app: typer.Typer) -> None:
    """Add the commands of this file."""
    app.command()(annotate)


def annotate(
    title: Annotated[
        str | None, typer.Argument(metavar="TITLE", show_default=False, help="What there is to say, in a line.")
    ] = None,
    *,
    kind: Annotated[
        Literal["note", "break"] | None,
        typer.Option(
            metavar="KIND",
            show_default=False,
            help="note, the default; or break: from then on scores are not comparable with those before (a new scoring"
            " model, say).",
        ),
    ] = None,
    at: At = None,
    tenant: Annotated[
        list[str] | None,
        typer.Option(
            *("--tenant", "-t"),
            metavar="NAME",
            show_default=False,
            help="Of this tenant; can be given several times. Else of all in the settings.",
        ),
    ] = None,
    group: Annotated[
        str | None,
        typer.Option(
            *("--group", "-g"),
            metavar="GROUP",
            help="Of this device group alone: its name, a beginning of it, or its id.",
        ),
    ] = None,
    text: Annotated[
        str | None, typer.Option(metavar="TEXT", help="What else there is to say, in any number of lines.")
    ] = None,
    remove: Annotated[str | None, typer.Option("--remove", metavar="ID", help="Take back what has this id.")] = None,
    listed: Annotated[bool, typer.Option("--list", help="Show what is noted, the newest first.")] = False,
    config: ConfigFile = None,
    as_json: Json = False,
) -> None:
    """Note what explains the scores; list or take back.

    `trend` shows it, and sinks get it as `exposure_annotation`, from a running service within seconds.
    """
    if [title is not None, remove is not None, listed].count(True) != 1:
        raise ConfigError(["annotate: give one of the three: a TITLE, --remove ID, or --list"])
    more = {"--kind": kind, "--at": at, "--group": group, "--text": text, "--tenant": (not listed and tenant) or None}
    stray = [option for option, value in more.items() if value is not None]
    if title is None and stray:
        raise ConfigError([f"{', '.join(stray)}: only with a TITLE"])
    if title is not None:
        _want_text(title, text or "")
    settings = quiet(config)
    if listed:
        _list(settings, tenant or [], as_json=as_json)
    elif title is None:
        _remove(settings, str(remove), as_json=as_json)
    else:
        from collector.history import Note

        with open_journal(settings) as journal:
            id_ = _unused(journal)
            when = int(time.time()) * 1000 if at is None else at
            made = [
                Note(id=id_, at=when, kind=kind or "note", tenant=name, group=its, title=title, text=text or "")
                for name, its in _concerned(settings, journal, tenant or [], group).items()
            ]
            journal.append([note.point() for note in made])
        _show(settings, made, as_json=as_json)


def _want_text(title: str, text: str) -> None:
    """Return if InfluxDB can keep both; raise ConfigError where it can't, or where there is no title."""
    from collector.cli.terminal import plain

    faults = []
    for name, value in (("TITLE", title), ("--text", text)):
        try:
            size = len(value.encode())
        except UnicodeEncodeError:
            faults.append(f"{name}: it has bytes that are no UTF-8")
        else:
            if size > _MOST_BYTES:
                faults.append(f"{name}: {size:,} bytes in UTF-8; InfluxDB keeps {_MOST_BYTES:,} of a text")
    if not faults and not plain(title).strip():
        faults.append("TITLE: there is nothing in it that can be seen")
    if faults:
        raise ConfigError(faults)


def _unused(journal: "Journal") -> str:
    """Return an id that no annotation of the journal has."""
    from collector.history.notes import ANNOTATION

    used = {series.tag("id") for series in journal.series(ANNOTATION)}
    while (drawn := "".join(secrets.choice(_LETTERS) for _ in range(_LENGTH))) in used:
        pass
    return drawn


def _concerned(
    settings: "Settings", journal: "Journal", tenants: Sequence[str], word: str | None
) -> "Mapping[str, str | None]":
    """Return for each tenant that is meant the group's name, None for all groups.

    Where no tenant is named, that is those that have the group.
    """
    from collector.history.reading import names

    chosen = some_tenants(settings, journal, tenants)
    if not chosen:
        raise ConfigError(["annotate: the settings have no tenant"])
    if word is None:
        return dict.fromkeys(chosen)
    having = names(journal, chosen, one_group(journal, chosen, word))
    without = [tenant for tenant in tenants if tenant not in having]
    if without:
        raise ConfigError([f"--group: {', '.join(without)}: no such device group there"])
    every = sorted({name for called in having.values() for name in called})
    if len(every) > 1:
        raise ConfigError([f"--group: it is called differently by now: {nearest(word, every)}; name one, or a tenant"])
    return {tenant: every[0] for tenant in chosen if tenant in having}


def _remove(settings: "Settings", id_: str, *, as_json: bool) -> None:
    from collector.history import notes
    from collector.point import MAX_TIME

    with open_journal(settings) as journal:
        every = notes(journal, journal.tenants(), 0, MAX_TIME, withdrawn=True)
        alike = [note for note in every if note.id == id_]
        if not alike:
            others = list(dict.fromkeys(note.id for note in reversed(every) if not note.withdrawn))
            near = f"there are {nearest(id_, others)}; `annotate --list` shows them" if others else "there is none"
            raise ConfigError([f"--remove: nothing is noted under {id_}; {near}"])
        gone = [replace(note, withdrawn=True) for note in alike]
        journal.append([note.point() for note, before in zip(gone, alike, strict=True) if not before.withdrawn])
    if as_json:
        print(json.dumps(_document(gone)))
    else:
        print(f"{id_}: {'it was taken back before' if alike == gone else 'taken back'}")


def _list(settings: "Settings", tenants: Sequence[str], *, as_json: bool) -> None:
    from collector.cli.noted import Lines
    from collector.history import notes
    from collector.journal import Journal
    from collector.point import MAX_TIME

    with Journal(settings.journal.path, readonly=True) as journal:
        every = journal.tenants()
        chosen = some_tenants(settings, journal, tenants) if tenants else every
        found = notes(journal, every, 0, MAX_TIME)
    by_id: dict[str, list[Note]] = {}
    for note in found:
        by_id.setdefault(note.id, []).append(note)
    # Of what was noted of one moment the later one is the newer.
    newest = sorted(by_id.values(), key=lambda alike: alike[0].at)[::-1]
    meant = [alike for alike in newest if any(note.tenant in chosen for note in alike)]
    if as_json:
        print(json.dumps({"annotations": [_document(alike) for alike in meant]}))
        return
    if not meant:
        print("nothing is noted")
    lines = Lines(settings.tenants)
    for each in meant:
        lines.show(each, text=True)


def _document(alike: "Sequence[Note]") -> dict[str, object]:
    """Return what was noted under one id, with the tenants for which it was."""
    from collector.history.notes import EVERY_GROUP
    from collector.point import rfc3339

    note = alike[0]
    return {
        "id": note.id,
        "time": rfc3339(note.at),
        "kind": note.kind,
        "tenants": [each.tenant for each in alike],
        "rbacGroupName": note.group or EVERY_GROUP,
        "title": note.title,
        "text": note.text,
        "withdrawn": note.withdrawn,
    }


def _show(settings: "Settings", made: "Sequence[Note]", *, as_json: bool) -> None:
    from collector.cli.noted import Lines
    from collector.journal import holder

    if as_json:
        print(json.dumps(_document(made)))
        return
    Lines(settings.tenants).show(made)
    if made[0].at > time.time() * 1000:
        print("  it lies ahead: it is shown and counts from then on")
    if settings.influxdb and holder(settings.journal.path) is None:
        print(pasted("  no service runs: `once` delivers it"))
    print(pasted(f"  to take it back: `annotate --remove {made[0].id}`"))
