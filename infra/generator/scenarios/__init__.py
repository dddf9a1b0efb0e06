"""The ways a case goes; importing this fills the mix.

Why the truth of every scenario holds for any interleaving. The intake keeps order only within one principal's topic for
one key, and everything about a case, receipts too, has the case number as its key. So a scenario may let messages
compete (a second receipt, a step after the end) only where one principal sends them all. Across principals there are
only waits, whose end does not depend on the order: a receipt waits for its notice, a decision for the acceptance, a
feedback for the decision, a disposition for the feedback. What waits for one stream is released in the order it came,
unless it must wait for the same stream once more: then another that was released with it may be decided first.
The registers have settled before the first case: a transfer would compete with the cases of its matter.
Where both sides must take turns, the platform hands in for both: one principal, one order.
Each scenario's docstring says what is left to say of it.
"""

from infra.generator.scenarios import (
    above,
    afterwards,
    apart,
    blanks,
    circulars,
    disorder,
    faults,
    feedback,
    inspections,
    letters,
    ordinary,
    overstepping,
    penalties,
    pressing,
    published,
    remedies,
    reorganised,
    rerouting,
    resent,
    returns,
    seals,
    tasks,
)

__all__ = [
    "above",
    "afterwards",
    "apart",
    "blanks",
    "circulars",
    "disorder",
    "faults",
    "feedback",
    "inspections",
    "letters",
    "ordinary",
    "overstepping",
    "penalties",
    "pressing",
    "published",
    "remedies",
    "reorganised",
    "rerouting",
    "resent",
    "returns",
    "seals",
    "tasks",
]
