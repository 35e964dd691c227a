"""What the name of a coin says of its contract."""

from __future__ import annotations

import re
from functools import lru_cache

import msgspec

from liquake.model import ContractKind, Instrument
from liquake.model.instrument import unbundle

# "xyz:CRWV" is CRWV on the exchange that xyz runs within the venue; "@142" and "PURR/USDC" are spot pairs.
_PERPETUAL = re.compile(r"^(?:[a-z][a-z0-9]*:)?(?P<base>[A-Za-z0-9]{1,24})$")


@lru_cache(maxsize=4096)
def perpetual(coin: str) -> Instrument | None:
    """The contract that `coin` names, sized in coins or thousands of them; `None` where it names none."""
    found = _PERPETUAL.match(coin)
    if found is None:
        return None
    asset, bundle = unbundle(found["base"])
    return Instrument(coin, asset, ContractKind.LINEAR, 1.0, bundle)


class _Listed(msgspec.Struct):
    name: str
    isDelisted: bool = False  # noqa: N815 - the venue's name


class Meta(msgspec.Struct):
    """The answer to `{"type":"meta"}`."""

    universe: list[_Listed]


def perpetuals(meta: Meta) -> list[Instrument]:
    """Those of `meta` that are traded."""
    found = (perpetual(row.name) for row in meta.universe if not row.isDelisted)
    return [instrument for instrument in found if instrument is not None]
