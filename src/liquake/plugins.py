"""What other packages add through entry points.

A package that cannot be used costs a sentence on standard error, never the program.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from functools import cached_property
from importlib.metadata import entry_points
from typing import Generic, TypeVar

Entry = TypeVar("Entry")


class Registry(Mapping[str, Entry], Generic[Entry]):
    """What is known by name, found out when it is first asked for.

    Not sooner: a plug-in imports the very package that lists it.
    """

    def __init__(self, find: Callable[[], dict[str, Entry]]) -> None:
        self._find = find

    @cached_property
    def _found(self) -> dict[str, Entry]:
        return self._find()

    def __getitem__(self, name: str) -> Entry:
        return self._found[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._found)

    def __len__(self) -> int:
        return len(self._found)


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
