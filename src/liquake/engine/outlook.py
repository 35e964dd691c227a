"""What may come in one market: probabilities, signals and episodes by side."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import NamedTuple

import msgspec

from liquake.analytics.cascade import Cascade, Model
from liquake.analytics.episode import Episode, EpisodeTracker
from liquake.analytics.features import Sums
from liquake.analytics.signals import Digest, Level, Notification, Signal
from liquake.analytics.threshold import Threshold
from liquake.engine.snapshot import ALL, Risk
from liquake.errors import ModelRefused
from liquake.model import Side, Throttle
from liquake.model.tape import Source

HORIZONS = (60.0, 300.0)
"""Seconds. Signals and episodes go by the first."""
SHORTEST_WARM_UP = 60.0 / 3600.0
"""Share of the hour of warm-up before which no probability is given: the sums of a minute have their level."""
SHARES = {ALL: 1.0, "BTCUSDT": 0.4, "ETHUSDT": 0.3, "SOLUSDT": 0.1}
"""What part of all liquidated dollars a market is taken for until its own week is known."""
OTHER_SHARE = 0.05
PRIOR_USD = 1_000_000.0
"""Dollars of one side in a minute, over all markets, that are a cascade where no model says better."""
FLOOR_USD = 100_000.0
"""Never less than this over all markets: a hundred small orders in a dead hour are no cascade."""
_SECOND = 1_000_000_000

Shown = tuple[int, Source, float]
"""A published liquidation: time, source, dollars."""


class Choice(NamedTuple):
    """The model for one side and horizon, or why there is none."""

    model: Model | None
    refused: tuple[str, ...]
    """Why each model before it was not taken."""
    whole: bool = True
    """Whether the model looks at every feed there is; else at those it was fitted on."""

    @property
    def reason(self) -> str:
        """Why there is no model."""
        return "" if self.model else "; ".join(self.refused) or "no model has been fitted"


def choose(
    models: Iterable[Model], venues: Collection[str], throttles: Mapping[str, Throttle]
) -> dict[tuple[Side, float], Choice]:
    """The first of `models` for each side and horizon that was fitted on feeds such as these, or on some of them."""
    offered = tuple(models)
    chosen = {}
    for side in Side:
        for horizon in HORIZONS:
            fitting = [model for model in offered if (model.side, model.horizon) == (side, horizon)]
            chosen[side, horizon] = _first(fitting, venues, throttles)
    return chosen


def _first(models: Sequence[Model], venues: Collection[str], throttles: Mapping[str, Throttle]) -> Choice:
    reasons = []
    for model in models:
        try:
            model.check(venues, throttles)
        except ModelRefused as refused:
            reasons.append(f"{model.name}: {refused.why}")
        else:
            return Choice(model, tuple(reasons), set(model.throttles) == set(venues))
    return Choice(None, tuple(reasons))


class _Side:
    """One side of one market."""

    def __init__(
        self, market: str, side: Side, share: float, choices: Mapping[float, Choice], sums: list[Sums]
    ) -> None:
        self.market, self.side, self.choices = market, side, choices
        self.cascades = {
            horizon: Cascade(
                choice.model,
                choice.model.throttles,
                choice.model.throttles,
                threshold=choice.model.baseline.threshold * share,
                rate=choice.model.baseline.rate * share,
                floor_usd=FLOOR_USD * share,
                sums=held,
            )
            for (horizon, choice), held in zip(choices.items(), sums, strict=True)
            if choice.model is not None
        }
        # Without a model of every feed there are still episodes of all: what is one is a matter of dollars alone.
        self._threshold = Threshold(PRIOR_USD * share, share, HORIZONS[0], 0.995, FLOOR_USD * share)
        self.signal = Signal(market, side)
        self.episodes = EpisodeTracker(market, side, self.threshold, watermark=0.0)
        self.risks: tuple[Risk, ...] = ()

    @property
    def threshold(self) -> float:
        """Dollars within a minute, over every feed, that make a cascade today."""
        main = self._main()
        return self._threshold.usd if main is None else main.threshold

    def _main(self) -> Cascade | None:
        """The forecast that knows what a cascade over every feed is."""
        return self.cascades.get(HORIZONS[0]) if self.choices[HORIZONS[0]].whole else None

    def count(self, ts: int, events: Sequence[Shown]) -> None:
        """The second that ends at `ts` had `events`, of both sides."""
        for cascade in self.cascades.values():
            cascade.count(ts, *self._counted(_heard_by(cascade, events)))
        if self._main() is None:
            count, usd = self._counted(events)
            self._threshold.update(ts / _SECOND, usd, count)

    def _counted(self, events: Sequence[Shown]) -> tuple[int, float]:
        return len(events), sum(usd for _, source, usd in events if source.side is self.side)

    def reset(self, reason: str) -> None:
        """Start again, with the level of the week that is known."""
        self._threshold.reset()
        for cascade in self.cascades.values():
            cascade.reset(reason)

    def look(self, ts: int, burst_z: float, rank: float) -> list[Episode | Notification | Digest]:
        """Say what is to be said of `ts`; gives what changed."""
        told: list[Episode | Notification | Digest] = []
        risks = {horizon: self._risk(horizon, ts) for horizon in self.choices}
        probability = risks[HORIZONS[0]].probability
        self.episodes.threshold = self.threshold
        told += self.episodes.advance(ts, probability)
        said = self.signal.update(ts, probability, burst_z, self.running() is not None, rank)
        if said is not None:
            told.append(said)
        # The same for every horizon: a level and an episode are the side's.
        said_of_all = {
            "level": self.signal.level,
            "since": self.signal.since,
            "because": self.signal.because,
            "episode": self.running(),
        }
        self.risks = tuple(msgspec.structs.replace(risk, **said_of_all) for risk in risks.values())
        return told

    def running(self) -> Episode | None:
        """The episode that goes on."""
        episode = self.episodes.value()
        return episode if episode is not None and episode.end is None else None

    def _risk(self, horizon: float, ts: int) -> Risk:
        cascade, choice = self.cascades.get(horizon), self.choices[horizon]
        if cascade is None or choice.model is None:
            threshold = self.threshold if horizon == HORIZONS[0] else 0.0
            return Risk(self.market, self.side, horizon, ts, Level.NONE, None, threshold, choice.reason)
        said, model = cascade.value(ts), choice.model
        known = said.warm >= SHORTEST_WARM_UP
        return Risk(
            market=self.market,
            side=self.side,
            horizon=horizon,
            as_of=ts,
            level=Level.NONE,
            since=None,
            threshold=said.threshold,
            reason="" if known else f"warming up: {said.warm * 3600:.0f} of {SHORTEST_WARM_UP * 3600:.0f} s",
            provenance=model.provenance.note or f"fitted on {model.provenance.recording}",
            venues=() if choice.whole else tuple(sorted(model.throttles)),
            model=model.name,
            refused=choice.refused,
            probability=said.probability if known else None,
            base_rate=said.base_rate,
            score=said.risk if known else None,
            intercept=said.intercept if known else 0.0,
            contributions=said.contributions if known else {},
            expected_events=said.expected_events if known else None,
            expected_usd=said.expected_usd if known else None,
            warm=said.warm,
            own_scale=said.own_scale,
        )


class Outlook:
    """Both sides of one market. Seconds come in order: `close` with what happened in each that had events.

    What is said stands until the next `look`, so that reading it costs nothing and changes nothing.
    """

    def __init__(self, market: str, choices: Mapping[tuple[Side, float], Choice]) -> None:
        self.market = market
        self.active = -(1 << 62)
        """The last second with an event."""
        share = SHARES.get(market, OTHER_SHARE)
        self._sums: dict[object, tuple[Sums, Cascade]] = {}
        shared: dict[object, Sums] = {}
        self._sides = []
        for side in Side:
            own = {horizon: choice for (of, horizon), choice in choices.items() if of is side}
            sums = [shared.setdefault(key, made) for key, made in (_sums_for(choice) for choice in own.values())]
            self._sides.append(_Side(market, side, share, own, sums))
        for each in self._sides:
            for cascade in each.cascades.values():
                self._sums.setdefault(id(cascade.sums), (cascade.sums, cascade))

    def liquidation(self, ts: int, source: Source, usd: float) -> list[Episode]:
        """One in order of time; gives the episodes it opened or closed."""
        return self._sides[source.side is Side.SHORT].episodes.update(ts, source.venue, usd)

    def close(self, second: int, events: Sequence[Shown]) -> None:
        """The `second` (its end, in UTC seconds) is over, and had `events`."""
        ts, seconds = second * _SECOND, float(second)
        self.active = second
        cascades = [cascade for side in self._sides for cascade in side.cascades.values()]
        for cascade in cascades:
            cascade.advance(ts)
        for sums, cascade in self._sums.values():
            sums.pass_to(seconds)
            for time, source, usd in _heard_by(cascade, events):
                sums.update(time / _SECOND, source, usd, cascade.mark(usd or None))
        for side in self._sides:
            side.count(ts, events)

    def look(self, ts: int, burst_z: float, rank: float) -> list[Episode | Notification | Digest]:
        """Let time pass to `ts`, UTC nanoseconds, and say what is to be said; gives what changed.

        A burst is of the side that most was liquidated of in the last minute; `rank` is of the stress.
        """
        told: list[Episode | Notification | Digest] = []
        for side in self._sides:
            for cascade in side.cascades.values():
                cascade.advance(ts)
        long, short = self._sides
        louder = long if long.episodes.minute >= short.episodes.minute else short
        for side in self._sides:
            told += side.look(ts, burst_z if side is louder else 0.0, rank)
        return told

    def reset(self, reason: str) -> None:
        """After a pause: what was not seen can excite nothing."""
        for side in self._sides:
            side.reset(reason)

    def value(self) -> list[Risk]:
        """Every side and horizon as of the last look, with the level and the episode of its side."""
        return [risk for side in self._sides for risk in side.risks]

    def running(self) -> list[Episode]:
        """The episodes that go on."""
        return [episode for side in self._sides if (episode := side.running()) is not None]


def _heard_by(cascade: Cascade, events: Sequence[Shown]) -> Sequence[Shown]:
    """Those of the venues that `cascade` was fitted on."""
    venues = cascade.model.throttles
    return [event for event in events if event[1].venue in venues]


def _sums_for(choice: Choice) -> tuple[object, Sums]:
    """Sums that models of the same process share, and what tells them from others."""
    if choice.model is None:
        return None, Sums((), ())
    hawkes = choice.model.excitation.hawkes
    mean = choice.model.baseline.mean_usd
    return (hawkes.sources, hawkes.decays, hawkes.productivity, mean), Sums(hawkes.sources, hawkes.decays)
