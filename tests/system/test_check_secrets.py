"""`check` on files of secrets: one that others may read is well for now, and told with the command that mends it."""

import subprocess
from pathlib import Path

from system.blackbox import Simulated, settings
from system.doctor import checks


def test_a_secret_that_others_may_read_is_told_with_its_mend(simulated: Simulated, tmp_path: Path) -> None:
    """The line names the file; once the command that it proposes has been run there is no such line."""
    secret = tmp_path / "my secret"
    config = settings(tmp_path, simulated)
    (before,) = [line for line in config.read_text().splitlines() if line.startswith("credential")]
    was = Path(before.split('client_secret_file = "')[1].split('"')[0])
    secret.write_bytes(was.read_bytes())
    secret.chmod(0o644)
    config.write_text(config.read_text().replace(str(was), str(secret)))
    told = checks(config)["contoso: secret file"]
    assert (told.ok, told.message) == (True, f"others may read {secret}")
    subprocess.run(["sh", "-c", told.mend], check=True)
    assert "contoso: secret file" not in checks(config)
