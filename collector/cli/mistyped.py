"""What is wrong with a command line, in the words of the other errors: what stands where, and what would be right.

The parser is typer's, and so is its reading; what it makes of a slip speaks of its own insides. Is not the commands'
own refusals, which come with `ConfigError`.
"""

import re
import shlex
from collections.abc import Iterable, Iterator, Sequence
from difflib import get_close_matches
from typing import Any

import typer

from collector.cli.options import typed
from collector.errors import ConfigError

UsageError: type[Exception] = typer.BadParameter.__mro__[1]
"""Of every slip in a command line; typer has no name for it."""

# What the parser has, by its attributes: their types are names of its own, which typer doesn't give away.
_Error = Any
_Context = Any
_Param = Any

_EXTRA = re.compile(r"unexpected extra arguments? \((.*)\)|unexpected extra argument\(s\) \((.*)\)", re.DOTALL)
_UNKNOWN = re.compile(r"No such command '(.*?)'\.", re.DOTALL)
_PLAIN = re.compile(r"[^\"$`\\!]+")
_SHOWN = 80
"""Characters of what was typed in a message."""


def slip(error: _Error) -> ConfigError | None:
    """Return what is wrong; None where nothing but a command is missing, and the help is the answer."""
    context = getattr(error, "ctx", None)
    if context is not None and error.message == context.get_help():
        return None
    mend = "" if context is None else f"see `{typed()} {_command(context)}--help`"
    return ConfigError([next(_swallowed(context), None) or _words(error, context)], mend=mend)


def _words(error: _Error, context: _Context) -> str:
    if hasattr(error, "param_type"):
        return _missing(error.param)
    if getattr(error, "param", None) is not None:
        return f"{_called(error.param)}: {_value(error)}"
    if hasattr(error, "option_name"):
        return _option(error, context)
    extra, unknown = _EXTRA.search(error.message), _UNKNOWN.search(error.message)
    if extra:
        return _extra(extra[1] or extra[2], context)
    if unknown:
        return f"there is no command {_shown(unknown[1])}{_near(unknown[1], context.command.commands)}"
    return str(error.message)


def _swallowed(context: _Context) -> Iterator[str]:
    """Yield each option that took the next one for its value."""
    for param in context.command.params if context is not None else ():
        value = context.params.get(param.name)
        for each in value if isinstance(value, list | tuple) else (value,):
            if param.param_type_name == "option" and str(each) in _options(context):
                yield f"{_called(param)}: has no value before {each}"


def _options(context: _Context) -> Sequence[str]:
    return [option for param in context.command.params for option in (*param.opts, *param.secondary_opts)]


def _missing(param: _Param) -> str:
    what = (param.help or "").rstrip(".")
    return f"{_called(param)} is missing{f': {what[0].lower()}{what[1:]}' if what else ''}"


def _value(error: _Error) -> str:
    """Return what is wrong with a value: a number's by what the parser found, else in the words of who refused."""
    try:
        first = error.__cause__.errors()[0]
    except (AttributeError, IndexError):
        return str(error.message)
    kind, given = str(first["type"]), first.get("input")
    if given in _options(error.ctx):
        return f"has no value before {given}"
    if kind == "value_error":
        return str(first["ctx"]["error"]).rstrip(".")
    bound = next(iter(first.get("ctx", {}).values()), None)
    if kind.startswith("int") or isinstance(bound, int):
        return f"{_shown(given)} is not a whole number{_range(error.param)}"
    if kind.startswith("float") or isinstance(bound, float):
        return f"{_shown(given)} is not a number{_range(error.param)}"
    return f"{_shown(given)}: {first['msg']}"


def _range(param: _Param) -> str:
    least, most = getattr(param, "min", None), getattr(param, "max", None)
    if least is None and most is None:
        return ""
    if most is None:
        return f", {least:g} or more"
    return f" from {least:g} to {most:g}" if least is not None else f", {most:g} or less"


def _option(error: _Error, context: _Context) -> str:
    """Return what is wrong with an option by itself."""
    name = error.option_name
    if not hasattr(error, "possibilities"):
        return f"{name}: {'takes no value' if 'does not take' in error.message else 'has no value behind it'}"
    if any(name in param.opts for its in getattr(context.command, "commands", {}).values() for param in its.params):
        return f"{name}: an option stands behind the command that it is of"
    command = _command(context).strip()
    return f"there is no option {_shown(name)}{f' of {command}' if command else ''}{_near(name, _options(context))}"


def _extra(words: str, context: _Context) -> str:
    """Return what is wrong with words that nothing takes; probably a text or name that lacks its quotes."""
    taking = [param for param in context.command.params if param.param_type_name == "argument"]
    if not taking:
        return f"{_command(context)}takes options alone, and no {_shown(words)}"
    first = context.params.get(taking[-1].name)
    whole = f"{first} {words}"
    said = f"{_called(taking[-1])}: one is taken, and {_shown(words)} is behind it; one with spaces needs quotes"
    if not whole.isprintable() or len(whole) > _SHOWN:
        return said
    quoted = f'"{whole}"' if _PLAIN.fullmatch(whole) else shlex.quote(whole)
    return f"{said}, as in {_command(context)}{quoted}"


def _called(param: _Param) -> str:
    """Return what a person knows a parameter by."""
    if param.param_type_name == "argument":
        return str(param.metavar or param.name.upper())
    return str(max(param.opts, key=len))


def _command(context: _Context) -> str:
    """Return the command, as it is typed behind the program's name, and a space; nothing for the program itself."""
    names: list[str] = []
    while context is not None and context.parent is not None:
        names.insert(0, context.info_name)
        context = context.parent
    return "".join(f"{name} " for name in names)


def _near(word: str, known: Iterable[str]) -> str:
    near = get_close_matches(word, list(known), n=1)
    return f"; did you mean {near[0]}?" if near else ""


def _shown(given: object) -> str:
    text = repr(given)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
