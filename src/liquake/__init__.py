"""Crypto liquidation cascades as they form, with numbers that can be trusted."""

from __future__ import annotations

from typing import TYPE_CHECKING

__version__ = "0.1.0"

if TYPE_CHECKING:
    from liquake.library import Engine, coverage, history, history_table, stream

__all__ = ["Engine", "__version__", "coverage", "history", "history_table", "stream"]


def __getattr__(name: str) -> object:
    """What a program asks for is imported when it does: the command line starts without it."""
    if name in ("Engine", "coverage", "history", "history_table", "stream"):
        from liquake import library

        return getattr(library, name)
    raise AttributeError(f"module 'liquake' has no attribute {name!r}")
