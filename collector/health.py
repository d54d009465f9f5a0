"""Whether the service of these settings is well, by its own pages here. Is not the doctor: that is `check`."""

import json
from collections.abc import Sequence
from contextlib import suppress
from http import HTTPStatus

from collector.errors import CollectorError, ConfigError
from collector.http import Http
from collector.settings import Settings

_SECONDS = 5.0


def unwell(settings: Settings, *, ready: bool) -> Sequence[str]:
    """Return why the service is not live, or with `ready` why it is not ready; nothing where it is.

    Raise ConfigError where the settings have no page to ask.
    """
    url = settings.web.url
    if url is None:
        raise ConfigError(["web.listen: no fixed address, so the service can't be asked; name one, with its port"])
    try:
        answer = Http().direct().send("GET", f"{url}{'readyz' if ready else 'livez'}", seconds=_SECONDS)
    except CollectorError as error:
        return [str(error)]
    if answer.status == HTTPStatus.OK:
        return []
    with suppress(ValueError, LookupError, TypeError):
        if reasons := [str(reason) for reason in json.loads(answer.body)["reasons"]]:
            return reasons
    return [f"{url}: {answer.status} {answer.text.strip()[:200]}"]
