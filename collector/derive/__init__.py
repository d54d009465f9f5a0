"""What follows from the scores: trends, spikes and days, as points of their own."""

from collector.derive.consumer import Derive
from collector.derive.protocols import Rules

__all__ = ["Derive", "Rules"]
