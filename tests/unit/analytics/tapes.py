"""Synthetic tapes with clusters, for tests: values of our own."""

from __future__ import annotations

import numpy as np

from liquake.model import Side
from liquake.model.tape import Source, Tape

SECOND = 1_000_000_000
START = 1_700_000_000
SOURCES = (
    Source("alpha", Side.LONG),
    Source("alpha", Side.SHORT),
    Source("beta", Side.LONG),
    Source("beta", Side.SHORT),
)


def clustered(hours: float, seed: int, sources: tuple[Source, ...] = SOURCES, start: int = START) -> Tape:
    """One event a minute, and every other hour or so a burst of some 150 events that fades over minutes."""
    generator = np.random.default_rng(seed)
    span = hours * 3600.0
    times = [generator.random(generator.poisson(span / 60.0)) * span]
    bursts = generator.random(generator.poisson(hours * 0.6)) * span
    times += [burst + generator.exponential(90.0, generator.poisson(150)) for burst in bursts]
    every = np.sort(np.concatenate(times))
    every = every[every < span]
    usd = np.round(np.exp(generator.normal(9.0, 1.3, every.size)), 2)
    kinds = generator.integers(0, len(sources), every.size)
    stamps = (start * 1000 + np.round(every * 1000.0)).astype(np.int64) * 1_000_000
    rows = zip(stamps.tolist(), kinds.tolist(), usd.tolist(), strict=True)
    return Tape.of_rows([(ts, sources[kind], value, 1) for ts, kind, value in rows], f"clustered {seed}")


def joined(first: Tape, second: Tape) -> Tape:
    """Both tapes as one."""
    rows = [
        (ts, tape.sources[kind], usd, orders)
        for tape in (first, second)
        for ts, kind, usd, orders in zip(tape.ts, tape.source, tape.usd, tape.orders, strict=True)
    ]
    return Tape.of_rows(rows, "joined")
