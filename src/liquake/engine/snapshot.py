"""What a reader of the engine gets: frozen, complete, and of one moment.

Rates are per second, windows and ages in seconds, amounts in coins of the market's asset, `usd` in dollars.
Times are UTC nanoseconds.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from liquake.analytics.dependence import Correlation
from liquake.analytics.episode import Episode
from liquake.analytics.features import Component
from liquake.analytics.hawkes import Branching
from liquake.analytics.hawkes import Cell as Influence
from liquake.analytics.kinematics import KINEMATIC_WINDOWS, Derivative, Motion
from liquake.analytics.latency import Quantiles
from liquake.analytics.peaks import Peak
from liquake.analytics.regime import Regime, RegimeState
from liquake.analytics.scan import QUIET, Burst
from liquake.analytics.signals import Digest, Level, Notification
from liquake.analytics.significance import Significance, Status
from liquake.analytics.standing import Ranks
from liquake.analytics.totals import TOTAL_WINDOWS, Sum
from liquake.analytics.volatility import Trend
from liquake.model import Coverage, CoverageKind, FeedState, Liquidation, Side

__all__ = [
    "ALL",
    "COVERED_MARKETS",
    "KINEMATIC_WINDOWS",
    "NUMBERS",
    "QUIET",
    "TOTAL_WINDOWS",
    "Activity",
    "Branching",
    "Burst",
    "Cell",
    "Charts",
    "Component",
    "ConnectionState",
    "Correlation",
    "Dependence",
    "Derivative",
    "Digest",
    "Episode",
    "FeedCoverage",
    "FeedRecord",
    "Influence",
    "Latest",
    "Level",
    "MarketCoverage",
    "MarketPrice",
    "Moment",
    "Motion",
    "Notification",
    "Outage",
    "Peak",
    "Quantiles",
    "Ranks",
    "Regime",
    "RegimeState",
    "Risk",
    "Series",
    "Significance",
    "Snapshot",
    "Statistics",
    "Status",
    "Sum",
    "Trend",
    "Understatement",
    "VenueState",
    "WindowKinematics",
    "little",
]

ALL = "ALL"
"""In place of a market's name: every market together."""


class WindowKinematics(msgspec.Struct, frozen=True, gc=False):
    """One row of the velocity panel: what happened in the last `window` seconds before `Snapshot.as_of`."""

    window: float
    events: int
    """Exactly counted; an event of age exactly `window` is out."""
    usd: float
    counts: Motion
    """Of the number of events."""
    dollars: Motion
    """Of the dollars."""
    significance: Significance = Significance(0.0, 0.0, 0.0)
    """Of velocity, acceleration and jerk against chance, by exact tests: 0 where there is nothing to tell."""
    ranks: Ranks | None = None
    """Of the same in the market's own week; `None` while its history is short, or where none is kept."""
    status: Status | None = None
    """`None` while what is usual has not been seen for long enough to be compared with: a run that begins in a cascade
    would call it STABLE."""

    @property
    def trusted(self) -> bool:
        """Whether enough events are expected in the window (five) for its derivatives to mean anything."""
        return trusted(self.counts.velocity.value, self.window)


def trusted(velocity: float, window: float) -> bool:
    """Whether enough events are expected in the `window` (seconds) at `velocity` for derivatives to mean anything."""
    return velocity * window >= 5.0


class Cell(msgspec.Struct, frozen=True, gc=False):
    """Sums of one venue, side and market (or `ALL`, where `amount` has no meaning and is 0) by window name."""

    venue: str
    side: Side
    market: str
    sums: Mapping[str, Sum]
    watched: Sum = Sum()
    """What of it happened since `Snapshot.started`: venues repeat on connecting what is older."""


class Activity(msgspec.Struct, frozen=True, gc=False):
    """What one venue last did in one market."""

    venue: str
    market: str
    last: Liquidation
    age: float
    """Seconds since `last` happened."""
    hour: Sum
    """The last hour, both sides."""
    hour_long: Sum
    hour_short: Sum

    @property
    def state(self) -> str:
        """LIVE under 5 s, ACT under 60 s, idle under an hour, else old."""
        for limit, name in ((5.0, "LIVE"), (60.0, "ACT"), (3600.0, "idle")):
            if self.age < limit:
                return name
        return "old"


class MarketPrice(msgspec.Struct, frozen=True):
    """The latest price of a market and where it comes from."""

    market: str
    price: float
    venue: str
    ts_event: int
    ts_recv: int


class ConnectionState(msgspec.Struct, frozen=True):
    """One socket of a venue."""

    name: str
    state: FeedState
    since: int
    reason: str = ""


class Outage(msgspec.Struct, frozen=True):
    """From `start` to `end` (UTC nanoseconds, our clock) events of a venue may be missing. It is not a quiet time."""

    start: int
    end: int
    cause: str
    recovered: bool = False
    """Whether the venue's history has told since what happened in it."""


class FeedCoverage(msgspec.Struct, frozen=True):
    """What a venue's feed promised of a session, and how it kept that."""

    promise: Coverage
    state: CoverageKind
    """At the end: what was promised, or DARK."""
    share: float
    """Of the session's time in which it was heard, 0 to 1."""
    gaps: tuple[Outage, ...] = ()
    """The latest, the newest last; those refilled too."""

    @property
    def missing(self) -> bool:
        """Whether a gap stayed."""
        return any(not gap.recovered for gap in self.gaps)


class VenueState(msgspec.Struct, frozen=True):
    """Everything known of a venue's feed."""

    venue: str
    coverage: Coverage
    connections: tuple[ConnectionState, ...]
    events: int
    """Liquidations counted, duplicates and samples left out."""
    sampled: int
    """Liquidations of a SAMPLE feed: shown, never in totals unless asked for."""
    duplicates: int
    """Received again and dropped."""
    errors: int
    """Frames or events that could not be read."""
    last_error: str
    rejected: tuple[str, ...]
    """Subscriptions the venue refused, by name, with its reason."""
    reconnects: int
    gaps: int
    gap_seconds: float
    last_recv: int | None
    """Our clock at the last event of any kind, prices included: the proof of life."""
    last_price_recv: int | None
    last_liquidation: int | None
    """Event time of the last one."""
    latency: Quantiles
    """Event time to our receipt, liquidations only: contains the venue's own batching and the clocks' difference."""
    outages: tuple[Outage, ...] = ()
    """The latest of `gaps`, the newest last; those refilled since are not in it."""
    covered: Mapping[str, float] = {}
    """The share of each of `TOTAL_WINDOWS` in which it was heard, 0 to 1; a window longer than the run counts whole."""

    @property
    def kind(self) -> CoverageKind:
        """How much its feed shows now: DARK, or what it promises."""
        return CoverageKind.DARK if self.state is FeedState.DARK else self.coverage.kind

    @property
    def state(self) -> FeedState:
        """The worst state among the connections; CONNECTING before the first."""
        return max((c.state for c in self.connections), key=_SEVERITY.__getitem__, default=FeedState.CONNECTING)


_SEVERITY = {
    state: rank
    for rank, state in enumerate(
        (
            FeedState.SUBSCRIBED,
            FeedState.RESUMED,
            FeedState.CLOSING,
            FeedState.CONNECTED,
            FeedState.REJECTED,
            FeedState.CONNECTING,
            FeedState.STALE,
            FeedState.DISCONNECTED,
            FeedState.DARK,
        )
    )
}


_LITTLE = (CoverageKind.COMPLETE, CoverageKind.SAMPLE, CoverageKind.THROTTLED, CoverageKind.DELAYED, CoverageKind.DARK)


def little(kind: CoverageKind) -> int:
    """How little a feed shows: 0 for all. A sample counts in a sum only where that was asked for."""
    return _LITTLE.index(kind)


class MarketCoverage(msgspec.Struct, frozen=True):
    """How much a venue's feed shows of one market, or what all of them together do."""

    kind: CoverageKind
    """What is promised, or DARK where nothing of it comes. Of all venues the one that shows least."""
    covered: Mapping[str, float]
    """The share of each of `TOTAL_WINDOWS` in which it was heard, all venues at once: 0 to 1. A window longer than the
    run counts whole; the time before the venue listed the market counts in none. What a DELAYED venue has not said yet is
    missing from its own row, and not from that of all: it would leave nothing there of the others."""
    lost: Mapping[str, float]
    """Seconds of each window in which this run went on and something may be missing; not those in which it began."""
    lower_bound: bool
    """Whether the feed withholds some by its rule, whatever was heard of it."""
    refused: bool = False
    """Whether the venue refused contracts of it."""
    since: int | None = None
    """When the venue's list first had it, UTC nanoseconds; `None` where it always had."""

    def at_least(self, window: str) -> bool:
        """Whether a sum over `window` is only a lower bound."""
        return self.lower_bound or self.refused or self.lost.get(window, 0.0) > 0.0


class Dependence(msgspec.Struct, frozen=True):
    """How venues move together, over all markets."""

    venues: tuple[str, ...]
    short: tuple[Correlation, ...]
    """Every pair of venues once, with a memory of 60 s: for colour."""
    long: tuple[Correlation, ...]
    """The same with 300 s: to decide by."""
    branching: Branching | None = None
    """Who excites whom; `None` until it has been fitted."""


class Understatement(msgspec.Struct, frozen=True):
    """What a throttled venue showed of a market in the last hour, and between what and what it must have had: for display.

    In 19 of 20 cases, if its orders crowd in seconds as those of the complete venues do.
    """

    venue: str
    market: str
    events: int
    usd: float
    events_at_least: float
    usd_at_least: float
    saturated: bool
    """Whether for some of the hour every interval was taken: the truth may be many times more."""
    events_at_most: float | None = None
    usd_at_most: float | None = None
    """`None` where nothing tells: no complete venue is heard, or the venue itself was not for part of the hour; of dollars
    also where the size of some is not known."""


class Risk(msgspec.Struct, frozen=True):
    """How likely a cascade is in one market and side within `horizon` seconds, as of `as_of`."""

    market: str
    side: Side
    """Which positions would be liquidated."""
    horizon: float
    as_of: int
    level: Level
    """Of the market and side, the same for every horizon."""
    since: int | None
    """When the level left NONE, UTC nanoseconds."""
    threshold: float
    """Dollars within the horizon that make a cascade."""
    reason: str
    """Why there is no probability; empty where there is one."""
    because: str = ""
    """What last raised the level: "two reads", "burst" or "episode"; empty at NONE."""
    provenance: str = ""
    """What the model was fitted on: a trader must know whose experience speaks."""
    venues: tuple[str, ...] = ()
    """Those whose cascade the probability and `threshold` are of, where the model does not know every feed there is."""
    model: str = ""
    refused: tuple[str, ...] = ()
    """Models that would have been preferred, each with the reason why it does not speak here."""
    probability: float | None = None
    base_rate: float | None = None
    """How often a cascade followed over all of training."""
    score: float | None = None
    """0 to 100: percentile of this probability in its last 30 days."""
    intercept: float = 0.0
    contributions: Mapping[Component, float] = msgspec.field(default_factory=dict)
    """Log-odds by component: with `intercept` they add up to the probability's."""
    expected_events: float | None = None
    expected_usd: float | None = None
    warm: float = 0.0
    """0 to 1: below 1 the slow rates do not have their level yet, and the probability errs on the low side."""
    own_scale: float = 0.0
    """0 to 1: how far threshold and rates are of the market's own week."""
    episode: Episode | None = None
    """The cascade that goes on."""

    @property
    def warming(self) -> str:
        """What to print beside a probability whose slow rates have not got their level; empty once they have."""
        return "" if self.warm >= 1.0 else f"warming up {self.warm * 60:.0f} of 60 min"


class Series(msgspec.Struct, frozen=True):
    """What happened in one market in buckets of `step` seconds of event time, the oldest first.

    A bucket holds what came after the end of the one before, up to and with its own; the last may still be filling.
    """

    step: float
    end: int
    """Of the last bucket, UTC nanoseconds."""
    long_events: tuple[int, ...]
    short_events: tuple[int, ...]
    long_usd: tuple[float, ...]
    """Dollars; events of unknown size add none."""
    short_usd: tuple[float, ...]
    usd_squares: tuple[float, ...]
    """Sum of the squared dollars of both sides: what the standard error of their rate is made of."""


class Charts(msgspec.Struct, frozen=True):
    """The last five minutes of one market, or of `ALL`, in seconds, and the last four hours in minutes."""

    seconds: Series
    minutes: Series
    prices: tuple[float | None, ...] = ()
    """The last of each of `seconds` in dollars per coin, `None` where none came; empty for a market without prices."""


class Snapshot(msgspec.Struct, frozen=True):
    """The engine at one moment. Taking one changes nothing: two of the same moment are equal."""

    now: int
    as_of: int
    """What the kinematics describe: `now` less the watermark, so that prints still under way are in."""
    started: int | None
    """Engine time of the first event of any kind."""
    events: int
    """Liquidations counted since the start."""
    throughput: float
    """Events of every kind per second over the last 10 s."""
    markets: tuple[str, ...]
    """Markets with at least one liquidation or price, the largest by dollars first."""
    kinematics: Mapping[str, tuple[WindowKinematics, ...]]
    """By market, `ALL` included: one row per `KINEMATIC_WINDOWS`."""
    cells: tuple[Cell, ...]
    """Per venue and side for `ALL`, and for each market asked for."""
    activity: tuple[Activity, ...]
    """Per venue and market, the most recent first."""
    tape: tuple[Liquidation, ...]
    """The latest liquidations in order of arrival, the newest last."""
    largest: tuple[Liquidation, ...]
    """The largest by dollars of the last hour, the largest first."""
    prices: Mapping[str, MarketPrice]
    venues: tuple[VenueState, ...]
    latency: Quantiles
    """Event time to our receipt over all venues."""
    bursts: Mapping[str, Burst] = msgspec.field(default_factory=dict)
    """By market, as `kinematics`: the most surprising window of any length that ends now."""
    large_usd: Mapping[str, float] = msgspec.field(default_factory=dict)
    """By market, as `kinematics`: dollars that all but one in a thousand of its own liquidations stay under. Of markets
    with too few for that, none."""
    regime: RegimeState | None = None
    """As of the last second looked at; `None` before the first."""
    dependence: Dependence | None = None
    understatements: tuple[Understatement, ...] = ()
    """Of throttled venues, for `ALL` and each watched market: in no sum."""
    risks: tuple[Risk, ...] = ()
    """Of every watched market, side and horizon."""
    episodes: tuple[Episode, ...] = ()
    """The latest cascades, those that go on first, then the latest to end."""
    notices: tuple[Notification | Digest, ...] = ()
    """Of the signals, the newest last. Each is there once, however often a snapshot is taken."""
    arrived: int = 0
    """Liquidations that have been on the tape since the start, samples too: what `tape` no longer holds is the rest."""
    trades: Mapping[str, float] = {}
    """Trades per second over the last 10 s by market, where a venue's feed carries trades."""
    charts: Mapping[str, Charts] = {}
    """By market, `ALL` included, for those asked for."""
    coverage: Mapping[str, Mapping[str, MarketCoverage]] = {}
    """By market (`ALL`, and each that was asked for, the `COVERED_MARKETS` largest where all were) and by venue: `ALL` for
    those together that count in sums, and each that lists the market."""


def _of_motion(prefix: str) -> tuple[str, ...]:
    parts = ("", "_error", "_significance")
    return tuple(f"{prefix}{name}{part}" for name in ("velocity", "acceleration", "jerk") for part in parts)


NUMBERS = ("events", "usd", "trusted", *_of_motion(""), *_of_motion("usd_"))
"""What `Moment.motion` holds of a window: counts and dollars, whether derivatives are `trusted` (1 or 0), and of events
and of dollars each derivative, its standard error, and how many of those it is from zero."""


class Moment(msgspec.Struct, frozen=True):
    """What a snapshot of the same moment says of the motion of some markets, or of every one, and of risk, and nothing that
    takes longer.

    For whoever needs it many times a second. Each field is as of `Snapshot`, and so is each number.
    """

    now: int
    as_of: int
    markets: tuple[str, ...]
    """All there are, whichever were asked for."""
    motion: Mapping[str, Sequence[int | float]]
    """By market, `ALL` included: for each of `KINEMATIC_WINDOWS` in turn the `NUMBERS`."""
    venues: tuple[VenueState, ...]
    coverage: Mapping[str, Mapping[str, MarketCoverage]] = {}
    risks: tuple[Risk, ...] = ()
    regime: RegimeState | None = None
    notices: tuple[Notification | Digest, ...] = ()


COVERED_MARKETS = 40
"""The largest markets, where all are asked for."""


class Latest(msgspec.Struct, frozen=True):
    """What is on the tape, for a reader who looks more often than whole snapshots are worth."""

    tape: tuple[Liquidation, ...]
    """The newest last."""
    arrived: int
    """How many have been on it since the start."""


class FeedRecord(msgspec.Struct, frozen=True):
    """One line of a feed's history: when (our clock), which connection, what became of it."""

    ts: int
    venue: str
    connection: str
    what: str


class Statistics(msgspec.Struct, frozen=True):
    """A whole session or recording: the same for the same events, however often it was looked at."""

    first: int | None
    last: int | None
    total: Sum
    by_side: Mapping[str, Sum]
    """`amount` is 0 wherever several markets are added: coins of different assets do not add up."""
    by_venue: Mapping[str, Mapping[str, Sum]]
    """Venue, then side."""
    by_market: Mapping[str, Mapping[str, Sum]]
    """Market, then side."""
    by_venue_market: Mapping[str, Mapping[str, Mapping[str, Sum]]]
    """Venue, market, side."""
    peaks: tuple[Peak, ...]
    largest: tuple[Liquidation, ...]
    latency: Quantiles
    latency_by_venue: Mapping[str, Quantiles]
    sampled: Mapping[str, Sum]
    """What SAMPLE feeds showed, by venue: in none of the sums above."""
    duplicates: int
    errors: int
    feeds: tuple[FeedRecord, ...]
    """The latest 200 lines of feed history."""
    state_hash: str
    coverage: Mapping[str, FeedCoverage] = {}
    """By venue, of those that were heard or tried."""
    markets: Mapping[str, Mapping[str, MarketCoverage]] = {}
    """The same by market and venue, as in a snapshot, of `ALL` and of each market in the sums."""
    span: tuple[int, int] | None = None
    """From the first event of any kind to the newest, as received (UTC nanoseconds): what was watched. `first` may be
    long before, since venues repeat on connecting what is older."""
    understatements: tuple[Understatement, ...] = ()
    """Of throttled venues in the last hour of it, as in a snapshot."""
