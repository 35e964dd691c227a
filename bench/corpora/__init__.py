"""What the benches decode: a module for each venue, whose `CORPORA` are found by themselves."""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules

from bench.corpora.corpus import Corpus


def corpora() -> list[Corpus]:
    """Those of all modules here, in the order of their names."""
    modules = (import_module(f"{__name__}.{found.name}") for found in iter_modules(__path__))
    return [corpus for module in modules for corpus in getattr(module, "CORPORA", ())]
