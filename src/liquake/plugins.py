"""What other packages add through entry points.

A package that cannot be used costs a sentence on standard error, never the program.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from importlib.metadata import entry_points


def load(group: str, accept: Callable[[object], None]) -> None:
    """Give `accept` what each entry point of `group` names; it raises on what it cannot use."""
    # A package that is found twice on the path names the same thing twice.
    points = {point.value: point for point in entry_points(group=group)}
    for name in sorted(points):
        try:
            accept(points[name].load())
        # Whatever a foreign module does while it is imported is its own fault, and must not become ours.
        except Exception as fault:
            sys.stderr.write(f"liquake: the plug-in {name} is left out: {_words(fault)}\n")


def _words(fault: Exception) -> str:
    return " ".join(str(fault).split()) or type(fault).__name__
