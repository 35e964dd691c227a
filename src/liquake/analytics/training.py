"""Fitting a cascade model on a tape. Batch code: needs numpy."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

import msgspec
import numpy as np

from liquake.analytics import hawkes_em, logistic
from liquake.analytics.calibration import CalibrationPrior
from liquake.analytics.cascade import SCHEMA, Model, Provenance, Weight
from liquake.analytics.features import FEATURES, Baseline, Excitation
from liquake.analytics.grid import Events, Grid, marks_of
from liquake.analytics.hawkes import DECAYS, Branching, Hawkes, Productivity
from liquake.analytics.hawkes_moments import Array, Flags, Moments, functional, nested, spectral_radius, stable
from liquake.errors import TapeTooShort
from liquake.model import Side, Throttle
from liquake.model.tape import Tape

EXPONENT = 0.25
"""Of the productivity law. 0, 0.25, 0.5 and 1 were compared in three forward-chained folds of the training part of the
January 2023 recording: 0 to 0.5 tie within the noise, 1 is worse."""
CAP = 10.0
_TRIMMED = 0.999
"""Quantile at which sizes are cut for the dollar moments, so that one order does not set the variance."""
_LEAST = 200


def quantile_of(horizon: float) -> float:
    """The quantile of the week's sums that makes a cascade: rarer over longer horizons."""
    return 0.995 if horizon <= 60.0 else 0.999


class Split(msgspec.Struct, frozen=True):
    """A grid cut in time: nothing at or after `end` is seen in training."""

    grid: Grid
    train: Flags
    """Training seconds: those whose label lies before `end` too."""
    test: Flags
    end: float

    @classmethod
    def of(cls, grid: Grid, share: float) -> Split:
        """The first `share` of the grid's seconds to train, the rest to test."""
        cut = round(share * grid.seconds.size)
        whole = cut >= grid.seconds.size
        end = float(grid.events.times[-1] if whole else grid.seconds[cut])
        train = grid.seconds + grid.horizon <= end
        if not train.any():
            raise TapeTooShort(grid.events.tape.name, f"a share of {share:g} leaves nothing to train on")
        return cls(grid, train, grid.seconds >= end, end)


class Trained(msgspec.Struct, frozen=True):
    """A model, and what it makes of every second of the grid it was trained on a part of."""

    model: Model
    split: Split
    columns: Array
    labels: Flags
    logits: Array
    process: hawkes_em.Fit


def fit(
    tape: Tape,
    horizon: float = 60.0,
    side: Side | None = None,
    throttles: Mapping[str, Throttle] | None = None,
    note: str = "",
    process: hawkes_em.Fit | None = None,
) -> Model:
    """The cascade model of the whole of `tape`. Its scores are empty: nothing is left to test it on.

    `throttles` says by venue which order survives where the feed withheld some; none of them by default.
    Raises `TapeTooShort`.
    """
    return train(tape, horizon, 1.0, side, throttles, note, process).model


def train(
    tape: Tape,
    horizon: float = 60.0,
    share: float = 0.55,
    side: Side | None = None,
    throttles: Mapping[str, Throttle] | None = None,
    note: str = "",
    process: hawkes_em.Fit | None = None,
) -> Trained:
    """Fit on the first `share` of the time of `tape`, and evaluate the features over all of it.

    `process` is the Hawkes process of the same share where it is known: of every side and horizon it is the same.
    """
    split = Split.of(Grid.of(Events.of(tape), horizon, side), share)
    seen = split.grid.events.until(split.end)
    if seen.times.size < _LEAST:
        raise TapeTooShort(tape.name, f"{seen.times.size} liquidations to train on, {_LEAST} are the least")
    baseline = baseline_of(split, seen)
    process, excitation = excitation_of(seen, baseline.mean_usd, horizon, side, process)
    columns = split.grid.features(baseline, excitation)
    labels = split.grid.ahead >= baseline.threshold
    linear = logistic.fit(columns[split.train], labels[split.train].astype(np.float64))
    logits = linear.logit(columns)
    rules = {venue: (throttles or {}).get(venue, Throttle.NONE) for venue in tape.venues}
    model = Model(
        schema=SCHEMA,
        name=f"{'-'.join(tape.venues)}-{horizon:g}s" + (f"-{side.lower()}" if side else ""),
        horizon=horizon,
        quantile=quantile_of(horizon),
        side=side,
        throttles=rules,
        baseline=baseline,
        excitation=excitation,
        intercept=linear.intercept,
        weights=_weights(linear),
        risk_knots=tuple(map(float, np.quantile(logits[split.train], (np.arange(100) + 0.5) / 100.0))),
        calibration=CalibrationPrior(),
        provenance=_provenance(tape, seen, share, note),
    )
    return Trained(model, split, columns, labels, logits, process)


def baseline_of(split: Split, seen: Events) -> Baseline:
    """The stream's measure over the training seconds."""
    ahead = split.grid.ahead[split.train]
    threshold = float(np.quantile(ahead, quantile_of(split.grid.horizon)))
    if threshold <= 0.0:
        raise TapeTooShort(seen.tape.name, "liquidations are too rare in it for a threshold")
    span = sum(end - start for start, end in seen.segments)
    venues = np.array([source.venue for source in seen.tape.sources])[seen.kinds]
    return Baseline(
        threshold=threshold,
        base_rate=float((ahead >= threshold).mean()),
        mean_usd=float(seen.usd.mean()),
        venue_rates={venue: float((venues == venue).sum() / span) for venue in seen.tape.venues},
    )


def excitation_of(
    seen: Events, mean_usd: float, horizon: float, side: Side | None, known: hawkes_em.Fit | None = None
) -> tuple[hawkes_em.Fit, Excitation]:
    """The Hawkes process of `seen` (`known` where it has been fitted), and its forecasts over `horizon` once it is
    scaled to be stable."""
    productivity, marks = _marks(seen, mean_usd)
    process = known or _process(seen, productivity, marks, None)
    hawkes = stable(process.hawkes)
    target = [float(side is None or source.side is side) for source in hawkes.sources]
    squared = float((marks**2).mean())
    sizes = np.minimum(seen.usd, np.quantile(seen.usd, _TRIMMED)) / mean_usd
    dollars = Moments(float(sizes.mean()), float((sizes**2).mean()), float((sizes * marks).mean()), squared)
    counts = Moments(mark_squared=squared)
    return process, Excitation(
        hawkes=hawkes,
        count=functional(hawkes, horizon, target, counts),
        usd=functional(hawkes, horizon, target, dollars),
        own=functional(without_contagion(hawkes), horizon, target, counts),
    )


def refit(tape: Tape, prior: Hawkes | None = None) -> hawkes_em.Fit:
    """Who excites whom in `tape`, such as the last 20,000 events of a session, around `prior` where that has the same
    sources. For display: forecasts keep the process they were scored with. Raises `TapeTooShort`."""
    events = Events.of(tape)
    if events.times.size < _LEAST:
        raise TapeTooShort(tape.name, f"{events.times.size} liquidations to fit, {_LEAST} are the least")
    centre = prior if prior is not None and prior.sources == tape.sources else None
    return _process(events, *_marks(events, float(events.usd.mean())), centre)


def branching(tape: Tape) -> Branching:
    """Who excites whom in `tape`, as a value that crosses from the process that fits to the one that shows.

    Raises `TapeTooShort`.
    """
    found = refit(tape)
    return Branching(found.cells, spectral_radius(found.hawkes), len(tape), tape.ts[0], tape.ts[-1])


def _marks(seen: Events, mean_usd: float) -> tuple[Productivity, Array]:
    """The productivity law with its mean over `seen`, and the events' marks."""
    powers = marks_of(seen, mean_usd, EXPONENT, CAP)
    productivity = Productivity(EXPONENT, CAP, float(powers.mean()))
    return productivity, powers / productivity.mean


def _process(seen: Events, productivity: Productivity, marks: Array, prior: Hawkes | None) -> hawkes_em.Fit:
    times, kinds = seen.times.tolist(), seen.kinds.tolist()
    past = hawkes_em.history(seen.tape.sources, seen.segments, times, kinds, marks.tolist(), DECAYS)
    return hawkes_em.fit(past, productivity, DECAYS, prior)


def without_contagion(hawkes: Hawkes) -> Hawkes:
    """The process, had venues excited only themselves."""
    venues = np.array([source.venue for source in hawkes.sources])
    kept = np.asarray(hawkes.excitation) * (venues[:, None] == venues[None, :])[:, :, None]
    return msgspec.structs.replace(hawkes, excitation=nested(kept))


def _weights(linear: logistic.Logistic) -> tuple[Weight, ...]:
    columns = zip(FEATURES, linear.means, linear.scales, linear.coefficients, strict=True)
    return tuple(Weight(name, float(mean), float(scale), float(value)) for name, mean, scale, value in columns)


def _provenance(tape: Tape, seen: Events, share: float, note: str) -> Provenance:
    rows = seen.times.size
    first, last = (datetime.fromtimestamp(ends, UTC).date().isoformat() for ends in (seen.times[0], seen.times[-1]))
    return Provenance(tape.name, tape.sha256, rows, sum(tape.orders[:rows]), first, last, share, note)
