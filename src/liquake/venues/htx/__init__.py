"""HTX: liquidation orders of all contracts, in gzip frames whose pings want an answer."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import msgspec

from liquake.errors import HistoryError
from liquake.model import Coverage, CoverageKind, Gap, Instrument, Instruments, Liquidation, PriceBasis
from liquake.venues.htx import past
from liquake.venues.htx.contracts import COIN_FUTURES, COIN_SWAPS, ContractInfo, by_grammar, instruments_in
from liquake.venues.htx.decoder import HtxDecoder
from liquake.venues.venue import (
    Connection,
    Decoder,
    Endpoint,
    Facts,
    Heartbeat,
    Limits,
    Request,
    Subscription,
    Venue,
    distinct,
)

_DOCUMENTATION = (
    "https://huobiapi.github.io/docs/usdt_swap/v1/en/#general-subscribe-liquidation-orders-no-authentication-sub"
)
_HEARTBEAT = "https://huobiapi.github.io/docs/usdt_swap/v1/en/#market-heartbeat"
_TOPIC = "public.*.liquidation_orders"
_DETAIL = "market.BTC-USDT.detail"


class Htx(Venue):
    """HTX's USDT-margined contracts, coin-margined swaps and coin-margined futures."""

    name = "htx"
    title = "HTX"
    price_basis = PriceBasis.BANKRUPTCY
    aliases = ("huobi", "htx_futures", "huobi_dm", "hbdm")
    coverage = Coverage(
        CoverageKind.COMPLETE,
        "HTX pushes its liquidation orders as they are and states no limit. Prices are bankruptcy prices, not fills.",
        source=_DOCUMENTATION,
    )
    # The sockets of orders have no prices at all, so their absence proves nothing there. But the server pings: "every 5
    # seconds" (_HEARTBEAT), on both kinds of socket, and what does not ping is dead. When the prices stop that come on a
    # socket of their own, the history is asked for all of it.
    heartbeat = Heartbeat(every=20.0, frame=None, dead_after=20.0, stale_after=30.0)
    # "240 times every 3 second at most for each IP" of REST; a quarter of that is asked for.
    limits = Limits(lifetime=None, messages_per_second=5.0, connects_per_minute=60.0, requests_per_minute=1200.0)
    endpoints = (
        Endpoint("wss://api.hbdm.com/linear-swap-notification", None, None, _DOCUMENTATION),
        Endpoint("wss://api.hbdm.com/swap-notification", None, None, COIN_SWAPS),
        Endpoint("wss://api.hbdm.com/notification", None, None, COIN_FUTURES),
        Endpoint("wss://api.hbdm.com/linear-swap-ws", None, None, _HEARTBEAT),
    )
    facts = Facts(
        channel=_TOPIC,
        side="direction is of the order: sell closes a long, buy a short",
        unit="volume counts contracts; amount is in coins and trade_turnover in dollars where they are told, else "
        "volume times contract_size coins (linear) or dollars (100 of BTC, 10 of others)",
        price="the bankruptcy price; no fill is published",
        history="REST per contract, windows of 2 hours, 90 days",
        source=_DOCUMENTATION,
    )

    def instrument_requests(self) -> tuple[Request, ...]:
        # Coin-margined futures are told by their codes alone.
        return (
            Request("https://api.hbdm.com/linear-swap-api/v1/swap_contract_info?business_type=all"),
            Request("https://api.hbdm.com/swap-api/v1/swap_contract_info"),
        )

    def read_instruments(self, answer: bytes) -> list[Instrument]:
        return instruments_in(self.read(answer, ContractInfo))

    def coin(self, symbol: str) -> str | None:
        named = by_grammar(symbol)
        return named.asset if named else None

    def connections(self, instruments: Instruments, assets: Collection[str] | None) -> list[Connection]:
        """A socket per product whatever the assets, for the topic is of all contracts, and one of prices."""
        del instruments, assets
        orders = {"op": "sub", "cid": "liquake", "topic": _TOPIC}
        prices = {"sub": _DETAIL, "id": _DETAIL}
        *products, market = self.endpoints
        names = ("linear", "coin-swaps", "coin-futures")
        return [
            *(
                Connection(name, product.url, (_subscription(orders, _TOPIC),), priced=False)
                for name, product in zip(names, products, strict=True)
            ),
            Connection("prices", market.url, (_subscription(prices, _DETAIL),)),
        ]

    def decoder(self, connection: str, instruments: Instruments) -> Decoder:
        return HtxDecoder(self.name, connection, instruments)

    def history(
        self, instruments: Instruments, assets: Collection[str] | None, start: int, end: int
    ) -> tuple[Request, ...]:
        return past.requests(instruments, assets, start, end)

    def refills(self, gap: Gap) -> bool:
        """There is no history of the coin-margined futures, and when the prices fall silent all sockets may have."""
        return gap.connection in ("linear", "coin-swaps")

    def read_history(
        self, request: Request, answer: bytes, instruments: Instruments, ts_recv: int
    ) -> Sequence[Liquidation]:
        del request
        decoder = HtxDecoder(self.name, "history", instruments)
        events = distinct([decoder.liquidation(row, answer, ts_recv) for row in self._page(answer)])
        return [event for event in events if isinstance(event, Liquidation)]

    def next_history(self, request: Request, answer: bytes) -> Request | None:
        return past.following(request, self._page(answer))

    def _page(self, answer: bytes) -> list[past.Order]:
        page = self.read(answer, past.Page, HistoryError)
        if page.code != past.OK:
            raise HistoryError(self.name, f"it answers with code {page.code}")
        return page.data


def _subscription(request: dict[str, str], topic: str) -> Subscription:
    return Subscription(msgspec.json.encode(request).decode(), (topic,), None if topic == _TOPIC else ())
