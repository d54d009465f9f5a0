"""How tenants, sinks and the journal do, by what the journal says. It costs by what is shown, not by what is kept.

Asks neither the API nor a sink. A consumer that is far behind while a process runs is watched for a second.
"""

from collector.status.reading import read_status
from collector.status.said import (
    DeriveStatus,
    JournalStatus,
    PollStatus,
    ProcessStatus,
    ShardStatus,
    SinkStatus,
    Status,
)

__all__ = [
    "DeriveStatus",
    "JournalStatus",
    "PollStatus",
    "ProcessStatus",
    "ShardStatus",
    "SinkStatus",
    "Status",
    "read_status",
]
