"""What the venues would publish of a simulated market, without sockets: for benches and tests over hours and days."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from random import Random

from liquake.model import (
    Coverage,
    CoverageKind,
    Event,
    Liquidation,
    Price,
    PriceBasis,
    PriceKind,
    Side,
    Throttle,
)
from liquake.simulate.market import Market
from liquake.simulate.order import Order

SECOND = 1_000_000_000
START = 1_780_272_000 * SECOND
"""A midnight, UTC."""
RULES = {"binance": Throttle.LARGEST, "bybit": Throttle.NONE, "okx": Throttle.LATEST}
"""Of the venues that count in totals: Hyperliquid shows a sample only."""
COVERAGES = {
    venue: Coverage(CoverageKind.COMPLETE, "")
    if rule is Throttle.NONE
    else Coverage(CoverageKind.THROTTLED, "", throttle=rule, interval=1.0)
    for venue, rule in RULES.items()
}


def published(orders: list[Order], coverages: Mapping[str, Coverage] = COVERAGES) -> list[Order]:
    """Those of whole seconds of `orders` that the venues of `coverages` would publish, in order of time."""
    shown = []
    kept: dict[tuple[str, str, Side | None, int], Order] = {}
    for order in orders:
        rule = coverages.get(order.venue)
        if rule is None:
            continue
        if rule.throttle is Throttle.NONE:
            shown.append(order)
            continue
        place = order.venue, order.asset, order.side if rule.per_side else None, order.ts // SECOND
        held = kept.get(place)
        if held is None or rule.throttle is Throttle.LATEST or order.usd > held.usd:
            kept[place] = order
    return sorted([*shown, *kept.values()], key=lambda order: order.ts)


def feed(market: Market, seconds: int, seed: int = 0) -> Iterator[Event]:
    """The events of the next `seconds` of `market` in order of arrival, with BTC's mark price every second.

    What a throttled venue shows comes when its second is over, and everything 50 to 250 ms late.
    """
    random, number = Random(seed), 0
    for _ in range(seconds):
        end = market.now + SECOND
        arriving: list[tuple[int, int, Event]] = []
        for order in published(market.step(end)):
            number += 1
            delay = random.randrange(SECOND // 20, SECOND // 4)
            recv = (order.ts if RULES[order.venue] is Throttle.NONE else end) + delay
            arriving.append((recv, number, _liquidation(order, recv, number)))
        price = market.price("BTC")
        recv = end + SECOND // 4
        arriving.append((recv, 0, Price("binance", "BTCUSDT", "BTC", PriceKind.MARK, price, end, recv)))
        for _, _, event in sorted(arriving, key=lambda each: each[:2]):
            yield event


def _liquidation(order: Order, recv: int, number: int) -> Liquidation:
    return Liquidation(
        venue=order.venue,
        instrument=f"{order.asset}USDT",
        asset=order.asset,
        side=order.side,
        price=order.price,
        price_basis=PriceBasis.FILL,
        amount=order.amount,
        usd=order.usd,
        ts_event=order.ts,
        ts_recv=recv,
        id=str(number),
    )
