"""Moments to draw, made by hand: a rich one that holds every case a panel must tell apart, and an empty one."""

from __future__ import annotations

from datetime import UTC, date, datetime

from liquake.alerts.actions import action_table
from liquake.engine.snapshot import (
    ALL,
    Activity,
    Cell,
    Component,
    ConnectionState,
    Correlation,
    Dependence,
    Derivative,
    Digest,
    Episode,
    FeedRecord,
    Level,
    MarketPrice,
    Motion,
    Notification,
    Outage,
    Peak,
    Quantiles,
    Regime,
    RegimeState,
    Risk,
    Snapshot,
    Statistics,
    Status,
    Sum,
    Trend,
    VenueState,
    WindowKinematics,
)
from liquake.model import Coverage, CoverageKind, FeedState, Liquidation, PriceBasis, Side, Throttle
from liquake.model.alert import Action, Alert, AlertRule, TrackRecord
from liquake.tui.status import JournalStatus, Mode
from liquake.tui.status import Status as Session

SECOND = 1_000_000_000
NOW = int(datetime(2026, 11, 20, 14, 3, 27, tzinfo=UTC).timestamp()) * SECOND
LONG, SHORT = Side.LONG, Side.SHORT

COVERAGES = {
    "binance": Coverage(
        CoverageKind.THROTTLED,
        "At most one order per symbol and second, the largest: sums are a floor.",
        date(2026, 4, 14),
        Throttle.LARGEST,
        1.0,
    ),
    "bybit": Coverage(CoverageKind.COMPLETE, "Every liquidation, in batches of half a second.", date(2025, 2, 20)),
    "okx": Coverage(CoverageKind.THROTTLED, "About one order per contract and second.", None, Throttle.LATEST, 1.0),
    "hyperliquid": Coverage(
        CoverageKind.SAMPLE, "Only fills against a few watched addresses; there is no public feed."
    ),
}


def ago(seconds: float) -> int:
    """That many seconds before the moment, UTC nanoseconds."""
    return NOW - round(seconds * SECOND)


def liquidation(
    venue: str,
    asset: str,
    side: Side,
    price: float,
    amount: float | None,
    age: float,
    basis: PriceBasis = PriceBasis.FILL,
) -> Liquidation:
    """One that happened `age` seconds before the moment; of unknown size where `amount` is `None`."""
    usd = None if amount is None else amount * price
    when = ago(age)
    return Liquidation(
        venue,
        f"{asset}USDT",
        asset,
        side,
        price,
        basis,
        amount,
        usd,
        when,
        when + 40_000_000,
        amount,
    )


BANKRUPTCY, ENTRY = PriceBasis.BANKRUPTCY, PriceBasis.ENTRY
TAPE = (
    liquidation("okx", "BTC", SHORT, 67_010.5, 0.21, 3480.0, BANKRUPTCY),
    liquidation("bybit", "PEPE", LONG, 0.0000123, 1_310_000_000.0, 210.0, BANKRUPTCY),
    liquidation("binance", "SOL", LONG, 171.32, 96.0, 61.0),
    liquidation("bybit", "ETH", LONG, 3_412.75, 1.25, 44.0, BANKRUPTCY),
    liquidation("okx", "DOGE", LONG, 0.1612, None, 31.0, BANKRUPTCY),
    liquidation("hyperliquid", "BTC", LONG, 66_900.0, 0.4, 22.0),
    liquidation("binance", "ETH", LONG, 3_409.1, 330.0, 12.4),
    liquidation("bybit", "BTC", LONG, 66_870.0, 0.012, 6.3, BANKRUPTCY),
    liquidation("bybit", "BTC", LONG, 66_861.5, 1.904, 2.1, BANKRUPTCY),
    liquidation("binance", "BTC", LONG, 66_842.9, 18.55, 0.4),
)


def _motion(velocity: float, acceleration: float, jerk: float, window: float, unit: float = 1.0) -> Motion:
    """With the standard errors of a Poisson stream of that velocity."""
    rate = velocity / unit
    errors = [unit * (rate * binomial / window ** (2 * k + 1)) ** 0.5 for k, binomial in enumerate((1, 2, 6))]
    return Motion(Derivative(velocity, errors[0]), Derivative(acceleration, errors[1]), Derivative(jerk, errors[2]))


def _window(
    window: float,
    events: int,
    usd: float,
    velocity: float,
    acceleration: float,
    jerk: float,
    status: Status = Status.STABLE,
) -> WindowKinematics:
    size = usd / events if events else 0.0
    return WindowKinematics(
        window,
        events,
        usd,
        _motion(velocity, acceleration, jerk, window),
        _motion(velocity * size, acceleration * size, jerk * size, window, size or 1.0),
        status=status,
    )


KINEMATICS = (
    _window(0.1, 1, 1_239_935.8, 9.4, 31.0, -410.0),
    _window(0.5, 4, 1_371_000.0, 8.1, 21.4, 18.2, Status.NORMAL),
    _window(2.0, 19, 2_530_000.0, 9.7, 7.3, 2.4, Status.ACTIVE),
    _window(10.0, 61, 4_121_000.0, 6.3, 0.84, 0.071, Status.RAPID),
    _window(60.0, 212, 9_310_000.0, 3.4, 0.041, -0.00021, Status.EXPLOSIVE),
)
BTC = (
    _window(0.1, 0, 0.0, 0.0, 0.0, 0.0),
    _window(0.5, 1, 1_239_935.8, 1.9, 7.1, -3.3),
    _window(2.0, 3, 1_367_000.0, 1.6, 1.2, 0.4),
    _window(10.0, 26, 1_910_000.0, 2.7, 0.33, 0.031),
    _window(60.0, 88, 3_804_000.0, 1.5, 0.022, 0.0001),
)
QUIET = tuple(_window(window, 0, 0.0, 0.0, 0.0, 0.0) for window in (0.1, 0.5, 2.0, 10.0, 60.0))


def _activity(last: Liquidation, age: float, long: Sum, short: Sum) -> Activity:
    return Activity(last.venue, f"{last.asset}USDT", last, age, long + short, long, short)


ACTIVITY = (
    _activity(TAPE[9], 0.4, Sum(812, 512.4, 34_210_000.0), Sum(201, 88.1, 5_880_000.0)),
    _activity(TAPE[8], 2.1, Sum(431, 204.2, 13_660_000.0), Sum(96, 30.5, 2_035_000.0)),
    _activity(TAPE[6], 12.4, Sum(377, 3_911.0, 13_340_000.0), Sum(80, 610.0, 2_080_000.0)),
    _activity(TAPE[5], 22.0, Sum(3, 0.9, 60_300.0), Sum()),
    _activity(TAPE[4], 31.0, Sum(2, 0.0, 0.0, 2), Sum()),
    _activity(TAPE[3], 44.0, Sum(188, 950.2, 3_242_000.0), Sum(41, 205.0, 699_000.0)),
    _activity(TAPE[2], 61.0, Sum(90, 20_100.0, 3_440_000.0, 1), Sum(31, 4_020.0, 688_000.0)),
    _activity(TAPE[1], 210.0, Sum(12, 9.9e9, 121_700.0), Sum(1, 1.1e8, 1_350.0)),
    _activity(TAPE[0], 3480.0, Sum(), Sum(7, 1.9, 127_300.0)),
)


def feed(
    venue: str,
    state: FeedState = FeedState.SUBSCRIBED,
    *,
    since: float = 754.0,
    heartbeat: float | None = 0.4,
    reason: str = "",
    events: int = 0,
    sampled: int = 0,
    duplicates: int = 0,
    errors: int = 0,
    last_error: str = "",
    gaps: int = 0,
    gap_seconds: float = 0.0,
    reconnects: int = 0,
    latency: Quantiles | None = None,
    outages: tuple[Outage, ...] = (),
) -> VenueState:
    """A venue with one connection, in `state` for `since` seconds, last heard `heartbeat` seconds ago."""
    last = None if heartbeat is None else ago(heartbeat)
    return VenueState(
        venue,
        COVERAGES[venue],
        (ConnectionState("main", state, ago(since), reason),),
        events,
        sampled,
        duplicates,
        errors,
        last_error,
        (),
        reconnects,
        gaps,
        gap_seconds,
        last,
        last,
        None,
        latency or Quantiles(),
        outages,
    )


VENUES = (
    feed("binance", events=1_591, latency=Quantiles(1_591, 612.0, 1_020.0, 1_900.0)),
    feed("bybit", events=769, duplicates=3, reconnects=1, latency=Quantiles(769, 260.0, 540.0, 690.0)),
    feed(
        "okx",
        FeedState.STALE,
        since=12.3,
        heartbeat=42.3,
        reason="no price for 30 s",
        events=9,
        duplicates=21,
        errors=2,
        last_error="sz is not a number: 'abc'",
        gaps=1,
        gap_seconds=4.2,
        outages=(Outage(ago(400.0), ago(395.8), "disconnected"),),
        reconnects=2,
    ),
    feed("hyperliquid", sampled=3, heartbeat=0.1),
)

SIMULATED = "Fitted on simulated markets: a starting point, not experience."


def risk(
    market: str, side: Side, horizon: float, probability: float | None, level: Level = Level.NONE, *, reason: str = ""
) -> Risk:
    """Of a model whose parts grow with its probability, or none for `reason`."""
    known = probability is not None
    up = 4.0 * (probability or 0.0)
    parts = dict(zip(Component, (up, 0.6 * up, 0.9, 0.0, -0.31, -0.02), strict=True))
    return Risk(
        market,
        side,
        horizon,
        NOW - SECOND,
        level,
        ago(41.0) if level else None,
        2_500_000.0,
        reason,
        because="two reads" if level else "",
        provenance=SIMULATED if known else "",
        model="simulated-60s" if known else "",
        probability=probability,
        base_rate=0.0042 if known else None,
        score=97.0 if known else None,
        intercept=-5.4,
        contributions=parts if known else {},
        expected_events=120.0 if known else None,
        expected_usd=3_100_000.0 if known else None,
        warm=0.35 if known else 0.0,
    )


RISKS = (
    risk("ETHUSDT", LONG, 60.0, 0.0007),
    risk("ETHUSDT", SHORT, 60.0, None, reason="binance-60s: fitted on another throttle"),
    risk("BTCUSDT", LONG, 60.0, 0.634, Level.CRITICAL),
    risk("BTCUSDT", LONG, 300.0, 0.712, Level.CRITICAL),
    risk("BTCUSDT", SHORT, 60.0, 0.0131),
)
CASCADES = (
    Episode("BTCUSDT", LONG, ago(63.0), 2.5e6, ago(0.4), None, 88, 3_804_000.0, {"bybit": 3_804_000.0}, 3.6e6, 0.634),
    Episode("SOLUSDT", SHORT, ago(1800.0), 4e5, ago(1650.0), ago(1530.0), 51, 912_000.0, {"okx": 912_000.0}, 6e5, None),
)
NOTICES = (
    Notification("a", "SOLUSDT", SHORT, Level.WATCH, ago(1790.0), None, 0.05, "burst", within_budget=True),
    Digest("a", "SOLUSDT", SHORT, ago(1790.0), ago(1500.0), Level.WATCH, None, right=True),
    Notification("b", "BTCUSDT", LONG, Level.CRITICAL, ago(41.0), 0.611, 0.5, "two reads", within_budget=False),
)
REGIME = RegimeState(
    level=Regime.STRESSED,
    since=ago(95.0),
    rank=0.985,
    driver="intensity",
    ranks={"intensity": 0.985},
    multiplier=3.13,
    episodes=12,
    volatility=0.042,
    liquidity=0.12,
    trend=Trend.STRONG_DOWN,
    price=66_851.2,
    change=-0.0172,
    change_minutes=15,
    warm=11_160.0,
)
DEPENDENCE = Dependence(
    ("binance", "bybit", "okx"),
    (
        Correlation("binance", "bybit", 0.81, 0.6, 0.91, 7.0, 1.0, 40.0),
        Correlation("binance", "okx", 0.31, -0.1, 0.6, 1.2, 0.0, 9.0),
        Correlation("bybit", "okx", 0.0, -0.9, 0.9, 0.0, 0.0, 1.5),
    ),
    (
        Correlation("binance", "bybit", 0.83, 0.75, 0.9, 12.0, -4.1, 200.0),
        Correlation("binance", "okx", 0.28, -0.02, 0.5, 2.4, 0.0, 44.0),
        Correlation("bybit", "okx", 0.1, -0.9, 0.9, 0.0, 0.0, 3.0),
    ),
)

RICH = Snapshot(
    now=NOW,
    as_of=NOW - SECOND,
    started=ago(754.0),
    events=2_369,
    throughput=184.2,
    markets=("BTCUSDT", "ETHUSDT", "SOLUSDT", "PEPEUSDT", "DOGEUSDT"),
    kinematics={ALL: KINEMATICS, "BTCUSDT": BTC, "ETHUSDT": QUIET},
    cells=(Cell("binance", LONG, ALL, {"1h": Sum(1_279, 0.0, 50_990_000.0)}),),
    activity=ACTIVITY,
    tape=TAPE,
    largest=(TAPE[9], TAPE[6]),
    prices={"BTCUSDT": MarketPrice("BTCUSDT", 66_851.2, "binance", ago(0.5), ago(0.4))},
    venues=VENUES,
    latency=Quantiles(2_369, 540.0, 1_010.0, 1_900.0),
    regime=REGIME,
    dependence=DEPENDENCE,
    risks=RISKS,
    episodes=CASCADES,
    notices=NOTICES,
)
"""Four venues in the middle of a fall: one stale, one a sample; unknown sizes, duplicates, a gap, errors."""

SUBSCRIBED = Snapshot(
    now=NOW,
    as_of=NOW - SECOND,
    started=ago(9.0),
    events=0,
    throughput=6.0,
    markets=(),
    kinematics={ALL: QUIET},
    cells=(),
    activity=(),
    tape=(),
    largest=(),
    prices={},
    venues=(
        feed("binance", since=8.0),
        feed("bybit", FeedState.CONNECTED, since=1.0, heartbeat=1.2),
        feed("okx", FeedState.CONNECTING, since=9.0, heartbeat=None),
        feed("hyperliquid", FeedState.DISCONNECTED, since=3.0, heartbeat=None, reason="connection refused"),
    ),
    latency=Quantiles(),
)
"""Nothing has happened yet, and each venue is at another point of its way."""

NOTHING = Snapshot(NOW, NOW - SECOND, None, 0, 0.0, (), {}, (), (), (), (), {}, (), Quantiles())
"""Before the first connection."""

ALERTS = (
    Alert(
        key="a",
        rule=AlertRule.INSTITUTIONAL,
        level=Level.WARNING,
        ts=ago(61.0),
        market="ETHUSDT",
        side=LONG,
        venue="binance",
        text="ETHUSDT: a long of $1,125,003 was liquidated on binance at 3409.1",
        inputs={"usd": 1_125_003.0, "threshold_usd": 250_000.0, "price": 3409.1, "price_basis": "FILL"},
        coverage=">= binance, bybit; okx stale",
        action=Action("look at the market", "something goes on"),
    ),
    Alert(
        key="b",
        rule=AlertRule.FEED,
        level=Level.WARNING,
        ts=ago(42.0),
        venue="okx",
        text="okx has been stale for 30 s: its liquidations are in no number since",
        inputs={"state": "STALE", "seconds": 30.0},
        coverage=">= binance, bybit; okx stale",
    ),
    Alert(
        key="c",
        rule=AlertRule.CASCADE,
        level=Level.CRITICAL,
        ts=ago(41.0),
        market="BTCUSDT",
        side=LONG,
        text="BTCUSDT long liquidations: 61% that $2,500,000 or more follow within 60 s, base rate 0.4%",
        inputs={"probability": 0.611, "base_rate": 0.0042, "horizon_s": 60.0, "threshold_usd": 2_500_000.0},
        coverage=">= binance, bybit; okx stale",
        record=TrackRecord(7, 12, 30.0),
        within_budget=False,
    ),
)
ACTIONS = action_table()
DEMO = Session(
    Mode.DEMO,
    "0.1.0",
    NOW,
    ago(754.0),
    JournalStatus(2_366, 3, 0, ago(0.1)),
    state_latency=Quantiles(2_369, 0.08, 0.42, 3.1),
    scenario="oct10",
    seed=7,
    alerts=ALERTS,
    actions=ACTIONS,
)
LIVE = Session(Mode.LIVE, "0.1.0", NOW, ago(9.0), actions=ACTIONS)
REPLAY = Session(
    Mode.REPLAY,
    "0.1.0",
    NOW,
    ago(754.0),
    recording="march.csv.gz",
    speed=60.0,
    progress=0.432,
    actions=ACTIONS,
)
ATTACHED = Session(Mode.LIVE, "0.1.0", NOW, ago(9.0), redis="from redis://desk", alerting=False, actions=ACTIONS)


def _sides(long: Sum, short: Sum) -> dict[str, Sum]:
    return {"LONG": long, "SHORT": short}


STATISTICS = Statistics(
    first=ago(754.0),
    last=ago(0.4),
    total=Sum(9, 0.0, 2_000_000.25, 1),
    by_side=_sides(Sum(6, 0.0, 1_250_000.25, 1), Sum(3, 0.0, 750_000.0)),
    by_venue={
        "bybit": _sides(Sum(4, 0.0, 1_000_000.25), Sum(3, 0.0, 750_000.0)),
        "okx": _sides(Sum(2, 3.5, 250_000.0, 1), Sum()),
    },
    by_market={
        "ETHUSDT": _sides(Sum(1, 100.0, 300_000.25), Sum(1, 0.5, 1_500.0)),
        "BTCUSDT": _sides(Sum(5, 14.25, 950_000.0, 1), Sum(2, 11.125, 748_500.0)),
    },
    by_venue_market={
        "bybit": {
            "BTCUSDT": _sides(Sum(3, 10.75, 700_000.0), Sum(2, 11.125, 748_500.0)),
            "ETHUSDT": _sides(Sum(1, 100.0, 300_000.25), Sum(1, 0.5, 1_500.0)),
        },
        "okx": {"BTCUSDT": _sides(Sum(2, 3.5, 250_000.0, 1), Sum())},
    },
    peaks=(Peak(10.0, 4, ago(12.0), 1_500_000.0, ago(2.0)), Peak(60.0, 7, ago(2.0), 1_900_000.0, ago(2.0))),
    largest=(TAPE[9], TAPE[6]),
    latency=Quantiles(9, 540.0, 1_010.0, 1_900.0),
    latency_by_venue={"bybit": Quantiles(7, 260.0, 540.0, 690.0), "okx": Quantiles()},
    sampled={"hyperliquid": Sum(3, 0.9, 60_300.0)},
    duplicates=24,
    errors=2,
    feeds=(
        FeedRecord(ago(753.0), "okx", "public-1", "SUBSCRIBED liquidation-orders"),
        FeedRecord(ago(12.3), "okx", "public-1", "STALE: no price for 30 s"),
    ),
    state_hash="c0ffee",
    span=(ago(755.0), NOW),
)
