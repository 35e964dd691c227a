"""Time of the live cascade probability with eight sources: one event, one read, one refit of the branching matrix.

python bench/cascade.py
"""

from __future__ import annotations

import statistics
import time
from itertools import product

import numpy as np

from liquake.analytics.cascade import Cascade
from liquake.analytics.training import fit, refit
from liquake.model import Side
from liquake.model.tape import Source, Tape

SECOND = 1_000_000_000
SOURCES = tuple(Source(venue, side) for venue, side in product(("a", "b", "c", "d"), Side))
EVENTS = 20_000


def stream(seed: int) -> list[tuple[int, Source, float]]:
    """Bursts on a quiet background, about a day of them."""
    generator = np.random.default_rng(seed)
    bursts = generator.random(80) * 86400.0
    times = np.concatenate([generator.random(EVENTS // 2) * 86400.0, generator.choice(bursts, EVENTS // 2)])
    times[EVENTS // 2 :] += generator.exponential(60.0, EVENTS // 2)
    stamps = (np.sort(times) * SECOND).astype(np.int64) + 1_700_000_000 * SECOND
    usd = np.exp(generator.normal(8.0, 1.5, EVENTS))
    kinds = generator.integers(0, len(SOURCES), EVENTS)
    return [
        (ts, SOURCES[kind], value)
        for ts, kind, value in zip(stamps.tolist(), kinds.tolist(), usd.tolist(), strict=True)
    ]


def main() -> None:
    events = stream(0)
    tape = Tape.of_rows([(*event, 1) for event in events], "bench")
    cascade = Cascade(fit(tape), tape.venues, {})
    updates, reads = [], []
    for event in events:
        began = time.perf_counter_ns()
        cascade.update(*event)
        middle = time.perf_counter_ns()
        cascade.value(event[0])
        updates.append(middle - began)
        reads.append(time.perf_counter_ns() - middle)
    began = time.perf_counter_ns()
    refit(tape)
    took = time.perf_counter_ns() - began
    print(f"one event   median {statistics.median(updates) / 1e3:7.1f} us  (labels of quiet time come in with it)")
    print(f"one read    median {statistics.median(reads) / 1e3:7.1f} us")
    print(f"one refit of {EVENTS:,} events {took / 1e6:7.0f} ms")


if __name__ == "__main__":
    main()
