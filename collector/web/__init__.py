"""Live, ready and metrics over HTTP. Reads facts, changes nothing, and depends on neither InfluxDB nor the API."""

from collector.web.facts import DeriveFacts, Facts, PollFacts, SettingsFacts, SinkFacts
from collector.web.server import Web

__all__ = ["DeriveFacts", "Facts", "PollFacts", "SettingsFacts", "SinkFacts", "Web"]
