"""Fit the cascade models that ship for a start without history, on simulated markets.

The simulator stands in for a recording of all venues under today's rules of publication, which nobody has made yet.
What a model earns here says nothing of real markets: it is labelled so, and `liquake fit` takes its place.

python -m bench.simulated_models [--folder src/liquake/analytics/models] [--hours-scale 1.0]
"""

from __future__ import annotations

import argparse
import hashlib
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import NamedTuple

import msgspec
from bench.simulated_feeds import RULES, SECOND, START, published

from liquake.analytics.cascade import encode
from liquake.analytics.hawkes_em import Fit
from liquake.analytics.scoring import earned, evaluate
from liquake.analytics.training import train
from liquake.model import Side
from liquake.model.tape import Source, Tape
from liquake.simulate.market import Market
from liquake.simulate.presets import Preset, find_preset


class Part(NamedTuple):
    """A stretch of simulated market."""

    scenario: str
    seed: int
    hours: float
    mirrored: bool = False
    """Whether longs and shorts change places: what falls in one half of the plan rises in the other."""
    rate: float | None = None
    """Of `poisson`: events per second."""

    @property
    def preset(self) -> Preset:
        """Its scenario, at its rate."""
        found = find_preset(self.scenario)
        return found if self.rate is None else msgspec.structs.replace(found, steady=self.rate)


HALF = (
    Part("calm", 1, 24.0),
    Part("busy", 2, 6.0),
    Part("calm", 3, 24.0, mirrored=True),
    Part("poisson", 11, 6.0, rate=0.3),
    Part("poisson", 13, 6.0, rate=3.0),
    Part("poisson", 4, 8.0),
    Part("calm", 5, 24.0),
    Part("grind", 6, 3.0, mirrored=True),
    Part("poisson", 12, 6.0, rate=1.0),
    Part("poisson", 14, 6.0, rate=6.0),
    Part("calm", 7, 24.0, mirrored=True),
    Part("calm", 8, 24.0),
    Part("poisson", 15, 6.0, rate=2.0),
    Part("poisson", 16, 6.0, rate=0.5),
    Part("calm", 9, 24.0, mirrored=True),
)
"""A fifth of it is chance alone, at rates from rare to hectic: events without a cascade must be known as such."""
PLAN = HALF + tuple(part._replace(seed=part.seed + 100, mirrored=not part.mirrored) for part in HALF)
"""In order of time. The second half tests what the first teaches. Sweeps (flash, oct10) are in neither: a threshold set
on them would be one that only they reach. `bench/episodes.py` watches markets of other seeds."""
PAUSE = 6 * 3600 * SECOND
"""Between two of them, so that a fit takes them as separate recordings."""
Row = tuple[int, Source, float, int]
NOTE = (
    "Fitted on simulated markets (scenarios {scenarios}), published as the venues do today: Binance the largest order per "
    "symbol and second, OKX the latest, Bybit every one. A starting point, not experience: refit it on a journal with "
    "liquake fit."
)


def rows_of(part: Part, hours: float, start: int) -> list[Row]:
    """The published liquidations of `hours` of a simulated market."""
    market = Market(part.preset, part.seed, start)
    shown = published(market.step(start + round(hours * 3600.0) * SECOND))
    return [
        (order.ts, Source(order.venue, order.side.other if part.mirrored else order.side), order.usd, 1)
        for order in shown
    ]


def simulated_tape(scale: float) -> Tape:
    """The whole plan, `scale` times as long."""
    starts, start = [], START
    for part in PLAN:
        starts.append(start)
        start += round(part.hours * scale * 3600.0) * SECOND + PAUSE
    with ProcessPoolExecutor(2) as pool:
        parts = pool.map(rows_of, PLAN, [part.hours * scale for part in PLAN], starts)
        rows = sorted(row for part in parts for row in part)
    digest = hashlib.sha256(repr(rows).encode()).hexdigest()
    return Tape.of_rows(rows, "simulated markets", sha256=digest)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, help="where to write them; without it they are only scored")
    parser.add_argument("--hours-scale", type=float, default=1.0)
    settings = parser.parse_args()
    tape = simulated_tape(settings.hours_scale)
    note = NOTE.format(scenarios=", ".join(dict.fromkeys(part.scenario for part in PLAN)))
    print(f"{len(tape):,} liquidations published")
    print(f"{'model':<24} {'threshold':>12} {'base rate':>10} {'skill':>7} {'AUC':>6} {'onset AUC':>9}")
    parts: dict[float, Fit | None] = {0.5: None, 1.0: None}
    for horizon in (60.0, 300.0):
        for side in Side:
            # Scored on the second half by a model of the first; shipped is the model of both.
            half, whole = (train(tape, horizon, share, side, RULES, note, parts[share]) for share in parts)
            parts = {0.5: half.process, 1.0: whole.process}
            found = evaluate(half)
            model = earned(whole.model, found)
            name = f"simulated-{horizon:g}s-{side.lower()}"
            model = msgspec.structs.replace(model, name=name)
            if settings.folder is not None:
                (settings.folder / f"{name}.json").write_bytes(encode(model) + b"\n")
            ours = found.models["liquake"]
            print(
                f"{name:<24} {model.baseline.threshold:>12,.0f} {model.baseline.base_rate:>10.4f} "
                f"{ours.brier_skill or 0:>7.3f} {ours.auc or 0:>6.3f} {ours.onset.auc or 0:>9.3f}"
            )


if __name__ == "__main__":
    main()
