"""Cascade models as JSON: those that ship with liquake, beside this file, and those a user has fitted."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

import msgspec

from liquake.analytics.cascade import Model, decode
from liquake.errors import ModelRefused, SettingError


def names() -> tuple[str, ...]:
    """The shipped models' names, sorted."""
    found = (entry.name for entry in files(__name__).iterdir())
    return tuple(sorted(name.removesuffix(".json") for name in found if name.endswith(".json")))


def shipped(name: str) -> Model:
    """The shipped model called `name`; `KeyError` where there is none."""
    if name not in names():
        raise KeyError(name)
    return decode(files(__name__).joinpath(f"{name}.json").read_bytes(), name)


def read(path: Path) -> list[Model]:
    """The model in the file `path`, or those in the .json files of the folder `path` by name, each called by its file.

    Whether one fits the feeds is asked later, and its refusal shown. Raises `SettingError` for what is no model at all.
    """
    found = sorted(path.glob("*.json")) if path.is_dir() else [path]
    if not found:
        raise SettingError("models", str(path), "the folder holds no .json file: make one with `liquake fit --out`")
    return [_read(file) for file in found]


def _read(file: Path) -> Model:
    try:
        model = decode(file.read_bytes(), file.stem)
        model.check_version()
    except OSError as error:
        raise SettingError("models", str(file), f"{error.strerror}: give a file made by `liquake fit`") from None
    except ModelRefused as refused:
        raise SettingError("models", str(file), f"{refused.why}: make it anew with `liquake fit`") from None
    return msgspec.structs.replace(model, name=file.stem)
