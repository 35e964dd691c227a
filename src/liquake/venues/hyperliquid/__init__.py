"""Hyperliquid: public trades of the market, and those liquidations that watched accounts took part in."""

from __future__ import annotations

from collections.abc import Collection

from liquake.model import Coverage, CoverageKind, Instrument, Instruments, PriceBasis
from liquake.venues.hyperliquid.accounts import VaultDetails, account_requests, accounts_in, watched
from liquake.venues.hyperliquid.contracts import Meta, perpetual, perpetuals
from liquake.venues.hyperliquid.decoder import HyperliquidDecoder
from liquake.venues.hyperliquid.subscriptions import subscription
from liquake.venues.venue import Connection, Decoder, Endpoint, Facts, Heartbeat, Limits, Request, Venue

_SUBSCRIPTIONS = "https://hyperliquid.gitbook.io/hyperliquid-docs/for-developers/api/websocket/subscriptions"
_LIMITS = "https://hyperliquid.gitbook.io/hyperliquid-docs/for-developers/api/rate-limits-and-user-limits"

_LARGE = (
    *("BTC", "ETH", "SOL", "HYPE", "XRP", "DOGE", "BNB", "SUI", "ADA", "LINK", "AVAX", "LTC", "AAVE", "ENA", "TRX"),
    *("NEAR", "ZEC", "PUMP", "FARTCOIN", "kPEPE", "kBONK", "kSHIB"),
)
_PRICED = "BTC"


class Hyperliquid(Venue):
    """Hyperliquid perpetuals. No public channel has its liquidations; what is seen is a sample."""

    name = "hyperliquid"
    title = "Hyperliquid"
    price_basis = PriceBasis.FILL
    rank = 4
    coverage = Coverage(
        CoverageKind.SAMPLE,
        "No public channel has liquidations: only a small sample is seen, those with the venue's vaults (HLP).",
        source=_SUBSCRIPTIONS,
    )
    # A connection to which the venue has had nothing to send for 60 s is closed; it answers pings:
    # https://hyperliquid.gitbook.io/hyperliquid-docs/for-developers/api/websocket/timeouts-and-heartbeats
    heartbeat = Heartbeat(every=20.0, frame='{"method":"ping"}', dead_after=50.0, stale_after=30.0)
    # 2,000 messages and 30 new connections per minute (_LIMITS), shared by everything behind one address.
    limits = Limits(lifetime=None, messages_per_second=20.0, connects_per_minute=30.0)
    endpoints = (Endpoint("wss://api.hyperliquid.xyz/ws", source=_SUBSCRIPTIONS),)
    facts = Facts(
        channel="trades (market activity); userFills of the venue's own vaults, which it lists (sample of liquidations)",
        side="side is the watched account's own: where it took the other side, A (sold) means a liquidated short",
        unit="sz counts coins, thousands of them where the name begins with k; dollars are px times sz",
        price="px, what was paid",
        history="by account alone: a gap stays a gap",
        source=_SUBSCRIPTIONS,
    )

    def instrument_requests(self) -> tuple[Request, ...]:
        return (Request("https://api.hyperliquid.xyz/info", '{"type":"meta"}'),)

    def read_instruments(self, answer: bytes) -> list[Instrument]:
        return perpetuals(self.read(answer, Meta))

    def account_requests(self) -> tuple[Request, ...]:
        return account_requests()

    def read_accounts(self, answer: bytes) -> list[str]:
        """The vaults below HLP, in small letters."""
        return accounts_in(self.read(answer, VaultDetails))

    def coin(self, symbol: str) -> str | None:
        named = perpetual(symbol)
        return named.asset if named else None

    def connections(self, instruments: Instruments, assets: Collection[str] | None) -> list[Connection]:
        """One socket for the trades of `assets`, of the large ones where `None`, and one for the sample.

        Only listed coins are asked for: the venue may close a connection that asks for another.
        """
        fallback = (instrument for coin in _LARGE if (instrument := perpetual(coin)) is not None)
        listed = instruments or Instruments(fallback)
        coins = [coin for coin in listed if (coin in _LARGE if assets is None else listed[coin].asset in assets)]
        url = self.endpoints[-1].url
        price = subscription("activeAssetCtx", coin=_PRICED)
        fills = (subscription("userFills", user=account) for account in watched(instruments.accounts))
        trades = (subscription("trades", coin=coin) for coin in coins)
        return [Connection("sample", url, (price, *fills)), Connection("market", url, (price, *trades))]

    def decoder(self, connection: str, instruments: Instruments) -> Decoder:
        return HyperliquidDecoder(self.name, connection, instruments)
