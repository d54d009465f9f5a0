"""Collecting and delivering, apart from each other: nothing that fails in one keeps the other, or its kind, waiting."""

from collector.pipeline.backoff import Backoff
from collector.pipeline.collect import Collecting
from collector.pipeline.deliver import Delivery
from collector.pipeline.hold import Hold
from collector.pipeline.outcome import Outcome
from collector.pipeline.pace import Pace
from collector.pipeline.poll import Terms

__all__ = ["Backoff", "Collecting", "Delivery", "Hold", "Outcome", "Pace", "Terms"]
