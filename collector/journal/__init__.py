"""Durable log of points. Is not a database: rows are appended, read in order by consumers, and pruned by age.

What holds, whatever happens: a point is safe once `append` has returned; ids grow and are never used again; of two
points of one identity only the later one is left, at its own place in the order; a cursor moves only by its consumer's
success or by a person's `move`. Other processes may read and write beside this one.
"""

from collector.journal.lock import RoleLock, holder
from collector.journal.log import Journal
from collector.journal.past import Summary

__all__ = ["Journal", "RoleLock", "Summary", "holder"]
