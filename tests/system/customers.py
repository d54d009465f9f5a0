"""Tenants of a simulator as files of a folder, for the services that share or reload them."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from leaks import know_settings
from system.blackbox import Simulated


class Customers:
    """Settings whose tenants are files, each of which can be written, changed and taken away."""

    def __init__(self, folder: Path, simulated: Simulated, *sections: str, names: Iterable[str] = ()) -> None:
        folder.mkdir(exist_ok=True)
        self.folder = folder
        self.config = folder / "collector.toml"
        self._simulated = simulated
        (folder / "tenants.d").mkdir()
        self.settings(*sections)
        for name in names:
            self.add(name)

    def settings(self, *sections: str, top: str = "") -> None:
        """Write the settings anew; `top`: keys that stand before every table."""
        web = "" if any("[web]" in section for section in sections) else '[web]\nlisten = ""\n'
        self.config.write_text("\n".join(['tenants_dir = "tenants.d"', top, web, *sections]), encoding="utf-8")

    def add(self, name: str, **keys: Any) -> None:
        """Write a tenant's file as the simulator has it, but for `keys`."""
        text = "".join(f"{key} = {_toml(value)}\n" for key, value in {**self._simulated.all[name], **keys}.items())
        know_settings(text)
        self.file(name).write_text(text, encoding="utf-8")

    def remove(self, name: str) -> None:
        """Take a tenant's file away."""
        self.file(name).unlink()

    def file(self, name: str) -> Path:
        """Return a tenant's file."""
        return self.folder / "tenants.d" / f"{name}.toml"


def _toml(value: object) -> str:
    if isinstance(value, Mapping):
        return f"{{ {', '.join(f'{key} = {_toml(each)}' for key, each in value.items())} }}"
    return f'"{value}"'
