"""What every table of the settings has in common: frozen, closed to strangers, and silent about what it was given."""

import types
import typing
from collections.abc import Iterator
from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict, model_validator

from collector.errors import Unauthorized
from collector.settings.secret import Given, Secret


class Section(BaseModel):
    """A table of the settings. A key `X` that is a Secret can be written as `X_file` instead: the path of its file."""

    model_config: ClassVar[ConfigDict] = ConfigDict(
        frozen=True, extra="forbid", strict=True, validate_default=True, hide_input_in_errors=True
    )

    @classmethod
    def secret_keys(cls) -> tuple[str, ...]:
        """Return the keys that hold a secret."""
        return tuple(name for name, field in cls.model_fields.items() if plain_type(field.annotation) is Secret)

    def secrets(self) -> Iterator[Secret]:
        """Yield every secret of this table and of those in it."""
        for _, value in self:
            for each in value.values() if isinstance(value, dict) else [value]:
                if isinstance(each, Secret):
                    yield each
                elif isinstance(each, Section):
                    yield from each.secrets()

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

    def missing_secrets(self) -> list[str]:
        """Return a line for each secret whose file can't be read now, or holds none: what, where, and what to do."""
        problems = []
        for secret in self.secrets():
            try:
                secret.read()
            except Unauthorized as error:
                problems.append(f"{error}; {error.mend}")
        return problems


def plain_type(annotation: Any) -> Any:  # noqa: ANN401 - an annotation can be anything
    """Return the type that an annotation speaks of, without `| None` and without `Annotated`."""
    if typing.get_origin(annotation) is typing.Annotated:
        return plain_type(typing.get_args(annotation)[0])
    if typing.get_origin(annotation) in (types.UnionType, typing.Union):
        return plain_type(next(each for each in typing.get_args(annotation) if each is not type(None)))
    return annotation
