"""Fit the cascade models that ship for a start without history, on simulated markets.

The simulator stands in for a recording of all venues under today's rules of publication, which nobody has made yet.
What a model earns here says nothing of real markets: it is labelled so, and `liquake fit` takes its place.

python bench/simulated_models.py [--folder src/liquake/analytics/models] [--hours-scale 1.0]
"""

from __future__ import annotations

import argparse
import hashlib
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import msgspec

from liquake.analytics.cascade import encode
from liquake.analytics.scoring import earned, evaluate
from liquake.analytics.training import fit, train
from liquake.model import Side, Throttle
from liquake.model.tape import Source, Tape
from liquake.simulate.market import Market
from liquake.simulate.order import Order

SECOND = 1_000_000_000
START = 1_780_272_000 * SECOND
RULES = {"binance": Throttle.LARGEST, "bybit": Throttle.NONE, "okx": Throttle.LATEST}
"""Of the venues that count in totals: Hyperliquid shows a sample only."""
HALF = (
    ("calm", 1, 12.0, False),
    ("busy", 2, 6.0, False),
    ("calm", 3, 12.0, True),
    ("poisson", 4, 4.0, False),
    ("calm", 5, 12.0, False),
    ("grind", 6, 3.0, True),
    ("calm", 7, 12.0, True),
    ("calm", 8, 12.0, False),
    ("calm", 9, 12.0, True),
)
"""Scenario, seed, hours, and whether longs and shorts change places: what falls in one half rises in the other."""
PLAN = HALF + tuple((scenario, seed + 100, hours, not mirrored) for scenario, seed, hours, mirrored in HALF)
"""In order of time. The second half tests what the first teaches. Sweeps (flash, oct10) are in neither: a threshold set
on them would be one that only they reach."""
PAUSE = 6 * 3600 * SECOND
"""Between two of them, so that a fit takes them as separate recordings."""
NOTE = (
    "Fitted on simulated markets (scenarios {scenarios}), published as the venues do today: Binance the largest order per "
    "symbol and second, OKX the latest, Bybit every one. A starting point, not experience: refit it on a journal with "
    "liquake fit."
)
Row = tuple[int, Source, float, int]


def published(orders: list[Order]) -> Iterator[Row]:
    """What of `orders` the venues would publish."""
    kept: dict[tuple[str, str, int], Order] = {}
    for order in orders:
        rule = RULES.get(order.venue)
        if rule is None:
            continue
        if rule is Throttle.NONE:
            yield order.ts, Source(order.venue, order.side), order.usd, 1
            continue
        place = order.venue, order.asset, order.ts // SECOND
        held = kept.get(place)
        if held is None or rule is Throttle.LATEST or order.usd > held.usd:
            kept[place] = order
    for order in kept.values():
        yield order.ts, Source(order.venue, order.side), order.usd, 1


def rows_of(scenario: str, seed: int, hours: float, mirrored: bool, start: int) -> list[Row]:
    """The published liquidations of `hours` of a simulated market."""
    market = Market(scenario, seed, start)
    rows = published(market.step(start + round(hours * 3600.0) * SECOND))
    if not mirrored:
        return list(rows)
    return [(ts, Source(source.venue, source.side.other), usd, orders) for ts, source, usd, orders in rows]


def simulated_tape(scale: float) -> Tape:
    """The whole plan, `scale` times as long."""
    starts, start = [], START
    for _, _, hours, _ in PLAN:
        starts.append(start)
        start += round(hours * scale * 3600.0) * SECOND + PAUSE
    with ProcessPoolExecutor(2) as pool:
        parts = pool.map(rows_of, *zip(*((s, n, h * scale, m) for s, n, h, m in PLAN), strict=True), starts)
        rows = sorted(row for part in parts for row in part)
    digest = hashlib.sha256(repr(rows).encode()).hexdigest()
    return Tape.of_rows(rows, "simulated markets", sha256=digest)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, default=Path("src/liquake/analytics/models"))
    parser.add_argument("--hours-scale", type=float, default=1.0)
    settings = parser.parse_args()
    tape = simulated_tape(settings.hours_scale)
    note = NOTE.format(scenarios=", ".join(dict.fromkeys(scenario for scenario, *_ in PLAN)))
    print(f"{len(tape):,} liquidations published")
    print(f"{'model':<24} {'threshold':>12} {'base rate':>10} {'skill':>7} {'AUC':>6} {'onset AUC':>9}")
    for horizon in (60.0, 300.0):
        for side in Side:
            # Scored on the second half by a model of the first; shipped is the model of both.
            half = evaluate(train(tape, horizon, 0.5, side, RULES))
            model = earned(fit(tape, horizon, side, RULES, note), half)
            name = f"simulated-{horizon:g}s-{side.lower()}"
            model = msgspec.structs.replace(model, name=name)
            (settings.folder / f"{name}.json").write_bytes(encode(model) + b"\n")
            ours = half.models["liquake"]
            print(
                f"{name:<24} {model.baseline.threshold:>12,.0f} {model.baseline.base_rate:>10.4f} "
                f"{ours.brier_skill or 0:>7.3f} {ours.auc or 0:>6.3f} {ours.onset.auc or 0:>9.3f}"
            )


if __name__ == "__main__":
    main()
