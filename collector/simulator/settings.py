"""The settings and files with which a collector polls the simulator. Is not the collector's own `settings.py`."""

import json
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from collector.errors import ConfigError
from collector.simulator.sign_in import SCOPE
from collector.simulator.tenants import Tenant


@dataclass(frozen=True, slots=True)
class Files:
    """Where everything lies; `folder` is absolute."""

    folder: Path

    @property
    def ca(self) -> Path:
        """The certificate of the authority that the server's certificate comes from, as PEM."""
        return self.folder / "ca.pem"

    @property
    def secret(self) -> Path:
        """The application's secret."""
        return self.folder / "simulator.secret"

    @property
    def settings(self) -> Path:
        """The settings for a collector."""
        return self.folder / "collector.toml"

    def write(self, ca: bytes, secret: str, settings: str) -> None:
        """Return once all three are there, the secret for this user alone; raise ConfigError when they can't be."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            self.ca.write_bytes(ca)
            self.secret.unlink(missing_ok=True)
            self.secret.touch(mode=0o600)
            self.secret.write_text(secret, encoding="utf-8")
            self.settings.write_text(settings, encoding="utf-8")
        except OSError as error:
            raise ConfigError(
                [f"folder: {error.filename or self.folder} can't be written: {error.strerror}"],
                mend="name a folder that this user may write to",
            ) from error


def new_secret() -> str:
    """Return a secret that nobody could guess, with the characters that Entra's have."""
    return f"{secrets.token_urlsafe(3)}8Q~{secrets.token_urlsafe(24)}"


def settings(tenants: Sequence[Tenant], files: Files, url: str) -> str:
    """Return TOML with a section for each tenant; every path in it is absolute."""
    lines = [
        f"# A Defender tenant that is simulated on {url}: these settings are good for as long as it runs.",
        "# Without an [influxdb.NAME] section beside them the journal alone keeps what is collected.",
    ]
    for tenant in tenants:
        lines += [
            "",
            f"[tenants.{tenant.name}]",
            f"tenant_id = {_quoted(tenant.tenant_id)}",
            f"client_id = {_quoted(tenant.client_id)}",
            f"api_url = {_quoted(url)}",
            f"login_url = {_quoted(url)}",
            f"scope = {_quoted(SCOPE)}",
            f"ca_file = {_quoted(str(files.ca))}",
            f'credential = {{ kind = "client_secret", client_secret_file = {_quoted(str(files.secret))} }}',
        ]
    return "\n".join(lines) + "\n"


def _quoted(text: str) -> str:
    # A JSON string without escaped surrogate pairs is a TOML string too, but for the one control character it keeps.
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
