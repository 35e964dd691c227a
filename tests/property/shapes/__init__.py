"""Frames of every shape that is scanned, as documented and with what should not be there: a module for each venue."""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules

from tests.property.shapes.values import Shaped


def shaped() -> list[Shaped]:
    """Those of all modules here, in the order of their names."""
    modules = (import_module(f"{__name__}.{found.name}") for found in iter_modules(__path__))
    return [each for module in modules for each in getattr(module, "SHAPED", ())]
