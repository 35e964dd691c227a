"""Probability that at least `threshold` dollars are liquidated within the next `horizon` seconds.

    z = b0 + sum_k b_k (f_k - mean_k) / scale_k,    p = sigma(alpha + gamma z)

The features and the linear part are fitted offline; alpha and gamma learn online from what happened. Because z is
linear, its parts by component add up exactly: they are the six numbers of the score. Dollars are as the venues publish
them, so that anyone can check the forecast against the same feeds.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Mapping

import msgspec

from liquake.analytics.calibration import CalibrationPrior, Recalibration, RiskScale, sigmoid
from liquake.analytics.features import FEATURES, Baseline, Component, Excitation, FeatureState, Scale, Sums
from liquake.analytics.threshold import Threshold
from liquake.errors import ModelRefused
from liquake.model import Side, Throttle
from liquake.model.tape import Source

SCHEMA = 1
WARM_UP = 3600.0
"""Seconds after a start or a gap until the slow sums have their level."""
NANOSECOND = 1e-9
_RISK_PRIOR = 8640.0
"""Observations (one day of them) that the training distribution is worth to the risk score."""


class Weight(msgspec.Struct, frozen=True):
    """A feature's centre, scale and coefficient."""

    name: str
    mean: float
    scale: float
    coefficient: float


class ReliabilityBin(msgspec.Struct, frozen=True):
    """When a probability in [low, high) was said, how often it happened. `low_rate`, `high_rate`: 95 % interval."""

    low: float
    high: float
    seconds: int
    episodes: int
    """Stretches of such forecasts more than 300 s apart: what the interval counts, since seconds repeat each other."""
    said: float
    happened: float
    low_rate: float
    high_rate: float

    @property
    def enough(self) -> bool:
        """Whether ten episodes stand behind it."""
        return self.episodes >= 10


class Provenance(msgspec.Struct, frozen=True):
    """What a model was fitted on. Days are UTC."""

    recording: str
    sha256: str
    rows: int
    orders: int
    first_day: str
    last_day: str
    train_share: float
    note: str = ""


class Model(msgspec.Struct, frozen=True):
    """A fitted cascade model, as shipped in JSON."""

    schema: int
    name: str
    horizon: float
    quantile: float
    """Of the trailing week's sums that sets the threshold."""
    side: Side | None
    """Whose liquidations make the cascade; both where `None`."""
    throttles: dict[str, Throttle]
    """By venue, as the feeds were when the training data were recorded."""
    baseline: Baseline
    excitation: Excitation
    intercept: float
    weights: tuple[Weight, ...]
    risk_knots: tuple[float, ...]
    """Evenly spaced quantiles of z over training."""
    calibration: CalibrationPrior
    provenance: Provenance
    scores: dict[str, float] = {}
    """Earned on the part of the recording after training, by name; empty when it was not held out."""
    reliability: tuple[ReliabilityBin, ...] = ()

    @property
    def skill(self) -> float | None:
        """Brier skill on the part of its recording after training; `None` where nothing was held out."""
        return self.scores.get("liquake.brier_skill")

    def check_version(self) -> None:
        """Raise `ModelRefused` unless this version reads the model."""
        if self.schema != SCHEMA:
            raise ModelRefused(self.name, f"its schema is {self.schema}, this version reads {SCHEMA}")
        if tuple(weight.name for weight in self.weights) != tuple(FEATURES):
            raise ModelRefused(self.name, "its features are not those of this version")

    def check(self, venues: Collection[str], throttles: Mapping[str, Throttle]) -> None:
        """Raise `ModelRefused` unless all that the model was fitted on are among `venues`, under `throttles` of today,
        and it was better on what it had not seen than always saying its base rate.

        Further venues are not for it: it forecasts what its own will publish.
        """
        self.check_version()
        if not set(self.throttles) <= set(venues):
            ours, theirs = ", ".join(sorted(venues)) or "nothing", ", ".join(sorted(self.throttles))
            raise ModelRefused(self.name, f"it was fitted on {theirs}, the feeds are {ours}")
        for venue, rule in self.throttles.items():
            now = throttles.get(venue, Throttle.NONE)
            if now is not rule:
                raise ModelRefused(
                    self.name, f"{venue} published under the rule {rule.value!r} in training, now {now.value!r}"
                )
        if self.skill is not None and not self.skill > 0.0:
            raise ModelRefused(
                self.name, f"its Brier skill on held-out data is {self.skill:+.3f}, no better than its base rate"
            )


class Forecast(msgspec.Struct, frozen=True):
    """The probability at one moment, and why."""

    probability: float
    base_rate: float
    horizon: float
    threshold: float
    """US dollars."""
    risk: float
    """0 to 100: percentile of this probability in its last 30 days."""
    intercept: float
    """Log-odds of an average moment of training, after recalibration."""
    contributions: dict[Component, float]
    """Log-odds that each component adds to `intercept`; together they make the probability."""
    expected_events: float
    """Hawkes forecast over the horizon."""
    expected_usd: float
    warm: float
    """0 to 1: share of the warm-up that has passed. Below 1 the slow sums do not have their level yet."""
    own_scale: float
    """0 to 1: how far threshold and event rate are of the stream's own last week, not the model's or given ones."""


def encode(model: Model) -> bytes:
    """The model as JSON."""
    return msgspec.json.format(msgspec.json.encode(model), indent=1)


def decode(data: bytes, name: str) -> Model:
    """The model in `data`; raises `ModelRefused` when it cannot be read as one."""
    try:
        return msgspec.json.decode(data, type=Model)
    except ValueError as error:
        raise ModelRefused(name, str(error)) from error


class Cascade:
    """The live probability of one stream. O(1) per event, plain floats; reading changes nothing.

    `venues` and `throttles` are those of the feeds it will get; `ModelRefused` when the model was fitted on others.
    `threshold` in dollars and `rate` in events per second (all venues, both sides) replace the model's where the stream
    is another (one market of all); day by day, over seven days, the stream's own take their place.
    The threshold is at least `floor_usd`, so that a dead hour has no cascades of a few thousand dollars.
    `sums` are those of the stream where several forecasts share them: then use `advance` and `count`, not `update`.

    Events may come late: the features are then exact, but a label already learnt is not unlearnt.
    """

    def __init__(
        self,
        model: Model,
        venues: Collection[str],
        throttles: Mapping[str, Throttle],
        threshold: float | None = None,
        rate: float | None = None,
        floor_usd: float = 0.0,
        sums: Sums | None = None,
    ) -> None:
        model.check(venues, throttles)
        self.model = model
        self._features = FeatureState(model.baseline, model.excitation, model.horizon, model.side, sums)
        baseline = model.baseline
        self._threshold = Threshold(
            threshold or baseline.threshold, rate or baseline.rate, model.horizon, model.quantile, floor_usd
        )
        self._rescale()
        self.calibration = Recalibration(model.calibration, model.horizon)
        self._risk = RiskScale(model.risk_knots, _RISK_PRIOR)
        self._pending: deque[tuple[float, float, float, float]] = deque()
        self._total = 0.0
        self._step: float | None = None
        self._started: float | None = None
        self.reset_reason = "start"

    def update(self, ts: int, source: Source, usd: float | None) -> None:
        """One published liquidation at `ts`, UTC nanoseconds."""
        self.advance(ts)
        seconds = ts * NANOSECOND
        self._features.update(seconds, source, usd)
        self.count(ts, 1, usd if usd and self.model.side in {None, source.side} else 0.0)

    def count(self, ts: int, events: int, usd: float) -> None:
        """Where `sums` are shared: `events` came in the second that ends at `ts`, and `usd` of the model's side.

        Call `advance` before the second's events are in the sums, and this after.
        """
        self._threshold.update(ts * NANOSECOND, usd, events)
        self._total += usd

    def mark(self, usd: float | None) -> float:
        """How strongly an order of `usd` dollars excites: for the sums."""
        return self._features.mark(usd)

    @property
    def sums(self) -> Sums:
        """What it reads, shared or its own."""
        return self._features.sums

    @property
    def threshold(self) -> float:
        """Dollars that make a cascade, today."""
        return self._threshold.usd

    def advance(self, now: int) -> None:
        """Let labels before `now` come in and be learnt from: call it at any event that tells the time.

        How often it is called changes nothing; a label costs as much as a read, and comes every ten seconds.
        """
        seconds, step = now * NANOSECOND, self.model.calibration.step
        if self._started is None:
            self._started, self._step = seconds, (seconds // step + 1.0) * step
            self._features.started = seconds
        # Strictly before: another event may still come at the very moment of a step.
        while self._step is not None and self._step < seconds:
            self._measure(self._step)
            self._label(self._step)
            self._step += step
        self._measure(seconds)

    def _measure(self, seconds: float) -> None:
        """Bring the threshold up to date, and by it the stream into the model's units."""
        own = self._threshold
        before = own.usd, own.rate
        own.advance(seconds)
        if before != (own.usd, own.rate):
            self._rescale()

    def _rescale(self) -> None:
        baseline, own = self.model.baseline, self._threshold
        self._features.scale = Scale(baseline.rate / own.rate, baseline.threshold / own.usd)

    def _label(self, at: float) -> None:
        """Learn from the forecasts whose horizon ended, then note the one of now. Warm-up is not learnt from."""
        pending = self._pending
        while pending and pending[0][0] + self.model.horizon <= at:
            said_at, said, total, threshold = pending.popleft()
            if said_at + self.model.horizon == at:
                self.calibration.learn(said, self._total - total >= threshold)
        if self._warm(at) >= 1.0:
            z = self._logit(self._standard(at))
            pending.append((at, z, self._total, self._threshold.usd))
            self._risk.update(z, self.model.calibration.step)

    def value(self, now: int) -> Forecast:
        """The probability at `now`, UTC nanoseconds, or at the last event where that is later."""
        at = now * NANOSECOND
        model, alpha, gamma = self.model, self.calibration.alpha, self.calibration.gamma
        standard = self._standard(at)
        parts = dict.fromkeys(Component, 0.0)
        for weight, value in zip(model.weights, standard, strict=True):
            parts[FEATURES[weight.name]] += gamma * weight.coefficient * value
        z = self._logit(standard)
        events, usd = self._features.expected(at)
        return Forecast(
            probability=sigmoid(alpha + gamma * z),
            base_rate=model.baseline.base_rate,
            horizon=model.horizon,
            threshold=self._threshold.usd,
            risk=self._risk.value(z),
            intercept=alpha + gamma * model.intercept,
            contributions=parts,
            expected_events=events,
            expected_usd=usd,
            warm=self._warm(at),
            own_scale=self._threshold.own,
        )

    def reset(self, reason: str) -> None:
        """Start again after a gap: what was not seen cannot excite. What was learnt of calibration stays."""
        self._features.reset()
        self._threshold.reset()
        self._pending.clear()
        self._total = 0.0
        self._step = self._started = None
        self.reset_reason = reason

    def _standard(self, at: float) -> list[float]:
        values = self._features.value(at)
        return [(value - weight.mean) / weight.scale for value, weight in zip(values, self.model.weights, strict=True)]

    def _logit(self, standard: list[float]) -> float:
        parts = zip(standard, self.model.weights, strict=True)
        return self.model.intercept + sum(value * weight.coefficient for value, weight in parts)

    def _warm(self, at: float) -> float:
        return 0.0 if self._started is None else min(1.0, (at - self._started) / WARM_UP)
