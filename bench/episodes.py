"""How soon an episode is opened after a sweep begins, and how many alarms a day quiet and busy markets cost.

A cascade begins, by definition, at the first moment at which the published dollars of the last minute reach a threshold
that was known before: that is the start anyone can check. The simulator also knows when forced orders of any one coin
first reached a tenth of that coin's depth, whatever was published of them. Both delays are printed, by the clock of
whoever watches: the waiting for late events is in them.

Alarms are alerts of the rule CASCADE, of every market watched and all together. The markets are of other seeds than
those that the models were fitted on.

python -m bench.episodes [--seeds 40] [--hours 24]
"""

from __future__ import annotations

import argparse
from collections import Counter, deque
from collections.abc import Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from itertools import repeat
from statistics import median

import msgspec
from bench.simulated_feeds import COVERAGES, SECOND, START, feed

from liquake.alerts.notifier import Notifier
from liquake.alerts.rules import cascade
from liquake.alerts.situation import Situation, nearest
from liquake.analytics import models
from liquake.analytics.cascade import Model
from liquake.engine.engine import Engine
from liquake.engine.snapshot import ALL
from liquake.model import Event, Liquidation, Price, Side
from liquake.model.alert import Alert
from liquake.simulate.market import Market

WITHIN = 5.0
DAY_SEED = 1001
"""Of no market that a model was fitted on."""
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
    """When forced orders of some coin first reached a tenth of its depth within ten seconds."""
    published: float | None
    """Share of the threshold that the minute before `forced` had published."""
    leading: float | None
    """As `forced`, of BTC."""


class Day(msgspec.Struct, frozen=True):
    """What a market without or with cascades cost in alarms."""

    hours: int
    raised: dict[str, int]
    """Alarms by level, over the budget too. An alarm that rises is one of each level."""
    sent: dict[str, int]
    """Those within the day's budget."""
    episodes: int
    """Of all markets together."""
    highest: float
    """Probability of any market and side within a minute."""
    mean: float
    """Of all markets together, both sides."""
    base_rate: float


def simulated_models() -> list[Model]:
    """Those fitted on simulated markets."""
    return [models.shipped(name) for name in models.names() if name.startswith("simulated")]


def first_cascade(events: Sequence[Event], threshold: float) -> int | None:
    """When the dollars of longs in the last minute first reach `threshold`, by a slow sum."""
    minute: deque[tuple[int, float]] = deque()
    usd = 0.0
    for event in sorted(longs(events), key=lambda event: event.ts_event):
        while minute and minute[0][0] <= event.ts_event - 60 * SECOND:
            usd -= minute.popleft()[1]
        minute.append((event.ts_event, event.usd or 0.0))
        usd += event.usd or 0.0
        if usd >= threshold:
            return event.ts_event
    return None


def longs(events: Iterable[Event]) -> list[Liquidation]:
    """The liquidated longs among `events`."""
    return [event for event in events if isinstance(event, Liquidation) and event.side is Side.LONG]


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
    truth = [held for held in market.cascades if held.side is Side.LONG]
    forced = min((held.ts for held in truth), default=None)
    leading = min((held.ts for held in truth if held.asset == "BTC"), default=None)
    share = None
    if forced is not None and threshold:
        minute = [event for event in longs(events) if forced - 60 * SECOND < event.ts_event <= forced]
        share = sum(event.usd or 0.0 for event in minute) / threshold
    return Opening(seed, _since(defined), _since(opened), _since(forced), share, _since(leading))


def _since(ts: int | None) -> float | None:
    return None if ts is None else (ts - START) / SECOND


def day(scenario: str, seed: int, hours: int) -> Day:
    """Watch `hours` of `scenario`, alerts and all; the first is warm-up, and its probabilities are not averaged."""
    engine, notifier = Engine(COVERAGES, models=simulated_models()), Notifier((cascade,))
    alerts: list[Alert] = []
    episodes: set[str] = set()
    total, count, highest, base, seconds = 0.0, 0, 0.0, 0.0, 0
    for event in feed(Market(scenario, seed, START), hours * 3600, seed):
        engine.apply(event)
        if not isinstance(event, Price):
            continue
        # One a second: as often as a session looks for what deserves an alert.
        seconds += 1
        risks, running = tuple(nearest(engine.risks())), engine.episodes()
        alerts += notifier.update(Situation(now=event.ts_recv, risks=risks, episodes=running))
        episodes.update(each.key for each in running if each.market == ALL)
        for risk in risks:
            if risk.probability is not None:
                highest = max(highest, risk.probability)
                if risk.market == ALL and seconds > 3600:
                    total, count, base = total + risk.probability, count + 1, risk.base_rate or 0.0
    return Day(
        hours=hours,
        raised=dict(Counter(alert.level.name for alert in alerts)),
        sent=dict(Counter(alert.level.name for alert in alerts if alert.within_budget)),
        episodes=len(episodes),
        highest=highest,
        mean=total / count if count else 0.0,
        base_rate=base,
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
            print(line(scenario, list(pool.map(opening, repeat(scenario), range(settings.seeds)))))
        scenarios = ("poisson", "busy", "calm")
        for scenario, held in zip(
            scenarios, pool.map(day, scenarios, repeat(DAY_SEED), repeat(settings.hours)), strict=True
        ):
            print(
                f"{scenario:>8}: {held.hours} h, alarms {held.raised or 'none'}, within budget {held.sent or 'none'}, "
                f"{held.episodes} episodes, highest probability {held.highest:.3f}, mean {held.mean:.4f}, "
                f"base rate {held.base_rate:.4f}"
            )


def line(scenario: str, found: Sequence[Opening]) -> str:
    """What became of the openings of one scenario, as text."""
    delays = [each.opened - each.defined for each in found if each.opened and each.defined]
    forced = [each.opened - each.forced for each in found if each.opened and each.forced]
    leading = [each.opened - each.leading for each in found if each.opened and each.leading]
    shares = [each.published for each in found if each.published is not None]
    share = 1.0 - len(late(found)) / len(found)
    near, led = (sum(delay <= WITHIN for delay in delays) / len(found) for delays in (forced, leading))
    return (
        f"{scenario:>8}: opened within {WITHIN:g} s of the definition in {share:.1%} of {len(found)} seeds "
        f"(median {median(delays):.1f} s, most {max(delays):.1f} s); of the first forced flow of any coin in {near:.1%} "
        f"(median {median(forced):.1f} s, most {max(forced):.1f} s), when {median(shares):.0%} of the threshold had been "
        f"published (median); of BTC's own in {led:.1%} (median {median(leading):.1f} s)"
    )


if __name__ == "__main__":
    main()
