"""How soon an episode is opened after a sweep begins, and how many alarms a day quiet and busy markets cost.

A cascade begins, by definition, at the first moment at which the published dollars of the last minute reach a threshold
that was known before; the simulator says when forced orders began to move the price by themselves. Both delays are
printed, by the clock of whoever watches: the waiting for late events is in them.

python -m bench.episodes [--seeds 40] [--hours 24]
"""

from __future__ import annotations

import argparse
from collections import Counter, deque
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from itertools import repeat
from statistics import median

import msgspec
from bench.simulated_feeds import COVERAGES, SECOND, START, feed

from liquake.analytics import models
from liquake.analytics.cascade import Model
from liquake.engine.engine import Engine
from liquake.engine.snapshot import ALL, Level, Notification
from liquake.model import Event, Liquidation, Side
from liquake.simulate.market import Market

WITHIN = 5.0
SWEEP = 180
"""Seconds watched for the first sweep."""


class Opening(msgspec.Struct, frozen=True):
    """Of one seed. Seconds after the start of the scenario; `None` where it never came to it."""

    seed: int
    defined: float | None
    """When the published dollars made it a cascade."""
    opened: float | None
    """When whoever watches was told."""
    forced: float | None
    """When the simulator's forced orders began to move a price."""


class Day(msgspec.Struct, frozen=True):
    """What a market without or with cascades cost in alarms."""

    hours: int
    notified: dict[str, int]
    """First notifications of the whole market by level, over the budget too."""
    sent: dict[str, int]
    """Those within the budget."""
    episodes: int
    highest: float
    """Probability of the whole market within a minute, either side."""
    mean: float
    base_rate: float


def simulated_models() -> list[Model]:
    """Those fitted on simulated markets."""
    return [models.shipped(name) for name in models.names() if name.startswith("simulated")]


def first_cascade(events: Sequence[Event], threshold: float) -> int | None:
    """When the dollars of longs in the last minute first reach `threshold`, by a slow sum."""
    minute: deque[tuple[int, float]] = deque()
    usd = 0.0
    longs = (event for event in events if isinstance(event, Liquidation) and event.side is Side.LONG)
    for event in sorted(longs, key=lambda event: event.ts_event):
        while minute and minute[0][0] <= event.ts_event - 60 * SECOND:
            usd -= minute.popleft()[1]
        minute.append((event.ts_event, event.usd or 0.0))
        usd += event.usd or 0.0
        if usd >= threshold:
            return event.ts_event
    return None


def opening(scenario: str, seed: int) -> Opening:
    """Watch the first sweep of `scenario`, looking five times a second."""
    engine, market = Engine(COVERAGES, models=simulated_models()), Market(scenario, seed, START)
    events, opened, threshold = [], None, 0.0
    for event in feed(market, SWEEP, seed):
        engine.apply(event)
        events.append(event)
        if opened is None and isinstance(event, Liquidation):
            found = [each for each in engine.episodes() if each.market == ALL and each.side is Side.LONG]
            if found:
                opened, threshold = event.ts_recv, found[-1].threshold
    defined = first_cascade(events, threshold) if threshold else None
    forced = min((held.ts for held in market.cascades if held.side is Side.LONG), default=None)
    return Opening(seed, _since(defined), _since(opened), _since(forced))


def _since(ts: int | None) -> float | None:
    return None if ts is None else (ts - START) / SECOND


def day(scenario: str, seed: int, hours: int) -> Day:
    """Watch `hours` of `scenario`; the first is warm-up."""
    engine = Engine(COVERAGES, models=simulated_models())
    notices: dict[object, Notification] = {}
    said, base, seconds = [], 0.0, 0
    episodes: set[str] = set()
    for event in feed(Market(scenario, seed, START), hours * 3600, seed):
        engine.apply(event)
        if isinstance(event, Liquidation):
            continue
        seconds += 1
        for notice in engine.notices():
            if isinstance(notice, Notification) and notice.market == ALL:
                notices[notice.key, notice.level] = notice
        episodes.update(each.key for each in engine.episodes() if each.market == ALL)
        risks = [risk for risk in engine.risks() if risk.market == ALL and risk.horizon == 60.0]
        if seconds > 3600:
            said += [risk.probability for risk in risks if risk.probability is not None]
        base = max((risk.base_rate or 0.0 for risk in risks), default=0.0)
    return Day(
        hours,
        dict(Counter(Level(notice.level).name for notice in notices.values())),
        dict(Counter(Level(notice.level).name for notice in notices.values() if notice.within_budget)),
        len(episodes),
        max(said, default=0.0),
        sum(said) / len(said) if said else 0.0,
        base,
    )


def late(openings: Sequence[Opening]) -> list[Opening]:
    """Those that were not opened within `WITHIN` seconds of their start by definition."""
    return [
        each for each in openings if each.opened is None or each.defined is None or each.opened - each.defined > WITHIN
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=40)
    parser.add_argument("--hours", type=int, default=24)
    settings = parser.parse_args()
    with ProcessPoolExecutor(2) as pool:
        for scenario in ("flash", "oct10"):
            found = list(pool.map(opening, repeat(scenario), range(settings.seeds)))
            delays = [each.opened - each.defined for each in found if each.opened and each.defined]
            forced = [each.opened - each.forced for each in found if each.opened and each.forced]
            share = 1.0 - len(late(found)) / len(found)
            near = sum(delay <= WITHIN for delay in forced) / len(found)
            print(
                f"{scenario:>8}: opened within {WITHIN:g} s of the definition in {share:.1%} of {len(found)} seeds "
                f"(median {median(delays):.1f} s, most {max(delays):.1f} s); of the first forced flow in {near:.1%} "
                f"(median {median(forced):.1f} s, most {max(forced):.1f} s)"
            )
        for scenario, held in zip(
            ("poisson", "busy", "calm"),
            pool.map(day, ("poisson", "busy", "calm"), repeat(1), repeat(settings.hours)),
            strict=True,
        ):
            print(
                f"{scenario:>8}: {held.hours} h, notified {held.notified}, within budget {held.sent}, "
                f"{held.episodes} episodes, highest probability {held.highest:.3f}, mean {held.mean:.4f}, "
                f"base rate {held.base_rate:.4f}"
            )


if __name__ == "__main__":
    main()
