"""What the past says, worked out of points: pure facts, and the few questions to the journal that they take.

Is not the journal, which keeps the points, and not a page or a terminal, which show the facts.
"""

from collector.history.card import Card, Group, Level, Sample, Standing, level
from collector.history.notes import Note, notes
from collector.history.past import Past
from collector.history.reading import rank, read

__all__ = ["Card", "Group", "Level", "Note", "Past", "Sample", "Standing", "level", "notes", "rank", "read"]
