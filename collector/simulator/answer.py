"""An HTTP answer as a value, and the documented shape of the API's errors. Is not a way of sending (`line.py`)."""

import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Answer:
    """Status, body, and the headers beside `Content-Length`."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)


def as_json(payload: object, *, status: int = 200, headers: Mapping[str, str] | None = None) -> Answer:
    """Return `payload` as JSON; a NaN is written `NaN`, as careless servers do."""
    body = json.dumps(payload, ensure_ascii=False).encode()
    return Answer(status, body, {"Content-Type": "application/json", **(headers or {})})


def problem(status: int, code: str, message: str, headers: Mapping[str, str] | None = None) -> Answer:
    """Return an error as the API documents it; `target` is a new correlation id each time."""
    error = {"code": code, "message": message, "target": str(uuid.uuid4())}
    return as_json({"error": error}, status=status, headers={"Cache-Control": "no-store", **(headers or {})})


def not_found() -> Answer:
    """Return what an unknown path gets."""
    return problem(404, "NotFound", "No HTTP resource was found that matches the request URI.")
