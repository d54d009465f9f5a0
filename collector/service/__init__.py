"""Runs the collector: polls each slot, delivers without end, answers over HTTP, and ends in order."""

from collector.service.engine import STOP_SECONDS
from collector.service.ids import last_ids
from collector.service.intake import Change, Intake
from collector.service.manager import Manager
from collector.service.once import Report, once
from collector.service.redeliver import Stand
from collector.service.replay import Replayed, replay
from collector.service.resend import Resending, resend
from collector.service.service import Service

__all__ = [
    "STOP_SECONDS",
    "Change",
    "Intake",
    "Manager",
    "Replayed",
    "Report",
    "Resending",
    "Service",
    "Stand",
    "last_ids",
    "once",
    "replay",
    "resend",
]
