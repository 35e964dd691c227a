"""Cascade models that ship with liquake, as JSON beside this file."""

from __future__ import annotations

from importlib.resources import files

from liquake.analytics.cascade import Model, decode


def names() -> tuple[str, ...]:
    """The shipped models' names, sorted."""
    found = (entry.name for entry in files(__name__).iterdir())
    return tuple(sorted(name.removesuffix(".json") for name in found if name.endswith(".json")))


def shipped(name: str) -> Model:
    """The shipped model called `name`; `KeyError` where there is none."""
    if name not in names():
        raise KeyError(name)
    return decode(files(__name__).joinpath(f"{name}.json").read_bytes(), name)
