"""What Docker Compose itself makes of compose.yaml. Starts nothing: no engine runs here."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

DEPLOY = Path(__file__).parent.parent / "deploy"
COMPOSE = Path(sys.executable).with_name("docker-compose")


def model(profile: str, folder: Path = DEPLOY, env_file: str = ".env.example") -> dict[str, Any]:
    """Return the services and secrets of a profile; fail where Compose has anything to say against the file."""
    done = subprocess.run(
        [COMPOSE, "--env-file", env_file, "--profile", profile, "config", "--format", "json"],
        cwd=folder,
        env={"PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found
