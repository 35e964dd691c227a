"""What the rules look at: the few numbers of a Snapshot that can raise an alert."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from operator import attrgetter

import msgspec

from liquake.engine.snapshot import ALL, Episode, Snapshot, VenueState, WindowKinematics
from liquake.engine.snapshot import Risk as Forecast
from liquake.model import CoverageKind, FeedState, Liquidation, Side
from liquake.model.alert import Level

_DOWN = (FeedState.DISCONNECTED, FeedState.STALE, FeedState.DARK)


class Speed(msgspec.Struct, frozen=True):
    """How one market moves over one window, events per second (and per second squared and cubed)."""

    window: float
    velocity: float
    velocity_z: float
    """Exact significance against the market's own recent rate."""
    jerk: float
    jerk_z: float
    """Exact conditional significance over three adjacent windows; 0 where a feed was away in one of them."""
    rank: float | None
    """Of the velocity in the market's own week, 0 to 1; `None` while that is too short."""


class Risk(msgspec.Struct, frozen=True):
    """The signal of one market and side. Confirmation and hysteresis are the signal's own."""

    market: str
    side: Side
    level: Level
    probability: float | None
    base_rate: float | None
    horizon: float
    """Seconds."""
    threshold_usd: float
    because: str
    """What holds it up: "two reads", "burst" or "episode"."""
    reason: str = ""
    """Why there is no probability, where there is none."""


class RegimeReading(msgspec.Struct, frozen=True):
    """How tense the market is."""

    name: str
    """CALM to EXTREME."""
    rank: float
    """Of the stress in the market's own week, 0 to 1."""
    driver: str
    """The component of stress that is highest."""


class Feed(msgspec.Struct, frozen=True):
    """One venue's feed."""

    venue: str
    state: FeedState
    since: int
    """UTC nanoseconds, our clock."""
    gaps: int
    gap_seconds: float
    lower_bound: bool
    counted: bool
    """Whether it is part of the totals; a sample is not."""
    reason: str = ""
    """For `state`, where one was given."""

    @property
    def down(self) -> bool:
        """Whether nothing can be read from it now."""
        return self.state in _DOWN


class Situation(msgspec.Struct, frozen=True, kw_only=True):
    """One moment. Take them on a fixed grid of engine time, once a second, never at a screen's refresh: two in a row
    are what a rule confirms on."""

    now: int
    """UTC nanoseconds."""
    speeds: Mapping[str, tuple[Speed, ...]] = {}
    """By market."""
    risks: tuple[Risk, ...] = ()
    regime: RegimeReading | None = None
    feeds: tuple[Feed, ...] = ()
    recent: tuple[Liquidation, ...] = ()
    """The latest and the largest liquidations, in any order."""
    large_usd: Mapping[str, float] = {}
    """By market, the dollars that all but one in a thousand of its own liquidations stay under."""
    episodes: tuple[Episode, ...] = ()


def situation_of(snapshot: Snapshot) -> Situation:
    """What of `snapshot` can raise an alert. Of a market and side's forecasts the nearest speaks: it has been scored."""
    regime = snapshot.regime
    heard = (snapshot.as_of - _whole_since(snapshot)) / 1e9
    return Situation(
        now=snapshot.now,
        # Of the markets alone: the rate of all together tells of the same burst a second time.
        speeds={market: tuple(_speeds(rows, heard)) for market, rows in snapshot.kinematics.items() if market != ALL},
        risks=tuple(nearest(snapshot.risks)),
        regime=None
        if regime is None or regime.level is None
        else RegimeReading(regime.level.name, regime.rank, regime.driver),
        feeds=tuple(map(_feed, snapshot.venues)),
        recent=snapshot.largest + snapshot.tape,
        large_usd=snapshot.large_usd,
        episodes=snapshot.episodes,
    )


def _whole_since(snapshot: Snapshot) -> int:
    """Since when nobody who counts has been away, UTC nanoseconds: what lies before would look quieter than it was."""
    since = snapshot.started or snapshot.now
    for venue in snapshot.venues:
        if venue.events or venue.coverage.kind is not CoverageKind.SAMPLE:
            since = max([since, *(outage.end for outage in venue.outages)])
    return since


def _speeds(rows: Iterable[WindowKinematics], heard: float) -> Iterator[Speed]:
    """Of rates; what three windows side by side say, where all of them lie within the `heard` seconds."""
    for row in rows:
        found, ranks = row.significance, row.ranks
        if found is not None:
            rank = None if ranks is None else ranks.velocity
            counts = row.counts
            jerk_z = found.jerk if 3.0 * row.window <= heard else 0.0
            yield Speed(row.window, counts.velocity.value, found.velocity, counts.jerk.value, jerk_z, rank)


def nearest(risks: Sequence[Forecast]) -> Iterator[Risk]:
    """Of each market and side the forecast with the shortest horizon: the others share its level."""
    shortest = min((risk.horizon for risk in risks), default=0.0)
    for risk in risks:
        if risk.horizon == shortest:
            yield Risk(
                risk.market,
                risk.side,
                risk.level,
                risk.probability,
                risk.base_rate,
                risk.horizon,
                risk.threshold,
                risk.because,
                risk.reason,
            )


def _feed(venue: VenueState) -> Feed:
    state = venue.state
    worst = min((one for one in venue.connections if one.state is state), key=attrgetter("since"), default=None)
    since, reason = (0, "") if worst is None else (worst.since, worst.reason)
    coverage = venue.coverage
    counted = coverage.kind is not CoverageKind.SAMPLE
    return Feed(venue.venue, state, since, venue.gaps, venue.gap_seconds, coverage.lower_bound, counted, reason)


def coverage_of(situation: Situation) -> str:
    """Which venues stand behind the numbers now, and what they leave out."""
    counted = [feed for feed in situation.feeds if feed.counted]
    heard = [f">= {feed.venue}" if feed.lower_bound else feed.venue for feed in counted if not feed.down]
    down = [f"{feed.venue} {feed.state.lower()}" for feed in counted if feed.down]
    return "; ".join(part for part in (", ".join(heard) or "no venue", ", ".join(down)) if part)
