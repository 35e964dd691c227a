"""How often pure chance raises an alert: jerk as a difference between polls, against the exact tests.

Events arrive at a steady 3 per second, at random, for 24 hours; the screen reads ten times a second. Nothing ever
happens, so every alert is false. The naive way takes the count of a window as velocity, differences it between
successive polls for acceleration, and that again for jerk: one event that enters (or leaves) a 10 s window changes
the "jerk" by 10 events/s^3, so a threshold of 2 fires at almost every event, and refreshing slower silences it.

    python bench/false_alerts.py [--hours 24] [--rate 3] [--seed 1]
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from functools import lru_cache
from itertools import accumulate
from random import Random

from liquake.analytics.significance import ALERT_Z, acceleration_z, jerk_z

READS_PER_SECOND = 10
NAIVE_JERK = 2.0
"""Events/s^3: the threshold of a published monitor."""
WINDOWS = (0.1, 0.5, 2.0, 10.0, 60.0)


def poisson_reads(rate: float, hours: float, seed: int) -> list[int]:
    """The number of events up to each read, at `rate` events per second."""
    random = Random(seed)
    per_read = [0] * round(hours * 3600 * READS_PER_SECOND)
    read = random.expovariate(rate) * READS_PER_SECOND
    while read < len(per_read):
        per_read[int(read)] += 1
        read += random.expovariate(rate) * READS_PER_SECOND
    return list(accumulate(per_read))


def naive_alerts(cumulative: list[int], window: float) -> int:
    """Alerts of jerk taken as the second difference, between polls, of the rate in a sliding window."""
    span = round(window * READS_PER_SECOND)
    rates = [(now - then) / window for now, then in zip(cumulative[span:], cumulative, strict=False)]
    jerks = (
        (newest - 2 * middle + oldest) * READS_PER_SECOND**2
        for newest, middle, oldest in zip(rates[2:], rates[1:], rates, strict=False)
    )
    return upcrossings(jerks, NAIVE_JERK)


def exact_alerts(cumulative: list[int], window: float) -> tuple[int, int]:
    """Alerts of acceleration and of jerk by the exact tests, at z > 5, read as often."""
    span = round(window * READS_PER_SECOND)
    edges = list(zip(cumulative[3 * span :], cumulative[2 * span :], cumulative[span:], cumulative, strict=False))
    # The counts are small and repeat: remembering the answers makes a day of reads a matter of seconds.
    acceleration, jerk = lru_cache(None)(acceleration_z), lru_cache(None)(jerk_z)
    return (
        upcrossings((acceleration(d - c, c - b) for d, c, b, _ in edges), ALERT_Z),
        upcrossings((jerk(d - c, c - b, b - a) for d, c, b, a in edges), ALERT_Z),
    )


def upcrossings(values: Iterable[float], threshold: float) -> int:
    """How often `values` rise above `threshold`."""
    crossings, above = 0, False
    for value in values:
        crossings += value > threshold and not above
        above = value > threshold
    return crossings


def main() -> None:
    parser = argparse.ArgumentParser(description="False alerts on a steady random stream.")
    parser.add_argument("--hours", type=float, default=24.0)
    parser.add_argument("--rate", type=float, default=3.0, help="events per second")
    parser.add_argument("--seed", type=int, default=1)
    settings = parser.parse_args()
    cumulative = poisson_reads(settings.rate, settings.hours, settings.seed)
    print(
        f"{cumulative[-1]:,} events at {settings.rate:g}/s over {settings.hours:g} h, read {READS_PER_SECOND} times/s"
    )
    print(f"{'window':>8} {'naive jerk > 2':>15} {'exact acceleration z > 5':>25} {'exact jerk z > 5':>17}")
    for window in WINDOWS:
        acceleration, jerk = exact_alerts(cumulative, window)
        print(f"{window:>7g}s {naive_alerts(cumulative, window):>15,} {acceleration:>25} {jerk:>17}")


if __name__ == "__main__":
    main()
