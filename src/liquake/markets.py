"""The markets that a user names, as the assets they mean."""

from __future__ import annotations

import asyncio
import difflib
from collections.abc import Collection, Mapping, Sequence

import aiohttp

from liquake.errors import UnknownMarket
from liquake.ingest.rest import fetch_instruments
from liquake.model import asset_of
from liquake.venues import Venue

_MAJORS = ("BTC", "ETH", "SOL", "XRP", "DOGE")


def asset_named(name: str) -> str:
    """The asset meant by a market's `name`: BTC, BTCUSDT, btc-usdt-swap. Raises `UnknownMarket` for what is no name."""
    asset = asset_of(name)
    if asset is None:
        raise UnknownMarket(name, "write it like BTC, BTCUSDT or btc-usdt-swap")
    return asset


async def assets_of(
    symbols: Sequence[str], chosen: Sequence[Venue], addresses: Mapping[str, str], known: Collection[str]
) -> frozenset[str] | None:
    """The assets meant by `symbols`, or `None` for all. What is not `known` must be listed by one of the venues.

    Raises `UnknownMarket`.
    """
    assets = {symbol: asset_named(symbol) for symbol in symbols}
    strange = {symbol: asset for symbol, asset in assets.items() if asset not in known}
    if strange:
        listed = {*known, *await _listed(chosen, addresses)}
        for symbol, asset in strange.items():
            if asset not in listed:
                near = difflib.get_close_matches(asset, listed, 3) or [each for each in _MAJORS if each in listed]
                raise UnknownMarket(symbol, f"nothing here lists {asset}; is it one of {', '.join(near)}?")
    return frozenset(assets.values()) or None


async def _listed(chosen: Sequence[Venue], addresses: Mapping[str, str]) -> set[str]:
    """Every asset listed by a venue that answers."""
    if not chosen:
        return set()
    async with aiohttp.ClientSession() as client:
        answers = await asyncio.gather(
            *(fetch_instruments(client, venue, addresses.get(venue.name)) for venue in chosen), return_exceptions=True
        )
    return {instrument.asset for answer in answers if isinstance(answer, list) for instrument in answer}
