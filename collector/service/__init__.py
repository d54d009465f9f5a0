"""Runs the collector: polls each slot, delivers without end, answers over HTTP, and ends in order."""

from collector.service.engine import STOP_SECONDS
from collector.service.once import Report, once
from collector.service.run import Service

__all__ = ["STOP_SECONDS", "Report", "Service", "once"]
