"""Aster perpetuals: Binance's protocol, without its second product and with a rule of its own for what is withheld."""

from __future__ import annotations

from collections.abc import Collection

from liquake.model import Coverage, CoverageKind, Instruments, PriceBasis, Throttle
from liquake.venues.binance import Binance, BinanceDecoder, merged_stream, stablecoin_margined
from liquake.venues.venue import Connection, Decoder, Endpoint, Facts, Heartbeat, Limits, Request

_DOCUMENTATION = (
    "https://github.com/asterdex/api-docs/blob/master/V3%28Recommended%29/EN/aster-finance-futures-api-v3.md"
)


class Aster(Binance):
    """Aster's perpetuals, all margined in stablecoins and counted in coins."""

    name = "aster"
    title = "Aster"
    recorded_as = ()
    price_basis = PriceBasis.FILL
    aliases = ("asterdex",)
    rank = 50
    # "only the latest one liquidation order within 1000ms will be pushed as the snapshot" (_DOCUMENTATION).
    coverage = Coverage(
        CoverageKind.THROTTLED,
        "At most one liquidation per symbol and second is published, the latest: sums are lower bounds, "
        "far too low in a cascade.",
        None,
        Throttle.LATEST,
        1.0,
        source=_DOCUMENTATION,
    )
    # Mark prices come every second on the same socket. "The websocket server will send a ping frame every 5 minutes",
    # which the WebSocket library answers.
    heartbeat = Heartbeat(every=20.0, frame=None, dead_after=45.0, stale_after=15.0)
    # "A single connection is only valid for 24 hours", "WebSocket connections have a limit of 10 incoming messages per
    # second".
    limits = Limits(lifetime=24 * 3600.0, messages_per_second=5.0, connects_per_minute=30.0)
    endpoints = (Endpoint("wss://fstream.asterdex.com/stream", None, None, _DOCUMENTATION),)
    facts = Facts(
        channel="!forceOrder@arr",
        side="S is the side of the forced order: SELL closes a long, BUY a short",
        unit="z counts coins",
        price="ap, what was paid on average; p, the limit, where ap is missing",
        history="none: a gap stays a gap",
        source=_DOCUMENTATION,
    )

    def instrument_requests(self) -> tuple[Request, ...]:
        return (Request("https://fapi.asterdex.com/fapi/v3/exchangeInfo"),)

    def connections(self, instruments: Instruments, assets: Collection[str] | None) -> list[Connection]:
        """One socket whatever the assets: the stream is of all of them."""
        del instruments, assets
        return [merged_stream(self.endpoints[0].url)]

    def decoder(self, connection: str, instruments: Instruments) -> Decoder:
        return BinanceDecoder(self.name, connection, instruments, stablecoin_margined)
