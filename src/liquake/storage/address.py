"""Addresses of stores: what can be one, said before anything is opened or a client is missed, and how one is shown."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from liquake.errors import SettingError

_SCHEMES = ("redis://", "rediss://", "unix://")
_LIKE = "like redis://user:password@host:6379/0 (rediss:// with TLS, unix:// for a socket)"
_SOURCE = f"live, demo, the path of a recording or journal, or the address of a collector's Redis {_LIKE}"
_MENDS = {
    "source": _SOURCE,
    "redis": f"an address {_LIKE}",
    "database": "an address like postgresql://user@host:5432/name",
}
_ESCAPED = "in a user or password write / as %2F, ? as %3F, # as %23, @ as %40, : as %3A"

_NUMBER = re.compile(r"/?\d*")
_NAME = re.compile(r"/[^/@]+")
_QUERY = re.compile(r"[?#]")
_DELIMITER = re.compile(r"[:/?#@]")
_PLACE = re.compile(r"(\[[\w:.]*\]|[^:/]*)(:\d*)?(/[^:]*)?")
"""Host, port and name."""


def check_redis(url: str, setting: str = "redis") -> None:
    """Raises `SettingError` where `url`, given as `setting`, cannot be the address of a Redis server."""
    try:
        parts = urlsplit(url)
        # redis-py leaves out a number it cannot read, and a password with a slash in it ends up in the name.
        numbered = _NUMBER.fullmatch(parts.path) is not None and parts.port != 0
        usable = url.startswith(_SCHEMES) and (bool(parts.path) if parts.scheme == "unix" else numbered)
    except ValueError:
        usable = False
    if not usable:
        raise unusable(url, setting)


def check_database(url: str) -> None:
    """Raises `SettingError` where `url` cannot be the address of a database."""
    try:
        parts = urlsplit(url)
        named = _NAME.fullmatch(parts.path) is not None and not parts.fragment
        usable = parts.scheme in ("postgresql", "postgres") and named and parts.port != 0
    except ValueError:
        usable = False
    if not usable:
        raise unusable(url, "database")


def check_source(source: str) -> None:
    """Raises `SettingError` where `source` is an address and cannot be that of a Redis server."""
    if "://" in source:
        check_redis(source, "source")


def unusable(url: str, setting: str) -> SettingError:
    """That `url` is none that `setting` could have, and what to give instead."""
    mend = f"give {_MENDS[setting]}"
    return SettingError(setting, without_password(url), f"{mend}; {_ESCAPED}" if "@" in url else mend)


def without_password(url: str) -> str:
    """`url` as it may be shown, without its query and whatever may be a password, in addresses too that cannot be.

    >>> without_password("redis://desk:s3cret@10.0.0.7:6379/2")
    'redis://desk@10.0.0.7:6379/2'
    """
    scheme, apart, rest = url.partition("://") if "://" in url else ("", "", url)
    # A password typed as it is may hold any of the letters that end one: it ends at the last @ there is.
    before, at, place = rest.rpartition("@")
    place = _QUERY.split(place)[0]
    if not at and not _PLACE.fullmatch(place):
        place = _DELIMITER.split(place)[0]
    return f"{scheme}{apart}{_DELIMITER.split(before)[0]}{at if before[:1] not in ('', ':') else ''}{place}"
