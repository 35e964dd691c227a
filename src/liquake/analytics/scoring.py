"""Walk-forward evaluation: fit on the first part of a recording, forecast the rest, say how it went. Needs numpy."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

import msgspec
import numpy as np

from liquake.analytics import alarms, comparators, logistic, verification
from liquake.analytics.cascade import Model, ReliabilityBin
from liquake.analytics.hawkes import Cell
from liquake.analytics.hawkes_moments import Array, Flags, spectral_radius
from liquake.analytics.training import Trained, train
from liquake.errors import TapeTooShort
from liquake.model import Side, Throttle
from liquake.model.tape import Tape


class ModelScore(msgspec.Struct, frozen=True):
    """One forecast on every second of the test, and on those from which a cascade would be a new one."""

    brier_skill: float | None
    log_loss: float | None
    auc: float | None
    pr_auc: float | None
    onset: verification.Scores
    alarms: alarms.AlarmRecord
    """Of the alarms this forecast would have raised, its threshold set on training for the same budget."""


class Stretch(msgspec.Struct, frozen=True):
    """One side of the cut. Times are ISO 8601, UTC."""

    first: str
    last: str
    seconds: int
    base_rate: float


class Score(msgspec.Struct, frozen=True):
    """The whole evaluation; encodes to JSON as it is."""

    recording: str
    sha256: str
    horizon: float
    side: Side | None
    train_share: float
    seed: int
    train: Stretch
    test: Stretch
    base_rate: float
    """Of the test."""
    onset_base_rate: float
    """Of the test's onset seconds."""
    threshold_usd: float
    models: dict[str, ModelScore]
    reliability: tuple[ReliabilityBin, ...]
    alarms: alarms.AlarmRecord
    """Of liquake."""
    differences: dict[str, verification.Difference]
    """Brier skill of liquake minus that of each other forecast."""
    clustering: float
    """Spectral radius of the branching matrix over training: an upper bound on self-excitation."""
    branching: tuple[Cell, ...]


def score(
    tape: Tape,
    horizon: float = 60.0,
    train_share: float = 0.55,
    seed: int = 0,
    side: Side | None = None,
    throttles: Mapping[str, Throttle] | None = None,
) -> Score:
    """Train on the first `train_share` of the time of `tape` and score on the rest. Raises `TapeTooShort`."""
    return evaluate(train(tape, horizon, train_share, side, throttles), seed)


def evaluate(trained: Trained, seed: int = 0) -> Score:
    """Score what was `trained` on the part of its grid that it has not seen."""
    split, model = trained.split, trained.model
    grid, test = split.grid, split.test
    happened = trained.labels[test]
    if not happened.any():
        raise TapeTooShort(grid.events.tape.name, "no cascade in the part after training to score on")
    forecasts = {"liquake": probabilities(trained)} | comparators.forecasts(trained)
    onset = grid.onset(model.baseline.threshold)[test]
    tested = {name: forecast[test] for name, forecast in forecasts.items()}
    base = model.baseline.base_rate
    raised = {
        name: alarms.record(grid, forecast, model.baseline.threshold, split.train, test)
        for name, forecast in forecasts.items()
    }
    others = {name: forecast for name, forecast in tested.items() if name != "liquake"}
    return Score(
        recording=grid.events.tape.name,
        sha256=grid.events.tape.sha256,
        horizon=grid.horizon,
        side=grid.side,
        train_share=model.provenance.train_share,
        seed=seed,
        train=_stretch(trained, split.train),
        test=_stretch(trained, test),
        base_rate=float(happened.mean()),
        onset_base_rate=float(happened[onset].mean()) if onset.any() else 0.0,
        threshold_usd=model.baseline.threshold,
        models={name: _model_score(forecast, happened, onset, base, raised[name]) for name, forecast in tested.items()},
        reliability=verification.reliability(grid.seconds[test], tested["liquake"], happened, seed),
        alarms=raised["liquake"],
        differences=verification.differences(grid.seconds[test], happened, tested["liquake"], others, base, seed),
        clustering=spectral_radius(trained.process.hawkes),
        branching=trained.process.cells,
    )


def probabilities(trained: Trained) -> Array:
    """liquake's forecast at every second: as fitted over training, recalibrated online from the test's start on."""
    split, model = trained.split, trained.model
    grid, test = split.grid, split.test
    forecast = logistic.sigmoid(trained.logits)
    forecast[test] = logistic.recalibrate(
        grid.seconds[test],
        grid.starts[test],
        trained.logits[test],
        trained.labels[test],
        model.calibration,
        grid.horizon,
    )
    return forecast


def earned(model: Model, score: Score) -> Model:
    """The model with the scores and the reliability it earned."""
    kept: dict[str, float] = {}
    for name in ("liquake", "climatology", "multiscale_rates", "six_weight_recalibrated"):
        found = score.models[name]
        every = {"brier_skill": found.brier_skill, "log_loss": found.log_loss, "auc": found.auc}
        new = {"onset_brier_skill": found.onset.brier_skill, "onset_auc": found.onset.auc}
        kept |= {f"{name}.{key}": value for key, value in (every | new).items() if value is not None}
    kept |= {"test_base_rate": score.base_rate, "test_seconds": float(score.test.seconds)}
    return msgspec.structs.replace(model, scores=kept, reliability=score.reliability)


def _model_score(forecast: Array, happened: Flags, onset: Flags, base: float, raised: alarms.AlarmRecord) -> ModelScore:
    every = verification.scores(forecast, happened, base)
    new = verification.scores(forecast[onset], happened[onset], base)
    return ModelScore(every.brier_skill, every.log_loss, every.auc, every.pr_auc, new, raised)


def _stretch(trained: Trained, chosen: Flags) -> Stretch:
    seconds = trained.split.grid.seconds[chosen]
    first, last = (datetime.fromtimestamp(float(end), UTC).isoformat() for end in (seconds[0], seconds[-1]))
    return Stretch(first, last, int(np.count_nonzero(chosen)), float(trained.labels[chosen].mean()))
