"""Venues that are known, and why liquake does not show them. The list is `unsupported.toml`."""

from __future__ import annotations

from functools import cache
from importlib.resources import files

import msgspec


class Unsupported(msgspec.Struct, frozen=True):
    """A venue that has no feed of liquidations which could be shown and trusted."""

    name: str
    title: str
    why: str
    source: str
    """Address of the venue's documentation."""


class _List(msgspec.Struct):
    venue: list[Unsupported]


@cache
def unsupported() -> tuple[Unsupported, ...]:
    """All of them, by name."""
    text = files("liquake.venues").joinpath("unsupported.toml").read_bytes()
    return tuple(sorted(msgspec.toml.decode(text, type=_List).venue, key=lambda each: each.name))
