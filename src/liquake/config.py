"""Typed settings: file < environment < flags. Each setting's sentence is its manual entry."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, get_args, get_origin, get_type_hints

import msgspec
from msgspec import Meta

from liquake.errors import SettingError
from liquake.storage.address import check_database, check_redis, check_source

PREFIX = "LIQUAKE_"


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a run may be told."""

    exchanges: Annotated[
        tuple[str, ...], Meta(description="exchanges to listen to, by name, or all; see them with `liquake venues`")
    ] = ("binance", "bybit", "okx", "hyperliquid")
    symbols: Annotated[
        tuple[str, ...],
        Meta(description="markets to watch: BTC, BTCUSDT and btc-usdt-swap mean the same; all where none is given"),
    ] = ()
    refresh: Annotated[float, Meta(description="seconds between two pictures, 0.1 to 60", ge=0.1, le=60.0)] = 2.0
    source: Annotated[
        str,
        Meta(
            description="'live' for the exchanges themselves, 'demo' for simulated ones, a recording or journal,"
            " or redis://host:6379/0 for what a collector writes there"
        ),
    ] = "live"
    duration: Annotated[float | None, Meta(description="leave after so many seconds and print the statistics")] = None
    plain: Annotated[bool, Meta(description="print text instead of the full screen")] = False
    view: Annotated[
        Literal["monitor", "overview", "cumulative", "tape", "glance", "market", "charts", "risk", "signals"],
        Meta(
            description="page to open first, which the number keys change: monitor, overview, cumulative, tape, glance, "
            "market, charts, risk or signals"
        ),
    ] = "monitor"
    theme: Annotated[
        Literal["dark", "light", "amber", "colourblind", "mono"],
        Meta(description="colours of the screen: dark, light, amber, colourblind (safe for colour-blind eyes) or mono"),
    ] = "dark"
    samples: Annotated[
        bool, Meta(description="count venues that show only a sample of their liquidations in the totals")
    ] = False
    journal: Annotated[
        str,
        Meta(description="file that keeps every event; 'off' keeps none; the default is in the user's data folder"),
    ] = ""
    keep: Annotated[
        str,
        Meta(
            description="days that rows stay in the journal, like 30d; for ever where none is given",
            pattern=r"^(\d+d)?$",
        ),
    ] = ""
    archive: Annotated[
        str,
        Meta(
            description="folder for what leaves the journal, as Parquet files by exchange and day; 'off' keeps none;"
            " the default is beside the journal"
        ),
    ] = ""
    redis: Annotated[
        str,
        Meta(description="Redis to feed from the journal: redis://[user:password@]host:6379/0; best set in the file"),
    ] = ""
    keys: Annotated[
        str,
        Meta(
            description="on to write the keys of the moment to Redis, off where `liquake analyze` does",
            pattern="^(on|off)$",
        ),
    ] = "on"
    database: Annotated[
        str,
        Meta(
            description="TimescaleDB or PostgreSQL to feed from the journal: postgresql://[user:password@]host:5432/name"
        ),
    ] = ""
    database_days: Annotated[int, Meta(description="days that rows stay in the database; 0 is for ever", ge=0)] = 0
    models: Annotated[
        str,
        Meta(
            description="cascade model to forecast with before those that ship, or a folder of them; made by `liquake fit`"
        ),
    ] = ""
    export_on_exit: Annotated[
        str, Meta(description="file that the statistics of the session are written to at the end: .json or .csv")
    ] = ""
    endpoints: Annotated[
        dict[str, str],
        Meta(description="address to reach an exchange at instead of its own, by exchange: a proxy, a simulator"),
    ] = {}
    accounts: Annotated[
        dict[str, tuple[str, ...]],
        Meta(
            description="accounts to watch before any other, by exchange, where liquidations are seen by account alone:"
            " market makers on hyperliquid"
        ),
    ] = {}


_WORDS = {
    "`": "",
    " | null": "",
    "float": "a number",
    "bool": "true or false",
    ">=": "of at least",
    "<=": "of at most",
}
"""What msgspec says of a value, and how a user would."""


def sentence(setting: str) -> str:
    """The manual entry of one setting."""
    hint = get_type_hints(Settings, include_extras=True)[setting]
    return next(str(meta.description) for meta in get_args(hint) if isinstance(meta, Meta))


def load(flags: Mapping[str, Any], environment: Mapping[str, str] | None = None, file: Path | None = None) -> Settings:
    """Settings from `file`, overruled by `environment`, overruled by `flags` that are not `None`.

    Raises `SettingError` for a value that cannot be, and for a file that cannot be read.
    """
    told: dict[str, Any] = {}
    told.update(_from_file(file))
    told.update(_from_environment(os.environ if environment is None else environment))
    told.update((name, value) for name, value in flags.items() if value is not None)
    settings = _converted(told)
    if settings.duration is not None and not settings.duration > 0.0:
        raise SettingError("duration", settings.duration, "give a number of seconds above 0")
    if settings.export_on_exit and not settings.export_on_exit.endswith((".json", ".csv")):
        raise SettingError("export_on_exit", settings.export_on_exit, "name a file that ends in .json or .csv")
    check_source(settings.source)
    if settings.redis:
        check_redis(settings.redis)
    if settings.database:
        check_database(settings.database)
    return settings


def _converted(told: Mapping[str, Any]) -> Settings:
    for name, value in told.items():
        if name not in Settings.__struct_fields__:
            raise SettingError("setting", name, f"there is none of this name; there are {_names()}")
        try:
            msgspec.convert({name: value}, Settings, strict=False)
        except msgspec.ValidationError as error:
            raise SettingError(name, value, _mend(name, str(error))) from None
    return msgspec.convert(told, Settings, strict=False)


def _mend(name: str, error: str) -> str:
    if choices := _choices(name):
        return f"give one of {', '.join(choices)}"
    words = error.split(" - at")[0].split(", got")[0].lower()
    for theirs, ours in _WORDS.items():
        words = words.replace(theirs, ours)
    return f"{words} ({sentence(name)})"


def _choices(name: str) -> tuple[str, ...]:
    """The words that a setting may be; none where it may be others."""
    kind = get_args(get_type_hints(Settings, include_extras=True)[name])[0]
    return get_args(kind) if get_origin(kind) is Literal else ()


def _names() -> str:
    return ", ".join(Settings.__struct_fields__)


def _from_file(file: Path | None) -> dict[str, Any]:
    if file is None:
        return {}
    try:
        return tomllib.loads(file.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise SettingError("settings file", str(file), f"cannot be read: {error}") from None


def _from_environment(environment: Mapping[str, str]) -> dict[str, Any]:
    told: dict[str, Any] = {}
    for name in Settings.__struct_fields__:
        text = environment.get(PREFIX + name.upper())
        if text is None:
            continue
        if name in ("exchanges", "symbols"):
            told[name] = tuple(part for part in text.replace(",", " ").split() if part)
        elif name == "endpoints":
            told[name] = dict(pair.split("=", 1) for pair in text.split(",") if "=" in pair)
        elif name == "accounts":
            pairs = (pair.split("=", 1) for pair in text.split(",") if "=" in pair)
            told[name] = {venue: tuple(accounts.split()) for venue, accounts in pairs}
        else:
            told[name] = text
    return told
