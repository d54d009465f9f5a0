"""Writes dashboards and alert rules, for polls of an interval: `python -m deploy.blueprints [--interval-seconds N]`."""

import argparse

from deploy.blueprints.files import DEPLOY, INTERVAL_SECONDS, files


def main() -> None:
    """Write each file anew."""
    parser = argparse.ArgumentParser(prog="python -m deploy.blueprints", description=__doc__)
    parser.add_argument("--interval-seconds", type=int, default=INTERVAL_SECONDS, help="poll.interval_seconds (3600)")
    for path, text in files(parser.parse_args().interval_seconds).items():
        target = DEPLOY / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")


main()
