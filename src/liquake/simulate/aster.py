"""Aster perpetuals: Binance's protocol on addresses that need no routing, with the rule it had until 2026.

https://github.com/asterdex/api-docs/blob/master/V3%28Recommended%29/EN/aster-finance-futures-api-v3.md
"""

from __future__ import annotations

from collections.abc import Sequence

from aiohttp import web

from liquake.simulate.binance import BinanceServer
from liquake.simulate.contracts import Contract
from liquake.simulate.order import Order
from liquake.simulate.server import Row

_CONTRACTS = (
    Contract("BTCUSDT", "BTC", 1, 3),
    Contract("ETHUSDT", "ETH", 2, 3),
    Contract("SOLUSDT", "SOL", 3, 2),
    Contract("XRPUSDT", "XRP", 4, 1),
    Contract("DOGEUSDT", "DOGE", 5, 0),
    Contract("BNBUSDT", "BNB", 2, 2),
    Contract("ADAUSDT", "ADA", 5, 0),
    Contract("LINKUSDT", "LINK", 3, 2),
    Contract("AVAXUSDT", "AVAX", 3, 1),
    Contract("1000PEPEUSDT", "PEPE", 7, 0, bundle=1000),
)


class AsterServer(BinanceServer):
    """One port for fstream and fapi of asterdex.com."""

    name = "aster"
    rank = 50
    share = 0.05
    contracts = _CONTRACTS
    ping_every = 300.0
    streams = 200
    live = "/"

    def sockets(self) -> Sequence[str]:
        return ("/ws", "/ws/{streams:.+}", "/stream")

    def pages(self) -> Sequence[web.RouteDef]:
        return tuple(web.get(f"/fapi/{version}/exchangeInfo", self._linear) for version in ("v1", "v3"))

    def kept(self, orders: Sequence[Order]) -> Order:
        """ "only the latest one liquidation order within 1000ms will be pushed as the snapshot"."""
        return orders[-1]

    def product(self, contract: Contract) -> Row:
        """There is one product alone."""
        del contract
        return {}
