"""What every table of the settings has in common: frozen, closed to strangers, and silent about what it was given."""

import types
import typing
from collections.abc import Callable, Iterator
from functools import cache, partial
from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict, ModelWrapValidatorHandler, PrivateAttr, model_validator

from collector.errors import Unauthorized
from collector.settings.secret import Given, Located, Secret, content


class Section(BaseModel):
    """A table of the settings. A key `X` that is a Secret can be written as `X_file` instead: the path of its file."""

    model_config: ClassVar[ConfigDict] = ConfigDict(
        frozen=True, extra="forbid", strict=True, validate_default=True, hide_input_in_errors=True
    )

    needed: ClassVar[tuple[str, ...]] = ()
    """Keys of the files, beside those of secrets, without which the table is of no use."""
    made: ClassVar[tuple[str, ...]] = ()
    """Keys of the files that the collector makes itself, and that messages name too."""
    _called: dict[str, str] = PrivateAttr(default_factory=dict)

    @classmethod
    @cache
    def secret_keys(cls) -> tuple[str, ...]:
        """Return the keys that hold a secret."""
        return tuple(name for name, field in cls.model_fields.items() if plain_type(field.annotation) is Secret)

    def called(self, key: str) -> str:
        """Return what the settings call the file under `key`, one of `needed` and `made`: its whole key or variable."""
        return self._called.get(key, key)

    def secrets(self) -> Iterator[Secret]:
        """Yield every secret of this table and of those in it."""
        for section in self.sections():
            yield from (value for _, value in section if isinstance(value, Secret))

    def missing_secrets(self) -> list[str]:
        """Return a line for each file that can't be read now, or holds no secret: what, where, and what to do.

        The files are those of secrets, and the others that sign-in needs: a certificate, the platform's token.
        """
        problems = []
        for read in self._reads():
            try:
                read()
            except Unauthorized as error:
                problems.append(f"{error}; {error.mend}")
        return problems

    def sections(self) -> Iterator["Section"]:
        """Yield this table and those in it."""
        yield self
        for _, value in self:
            for each in value.values() if isinstance(value, dict) else [value]:
                if isinstance(each, Section):
                    yield from each.sections()

    def _reads(self) -> Iterator[Callable[[], object]]:
        for section in self.sections():
            for key in section.needed:
                yield partial(content, section.called(key), getattr(section, key))
            yield from (value.read for _, value in section if isinstance(value, Secret))

    @model_validator(mode="before")
    @classmethod
    def _unite(cls, data: Any) -> Any:  # noqa: ANN401 - whatever was written there
        """Bring `X` and `X_file` together under `X`, whose own check then speaks of both, beside all other mistakes."""
        if not isinstance(data, dict):
            return data
        united = dict(data)
        for key in cls.secret_keys():
            if (file := united.pop(f"{key}_file", None)) is not None:
                united[key] = Given(inline=united.get(key), file=file)
        return united

    @model_validator(mode="wrap")
    @classmethod
    def _name(cls, data: Any, handler: ModelWrapValidatorHandler["Section"]) -> "Section":  # noqa: ANN401 - the same
        """Keep what the settings call the files: a path alone does not know."""
        section = handler(data)
        if isinstance(data, dict):
            found = {key: data.get(key) for key in (*cls.needed, *cls.made)}
            called = {key: each.key for key, each in found.items() if isinstance(each, Located)}
            section._called.update(called)  # noqa: SLF001 - its own class's
        return section


def plain_type(annotation: Any) -> Any:  # noqa: ANN401 - an annotation can be anything
    """Return the type that an annotation speaks of, without `| None` and without `Annotated`."""
    if typing.get_origin(annotation) is typing.Annotated:
        return plain_type(typing.get_args(annotation)[0])
    if typing.get_origin(annotation) in (types.UnionType, typing.Union):
        return plain_type(next(each for each in typing.get_args(annotation) if each is not type(None)))
    return annotation
