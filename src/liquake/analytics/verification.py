"""Verification of probability forecasts: scores, reliability and intervals. Batch code: needs numpy."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from math import sqrt

import msgspec
import numpy as np
import numpy.typing as npt

from liquake.analytics.cascade import ReliabilityBin
from liquake.analytics.hawkes_moments import Array, Flags

EDGES = (0.0, 0.01, 0.03, 0.1, 0.2, 0.3, 0.5, 0.7, 0.9, 1.0)
EPISODE_GAP = 300.0
"""Seconds between two episodes."""
BLOCK = 6 * 3600.0
"""Seconds per bootstrap block: at least ten times an episode."""
_DRAWS = 2000
_CLIP = 1e-6


class Scores(msgspec.Struct, frozen=True):
    """How good a forecast was on a set of seconds. `None` where the set is empty or holds only one outcome."""

    brier_skill: float | None
    """1 - Brier score / that of the training base rate."""
    log_loss: float | None
    auc: float | None
    pr_auc: float | None
    """Average precision; a forecast without skill has the base rate."""


class Difference(msgspec.Struct, frozen=True):
    """Brier skill of liquake minus that of another forecast, with a 95 % block-bootstrap interval."""

    brier_skill: float
    low: float
    high: float
    blocks: int
    """Resampled; under ten the interval is too narrow to be believed."""


def scores(forecast: Array, happened: Flags, climatology: float) -> Scores:
    """Every score of `forecast` against what `happened`."""
    if not happened.size:
        return Scores(None, None, None, None)
    reference = float(((climatology - happened) ** 2).mean())
    skill = 1.0 - float(((forecast - happened) ** 2).mean()) / reference if reference > 0.0 else None
    return Scores(skill, log_loss(forecast, happened), auc(forecast, happened), average_precision(forecast, happened))


def log_loss(forecast: Array, happened: Flags) -> float:
    """Mean of -ln of the probability given to what came; forecasts are kept 1e-6 away from certainty."""
    sure = np.clip(forecast, _CLIP, 1.0 - _CLIP)
    return float(-np.log(np.where(happened, sure, 1.0 - sure)).mean())


def auc(forecast: Array, happened: Flags) -> float | None:
    """Probability that a positive second was ranked above a negative one, ties counting half."""
    positives = int(happened.sum())
    negatives = happened.size - positives
    if not positives or not negatives:
        return None
    _, place, counts = np.unique(forecast, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2.0)[place]
    return float((ranks[happened].sum() - positives * (positives + 1) / 2.0) / positives / negatives)


def average_precision(forecast: Array, happened: Flags) -> float | None:
    """Area under the precision-recall steps; equal forecasts are one step."""
    if not happened.any():
        return None
    levels, place = np.unique(-forecast, return_inverse=True)
    hits = np.cumsum(np.bincount(place, weights=happened, minlength=levels.size))
    named = np.cumsum(np.bincount(place, minlength=levels.size))
    return float((np.diff(hits, prepend=0.0) * hits / named).sum() / hits[-1])


def reliability(seconds: Array, forecast: Array, happened: Flags, seed: int) -> tuple[ReliabilityBin, ...]:
    """What happened by what was said, with episode-bootstrap intervals (Wilson's on episodes where all agree)."""
    generator = np.random.default_rng(seed)
    bins = []
    for low, high in pairwise(EDGES):
        inside = (forecast >= low) & ((forecast < high) | (high == 1.0))
        if not inside.any():
            continue
        episode = np.cumsum(np.diff(seconds[inside], prepend=-np.inf) > EPISODE_GAP) - 1
        length = np.bincount(episode).astype(np.float64)
        hits = np.bincount(episode, weights=happened[inside]).astype(np.float64)
        rate = float(happened[inside].mean())
        bounds = _episode_interval(length, hits, generator)
        said = float(forecast[inside].mean())
        bins.append(ReliabilityBin(low, high, int(inside.sum()), length.size, said, rate, *bounds))
    return tuple(bins)


def _episode_interval(length: Array, hits: Array, generator: np.random.Generator) -> tuple[float, float]:
    rate = float(hits.sum() / length.sum())
    if length.size < 2 or rate in {0.0, 1.0}:
        return wilson(rate, length.size)
    draws = generator.multinomial(length.size, np.full(length.size, 1.0 / length.size), size=_DRAWS)
    low, high = np.quantile((draws @ hits) / (draws @ length), (0.025, 0.975))
    return float(low), float(high)


def wilson(share: float, count: int, z: float = 1.959964) -> tuple[float, float]:
    """Wilson's 95 % interval of a share seen in `count` independent trials."""
    middle = (share + z * z / (2.0 * count)) / (1.0 + z * z / count)
    reach = z / (1.0 + z * z / count) * sqrt(share * (1.0 - share) / count + z * z / (4.0 * count * count))
    return max(0.0, middle - reach), min(1.0, middle + reach)


def differences(
    seconds: Array, happened: Flags, ours: Array, others: Mapping[str, Array], climatology: float, seed: int
) -> dict[str, Difference]:
    """Brier skill of `ours` minus each of `others`, paired, resampling blocks of `BLOCK` seconds."""
    _, block = np.unique(seconds // BLOCK, return_inverse=True)
    count = int(block.max()) + 1
    draws = np.random.default_rng(seed).multinomial(count, np.full(count, 1.0 / count), size=_DRAWS)
    reference = _by_block(np.full(happened.size, climatology), happened, block)
    mine = _by_block(ours, happened, block)
    found = {}
    for name, other in others.items():
        gain = _by_block(other, happened, block) - mine
        low, high = np.quantile((draws @ gain) / (draws @ reference), (0.025, 0.975))
        found[name] = Difference(float(gain.sum() / reference.sum()), float(low), float(high), count)
    return found


def _by_block(forecast: Array, happened: Flags, block: npt.NDArray[np.intp]) -> Array:
    return np.bincount(block, weights=(forecast - happened) ** 2).astype(np.float64)
