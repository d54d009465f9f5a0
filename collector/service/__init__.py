"""Runs the collector: polls each slot, delivers without end, answers over HTTP, and ends in order."""

from collector.service.once import Report, once
from collector.service.run import Service

__all__ = ["Report", "Service", "once"]
