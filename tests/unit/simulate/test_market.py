"""The simulated market: reproducible, and shaped like the markets it stands for."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter, defaultdict
from itertools import pairwise
from pathlib import Path
from statistics import fmean, variance

import pytest

from liquake.clock import SECOND
from liquake.errors import UnknownScenario
from liquake.model import Side
from liquake.simulate.market import Market
from liquake.simulate.order import VENUE_SHARES, Order
from liquake.simulate.presets import PRESETS, even_load, find_preset

START = 1_790_000_000 * SECOND
SOURCE = Path(__file__).parents[3] / "src"
MINUTE = 60 * SECOND


def run(
    preset: str, minutes: float, seed: int = 7, assets: tuple[str, ...] = ("BTC", "ETH")
) -> tuple[Market, list[Order]]:
    market = Market(preset, seed, START, assets)
    return market, market.step(START + round(minutes * MINUTE))


def seconds(ts: int) -> float:
    return (ts - START) / SECOND


@pytest.mark.parametrize("preset", PRESETS)
def test_the_same_seed_gives_the_same_orders_however_time_is_cut(preset: str) -> None:
    _, whole = run(preset, 3)
    market = Market(preset, 7, START, ("BTC", "ETH"))
    pieces: list[Order] = []
    now = START
    while now < START + 3 * MINUTE:
        now += 370_000_000
        pieces += market.step(min(now, START + 3 * MINUTE))
    assert pieces == whole
    assert whole != run(preset, 3, seed=8)[1]


def test_orders_come_in_order_of_time_and_after_the_start() -> None:
    _, orders = run("flash", 2)
    times = [order.ts for order in orders]
    assert times == sorted(times)
    assert times[0] >= START
    assert times[-1] <= START + 2 * MINUTE


def test_a_coins_path_does_not_depend_on_which_others_are_simulated_with_it() -> None:
    _, alone = run("flash", 2, assets=("BTC",))
    _, both = run("flash", 2, assets=("BTC", "ETH"))
    assert alone == [order for order in both if order.asset == "BTC"]


def test_dollars_are_coins_times_price_and_bankruptcy_lies_beyond_the_fill() -> None:
    _, orders = run("flash", 3)
    assert {order.side for order in orders} == {Side.LONG, Side.SHORT}
    for order in orders:
        assert order.usd == pytest.approx(order.amount * order.price)
        beyond = order.bankruptcy_price / order.price - 1.0
        assert 0.0 < (-beyond if order.side is Side.LONG else beyond) < 0.01


def test_venues_get_their_shares() -> None:
    _, orders = run("saturated", 5)
    counts = Counter(order.venue for order in orders)
    for venue, share in VENUE_SHARES.items():
        assert counts[venue] / len(orders) == pytest.approx(share, abs=0.03)


@pytest.mark.parametrize("seed", range(8))
def test_flash_sweeps_longs_within_forty_seconds(seed: int) -> None:
    market, _ = run("flash", 1, seed)
    first = next(cascade for cascade in market.cascades if cascade.asset == "BTC")
    assert first.side is Side.LONG
    assert 15.0 < seconds(first.ts) < 40.0


@pytest.mark.parametrize("seed", range(8))
def test_oct10_builds_up_and_falls_through_its_own_longs_within_two_minutes(seed: int) -> None:
    market, orders = run("oct10", 3, seed)
    assert market.cascades[0].side is Side.LONG
    assert any(cascade.asset == "BTC" and seconds(cascade.ts) < 120.0 for cascade in market.cascades)
    longs = sum(order.usd for order in orders if order.side is Side.LONG)
    assert longs / sum(order.usd for order in orders) > 0.8
    assert market.coins["BTC"].log_price < Market("oct10", seed, START).coins["BTC"].log_price - 0.05


def test_oct10_comes_again_smaller() -> None:
    market, orders = run("oct10", 13, assets=("BTC",))
    first, again = (
        sum(order.usd for order in orders if low <= seconds(order.ts) < low + 300.0) for low in (0.0, 600.0)
    )
    assert 0.0 < again < first / 2
    assert len(market.cascades) >= 2


def test_grind_takes_out_longs_without_a_sweep() -> None:
    market, orders = run("grind", 240, assets=("BTC",))
    longs = sum(order.usd for order in orders if order.side is Side.LONG)
    assert longs / sum(order.usd for order in orders) > 0.8
    per_minute = Counter(order.ts // MINUTE for order in orders)
    assert len(per_minute) > 100
    assert market.price("BTC") < 84_000.0 * 0.98


def test_poisson_events_are_independent_and_nothing_ever_cascades() -> None:
    market, orders = run("poisson", 60)
    assert market.cascades == []
    assert len(orders) == pytest.approx(3.0 * 3600, rel=0.04)
    per_ten_seconds = Counter((order.ts - START) // (10 * SECOND) for order in orders)
    counts = [per_ten_seconds[slot] for slot in range(360)]
    assert variance(counts) / fmean(counts) == pytest.approx(1.0, abs=0.3)


def test_a_cascade_is_bursty_where_poisson_is_not() -> None:
    _, orders = run("flash", 10)
    per_ten_seconds = Counter((order.ts - START) // (10 * SECOND) for order in orders)
    counts = [per_ten_seconds[slot] for slot in range(60)]
    assert variance(counts) / fmean(counts) > 50.0


def test_an_even_load_is_even() -> None:
    market = Market(even_load(200.0), 1, START)
    orders = market.step(START + 10 * SECOND)
    gaps = {after.ts - before.ts for before, after in pairwise(orders)}
    assert len(orders) == pytest.approx(2000, abs=1)
    assert max(gaps) - min(gaps) <= 2


def test_an_ordinary_day_looks_like_one() -> None:
    market, orders = run("calm", 24 * 60, seed=4, assets=("BTC",))
    usd = sum(order.usd for order in orders)
    minutes: dict[int, float] = defaultdict(float)
    for order in orders:
        minutes[order.ts // MINUTE] += order.usd
    peak = max(minutes, key=lambda minute: minutes[minute])
    around = sum(minutes[minute] for minute in range(peak - 20, peak + 20))
    assert 10_000 < len(orders) < 45_000
    assert 80e6 < usd < 400e6
    assert 0.1 < around / usd < 0.8
    assert 1 <= len(market.cascades) <= 15


def test_gain_rises_into_a_cascade_and_stays_finite() -> None:
    market = Market("oct10", 3, START, ("BTC",))
    gains = []
    for second in range(1, 180):
        market.step(START + second * SECOND)
        gains.append(market.gain("BTC", Side.LONG))
    assert max(gains) > 0.5
    assert max(gains) < 10.0
    assert min(gains) >= 0.0


def test_coins_move_together() -> None:
    market = Market("calm", 5, START, ("BTC", "ETH"))
    paths: dict[str, list[float]] = {"BTC": [], "ETH": []}
    for minute in range(1, 241):
        market.step(START + minute * MINUTE)
        for asset, path in paths.items():
            path.append(market.coins[asset].log_price)
    returns = [[after - before for before, after in pairwise(path)] for path in paths.values()]
    products = sum(a * b for a, b in zip(*returns, strict=True))
    norms = (sum(a * a for a in returns[0]) * sum(b * b for b in returns[1])) ** 0.5
    assert products / norms > 0.5


def test_spread_widens_and_depth_thins_in_a_cascade() -> None:
    market = Market("oct10", 3, START, ("BTC",))
    calm = market.quote("BTC")
    worst = calm
    for second in range(1, 180):
        market.step(START + second * SECOND)
        quoted = market.quote("BTC")
        worst = max(worst, quoted, key=lambda q: (q.ask - q.bid) / q.bid)
        assert quoted.bid < market.price("BTC") < quoted.ask
    assert (worst.ask - worst.bid) / worst.bid > 3.0 * (calm.ask - calm.bid) / calm.bid
    assert worst.bid_amount + worst.ask_amount < (calm.bid_amount + calm.ask_amount) / 2.0


def test_the_market_needs_no_sockets() -> None:
    code = "import sys; import liquake.simulate.market; sys.exit('aiohttp' in sys.modules or 'asyncio' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True, env=os.environ | {"PYTHONPATH": str(SOURCE)})


def test_an_unknown_scenario_is_named_with_the_known_ones() -> None:
    with pytest.raises(UnknownScenario, match=r"'tsunami'.*calm.*oct10"):
        find_preset("tsunami")
    with pytest.raises(UnknownScenario):
        Market("tsunami", 1, START)
