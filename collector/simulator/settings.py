"""The settings and files with which a collector polls the simulator. Is not the collector's own `settings`."""

import json
import os
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from collector.errors import ConfigError
from collector.simulator.kept import MARK, merged
from collector.simulator.sign_in import SCOPE
from collector.simulator.sign_in.application import Application, Credential
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
    def pem(self) -> Path:
        """The application's certificate and its key, as PEM."""
        return self.folder / "simulator.pem"

    @property
    def pfx(self) -> Path:
        """The same as PKCS #12, encrypted with the password in `pfx_password`."""
        return self.folder / "simulator.pfx"

    @property
    def pfx_password(self) -> Path:
        """The password of `pfx`."""
        return self.folder / "simulator.pfx.password"

    @property
    def token(self) -> Path:
        """The platform's token, which it replaces now and then."""
        return self.folder / "simulator.token"

    @property
    def cache(self) -> Path:
        """Where a collector keeps a person's sign-in; the simulator writes nothing there."""
        return self.folder / "simulator.cache"

    @property
    def settings(self) -> Path:
        """The settings for a collector."""
        return self.folder / "collector.toml"

    def write(self, ca: bytes, application: Application, settings: str) -> None:
        """Return once they are there, for this user alone; raise ConfigError when they can't be.

        What a person added to the settings of an earlier simulator stays.
        """
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            if self.settings.exists():
                settings = merged(self.settings, settings)
            # Nobody else may say whom the collector trusts, or whom it asks.
            _replace(self.ca, ca)
            _replace(self.settings, settings.encode())
        except OSError as error:
            raise _unwritable(error, self.folder) from error
        self.write_credential(application)

    def write_credential(self, application: Application) -> None:
        """Replace each of the application's files as a whole: who reads meanwhile reads the old one, or the new."""
        given = {self.secret: application.secret.encode()}
        if application.certificate:
            given[self.pem] = application.certificate.pem()
            given[self.pfx] = application.certificate.pfx(application.pfx_password)
            given[self.pfx_password] = application.pfx_password.encode()
        if application.token:
            given[self.token] = application.token.encode()
        try:
            for path, content in given.items():
                _replace(path, content)
        except OSError as error:
            raise _unwritable(error, self.folder) from error

    def credential(self, kind: Credential) -> str:
        """Return the `credential` of a tenant's settings, as TOML."""
        keys = {
            "client_secret": {"client_secret_file": self.secret},
            "certificate": {"certificate_file": self.pem},
            "certificate_pfx": {"certificate_file": self.pfx, "password_file": self.pfx_password},
            "workload_identity": {"token_file": self.token},
            "managed_identity": {},
            "device_code": {"cache_file": self.cache},
        }[kind]
        pairs = {"kind": kind.removesuffix("_pfx"), **keys}
        return f"{{ {', '.join(f'{key} = {_quoted(str(value))}' for key, value in pairs.items())} }}"


def settings(tenants: Sequence[Tenant], files: Files, kind: Credential, *, url: str, login_url: str) -> str:
    """Return TOML with a section for each tenant; every path in it is absolute."""
    lines = [
        f"{MARK} on {url}: these settings are good for as long as it runs.",
        "# Without an [influxdb.NAME] section beside them the journal alone keeps what is collected.",
    ]
    for tenant in tenants:
        client_id = f"client_id = {_quoted(tenant.client_id)}"
        if kind == "managed_identity":
            client_id = f"# {client_id}   # the user-assigned identity; without it the machine's own"
        lines += [
            "",
            f"[tenants.{tenant.name}]",
            f"tenant_id = {_quoted(tenant.tenant_id)}",
            client_id,
            f"api_url = {_quoted(url)}",
            f"login_url = {_quoted(login_url)}",
            f"scope = {_quoted(SCOPE)}",
            f"ca_file = {_quoted(str(files.ca))}",
            f"credential = {files.credential(kind)}",
        ]
    return "\n".join(lines) + "\n"


def _replace(path: Path, content: bytes) -> None:
    # The temporary file is this user's alone from its first moment.
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        Path(name).replace(path)
    except OSError:
        with suppress(OSError):
            Path(name).unlink()
        raise


def _unwritable(error: OSError, folder: Path) -> ConfigError:
    return ConfigError(
        [f"folder: {error.filename or folder} can't be written: {error.strerror}"],
        mend="name a folder that this user may write to",
    )


def _quoted(text: str) -> str:
    # A JSON string without escaped surrogate pairs is a TOML string too, but for the one control character it keeps.
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
