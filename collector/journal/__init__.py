"""Durable log of points. Is not a database: rows are appended, read in order by consumers, and pruned by age.

What holds, whatever happens: a point is safe once `append` has returned; ids grow and are never used again; of two
points of one identity only the later one is left, at its own place in the order; a cursor moves only by its consumer's
success or by a person's `move`. Other processes may read and write beside this one.
"""

from collector.journal.backup import Backup, backup
from collector.journal.edges import Summary
from collector.journal.faults import OldFormat, Unsound
from collector.journal.forgetting import Holdings
from collector.journal.letters import Letter, Resent
from collector.journal.links import followed
from collector.journal.lock import Held, RoleLock, holder, reachable
from collector.journal.log import Journal
from collector.journal.proving import Proof
from collector.journal.rights import permit, user
from collector.journal.role import in_charge, say_salvaged
from collector.journal.salvage import Salvaged
from collector.journal.swapping import aside

__all__ = [
    "Backup",
    "Held",
    "Holdings",
    "Journal",
    "Letter",
    "OldFormat",
    "Proof",
    "Resent",
    "RoleLock",
    "Salvaged",
    "Summary",
    "Unsound",
    "aside",
    "backup",
    "followed",
    "holder",
    "in_charge",
    "permit",
    "reachable",
    "say_salvaged",
    "user",
]
