"""How often a venue is falsely called dark, and how soon a true silence is found.

Markets of the simulator on every venue whose liquidations count, published as the venues do. False: how often in all
those hours a venue that is not silent is called dark, and the most that the true rate per venue can be (95 %, Poisson,
over all venues). True: each venue falls silent at random moments, until it is found or six hours are over. What a
silence is worth depends on how much the venue says. So beside what was found stands how many seconds a minute it speaks
in, and the least time that any test could need which is wrong as rarely: at a steady rate r a venue is silent for t by
chance with probability exp(-rt). In a market that swings it is less where it is busy and more where it is quiet.

Of a venue that has a history that is asked too, by the schedule that the program keeps. It shows a silence at the first
question that comes a grace after an order that was kept back, and is believed when that is two old; the seconds that
answers take are left out. What is found first counts, by whichever: beside it stands how often that was the history, and
last in how many of the silences the venue would have spoken at all by then.

python -m bench.silence [--calm-hours 720] [--busy-hours 720] [--silences 50]
"""

from __future__ import annotations

import argparse
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from copy import deepcopy
from math import inf, log
from random import Random
from statistics import quantiles

from bench.simulated_feeds import SECOND, START, published

from liquake.analytics.silence import SilenceDetector, improbable
from liquake.clock import ManualClock
from liquake.ingest.link import Tempo
from liquake.ingest.listening import MARGIN
from liquake.ingest.reconciliation import Reconciliation, following, pace, questions
from liquake.model import CoverageKind, Instruments
from liquake.simulate.simulation import Simulation
from liquake.venues import VENUES

COUNTED = {
    name: venue.coverage
    for name, venue in VENUES.items()
    if venue.coverage.kind in (CoverageKind.COMPLETE, CoverageKind.THROTTLED)
}
"""Those that are watched by each other."""
MONTH = 30 * 24.0
PART = 6.0
"""Hours of a market that are computed at once."""
LONGEST = 6 * 3600 * SECOND
TEMPO = Tempo()
WARM = 0.25
"""Share of the time in which nobody falls silent, so that shares are known."""
Pulse = tuple[int, str]


def pulses_of(scenario: str, hours: float, seed: int) -> list[Pulse]:
    """When which venue published something, in order of time."""
    simulation, shown = Simulation(scenario, seed, VENUES, ManualClock(START)), list[Pulse]()
    market = simulation.market
    end = START + round(hours * 3600) * SECOND
    while market.now + SECOND <= end:
        until = min(market.now + round(PART * 3600) * SECOND, end)
        shown += [(order.ts, order.venue) for order in published(simulation.placed(market.step(until)), COUNTED)]
    return shown


def alarms(pulses: Sequence[Pulse]) -> dict[str, int]:
    """How often each venue goes dark although nothing is held back."""
    detector, before = SilenceDetector(COUNTED), set[str]()
    found = dict.fromkeys(COUNTED, 0)
    for ts, venue in pulses:
        detector.update(venue, ts)
        now = {silence.venue for silence in detector.value()}
        for each in now - before:
            found[each] += 1
        before = now
    return found


def delays(pulses: Sequence[Pulse], victim: str, moments: Sequence[int]) -> list[float]:
    """Seconds until the silence of `victim` from each of `moments` on is found; infinite where it is not."""
    detector, found, waiting = SilenceDetector(COUNTED), list[float](), list(moments)
    for index, (ts, venue) in enumerate(pulses):
        while waiting and ts >= waiting[0]:
            found.append(_delay(deepcopy(detector), pulses, index, victim, waiting.pop(0)))
        detector.update(venue, ts)
    return found


def _delay(detector: SilenceDetector, pulses: Sequence[Pulse], index: int, victim: str, start: int) -> float:
    for place in range(index, len(pulses)):
        ts, venue = pulses[place]
        if ts > start + LONGEST:
            break
        if venue != victim:
            detector.update(venue, ts)
            if any(silence.venue == victim for silence in detector.value()):
                return (ts - start) / SECOND
    return inf


def shown(venue: str, own: Sequence[int], start: int) -> float:
    """Seconds until the history of `venue`, with the orders `own`, proves the silence of its sockets from `start` on;
    infinite where it does not."""
    before = bisect_left(own, start)
    heard = own[before - 1] if before else START
    place, asked = bisect_right(own, max(heard + MARGIN, start)), 0.0
    if place == len(own):
        return inf
    missed, grace = own[place], round(TEMPO.grace * SECOND)
    apart = pace(VENUES[venue], len(questions(VENUES[venue], Instruments(), None, {}, start, start + SECOND)))
    while (moment := heard + round(asked * SECOND)) < missed + grace or not asked:
        asked = following(asked, TEMPO, apart)
    delay = max(moment + grace // 3, missed + 2 * grace) - start
    return delay / SECOND if delay <= LONGEST else inf


def report(scenario: str, hours: float, silences: int, limit: float) -> None:
    """A line per venue, and what they say together."""
    pulses = pulses_of(scenario, hours, seed=1)
    false, random = alarms(pulses), Random(1)
    first, last = START + round(WARM * hours * 3600) * SECOND, START + round(hours * 3600) * SECOND - LONGEST // 6
    moments = sorted(random.randrange(first, last) for _ in range(silences))
    for venue in COUNTED:
        own = [ts for ts, name in pulses if name == venue]
        by_rates = delays(pulses, venue, moments)
        asked = Reconciliation.serves(VENUES[venue])
        by_history = [shown(venue, own, moment) if asked else inf for moment in moments]
        found = [min(pair) for pair in zip(by_rates, by_history, strict=True)]
        within = sum(delay <= limit for delay in found) / len(found)
        earlier = sum(one < other for one, other in zip(by_history, by_rates, strict=True)) / len(found)
        per_minute, spoken = (count / hours / 60.0 for count in (len(own), len({ts // SECOND for ts in own})))
        chance = improbable(spoken * 60.0 * hours, 3600.0 * hours)
        print(
            f"{scenario:<6} {hours:>6.0f} {venue:<10} {per_minute:>8.1f} {spoken:>9.2f} {false[venue]:>6} {chance:>8.0e} "
            f"{-log(chance) / spoken:>9.1f} {_cuts(by_rates)} {_cuts(by_history) if asked else _NONE} {earlier:>9.0%} "
            f"{_cuts(found)} {within:>11.0%} of {limit / 60:g} min {_spoken(own, moments, limit):>7.0%}",
            flush=True,
        )
    total = sum(false.values())
    months = len(COUNTED) * hours / MONTH
    # The exact upper limit for none is 3.0; for more this is a little above it.
    most = (3.0 + 2.0 * total) / months
    print(f"{scenario:<6} {total} false in {months:.1f} months of a venue: at most {most:.2f} a month and venue")


def _spoken(own: Sequence[int], moments: Sequence[int], seconds: float) -> float:
    """In how many of `seconds` from `moments` on there is one of `own`."""
    spoke = (bisect_left(own, moment) < bisect_left(own, moment + round(seconds * SECOND)) for moment in moments)
    return sum(spoke) / len(moments)


_NONE = f"{'none':>8} {'':>8}"


def _cuts(delays: Sequence[float]) -> str:
    """The median and the 95th percentile in minutes."""
    cuts = quantiles(delays, n=20, method="inclusive")
    return f"{cuts[9] / 60:>8.1f} {cuts[18] / 60:>8.1f}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calm-hours", type=float, default=720.0)
    parser.add_argument("--busy-hours", type=float, default=720.0)
    parser.add_argument("--silences", type=int, default=50)
    settings = parser.parse_args()
    print(f"{'':<66}{'by the rates':>17} {'by its history':>17} {'earlier':>9} {'together':>17}")
    print(
        "market  hours venue      events/m seconds/m  false      p <   least/m"
        f"{'    p50/m    p95/m' * 2}{'':>10}    p50/m    p95/m  found within       spoke"
    )
    report("calm", settings.calm_hours, settings.silences, 1800.0)
    report("busy", settings.busy_hours, settings.silences, 180.0)


if __name__ == "__main__":
    main()
