"""A refit of the branching matrix as a job for another process. Importing this imports no numpy."""

from __future__ import annotations

from liquake.analytics.hawkes import Branching
from liquake.errors import TapeTooShort
from liquake.model.tape import Tape


def refitted(tape: Tape) -> Branching | None:
    """Who excites whom in `tape`; `None` when it holds too little to say."""
    from liquake.analytics.training import branching

    try:
        return branching(tape)
    except TapeTooShort:
        return None
