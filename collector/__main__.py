"""`python -m collector` is `exposure-collector`."""

from collector.cli import main

main()
