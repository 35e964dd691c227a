"""Whether sockets bring what the venue's own history has."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection
from itertools import pairwise

import msgspec
import pytest
from bench.fast_forward import FastForwardLoop, run

from liquake.clock import SECOND
from liquake.ingest.link import Tempo
from liquake.ingest.reconciliation import PROOF, REQUESTS, Reconciliation, following, pace, questions
from liquake.ingest.supervisor import feeds_of, supervise
from liquake.model import ContractKind, DecodeError, FeedState, FeedStatus, Instrument, Instruments
from liquake.model.feed import LIQUIDATIONS
from liquake.venues import VENUES, Connection, Heartbeat, Subscription
from tests.unit.ingest.toy import PATIENT, Heard, ToyServer, ToyVenue, ToyWithPast, connection_to, toy_server

NOW = 1_790_000_000 * SECOND
CALM = Heartbeat(every=20.0, frame="ping", dead_after=60.0, stale_after=60.0)
TEMPO = Tempo(healthy_frames=1, watch=1.0)


def test_a_silence_is_asked_about_twice_a_minute_at_first_and_every_three_in_the_end() -> None:
    asked = [0.0]
    while asked[-1] < 6 * 3600.0:
        asked.append(following(asked[-1], Tempo()))
    steps = [after - before for before, after in pairwise(asked)]
    assert steps[:20] == [30.0] * 20
    assert all(before <= after + 1e-6 for before, after in pairwise(steps))
    assert steps[-1] == pytest.approx(180.0)
    # Little more than one in three minutes.
    assert len(asked) < 1.4 * 6 * 3600.0 / 180.0


def test_who_allows_few_requests_is_asked_more_rarely() -> None:
    apart = pace(VENUES["bitfinex"], 1)
    assert apart == 40.0
    assert pace(VENUES["gate"], 2) < 1.0
    assert following(0.0, Tempo(), apart) == apart
    assert following(3600.0, Tempo(), apart) == 3780.0


def listed(*symbols: str) -> Instruments:
    return Instruments(Instrument(symbol, symbol.partition("-")[0], ContractKind.LINEAR, 1.0) for symbol in symbols)


MANY = listed("BTC-USD", "ETH-USD", *(f"COIN{number}-USD" for number in range(40)), "SOL-USD")


def asked_markets(instruments: Instruments, liquidated: dict[str, int], assets: Collection[str] | None) -> list[str]:
    requests = questions(VENUES["dydx"], instruments, assets, liquidated, NOW, NOW + SECOND)
    return [request.url.partition("?")[0].rpartition("/")[2] for request in requests]


def test_where_there_are_many_markets_those_are_asked_about_that_are_liquidated_most() -> None:
    asked = asked_markets(MANY, {"COIN7-USD": 3, "ETH-USD": 5}, None)
    assert asked[:4] == ["ETH-USD", "COIN7-USD", "BTC-USD", "SOL-USD"]
    assert len(asked) == REQUESTS


def test_where_there_are_few_all_are() -> None:
    assert asked_markets(listed("BTC-USD", "XYZ-USD"), {}, None) == ["BTC-USD", "XYZ-USD"]
    assert asked_markets(MANY, {"ETH-USD": 5}, {"SOL", "COIN7"}) == ["COIN7-USD", "SOL-USD"]


def test_before_the_contracts_are_known_the_majors_are() -> None:
    assert asked_markets(Instruments(), {}, None)[:2] == ["BTC-USD", "ETH-USD"]


def test_dated_contracts_come_behind_perpetual_ones() -> None:
    instruments = Instruments(
        Instrument(symbol, asset, ContractKind.LINEAR, 1.0)
        for asset in ("BTC", "ETH", "SOL", "XRP")
        for symbol in (
            f"FF_{asset}USD_270326",
            f"FI_{asset}USD_270326",
            f"PF_{asset}USD",
            f"PI_{asset}USD",
            f"XX_{asset}",
        )
    )
    requests = questions(VENUES["kraken"], instruments, None, {}, NOW, NOW + SECOND)
    assert len(requests) == REQUESTS
    assert sum("_270326" in request.url for request in requests) == REQUESTS - 12


@pytest.mark.parametrize("name", [name for name, venue in VENUES.items() if Reconciliation.serves(venue)])
def test_a_question_leaves_most_of_what_a_venue_allows_for_gaps(name: str) -> None:
    venue = VENUES[name]
    requests = questions(venue, Instruments(), None, {}, NOW, NOW + 300 * SECOND)
    assert 0 < len(requests) <= max(1.0, venue.limits.requests_per_minute / 2.0)


def test_those_are_asked_that_have_a_history_of_what_their_sockets_bring() -> None:
    assert {name for name, venue in VENUES.items() if Reconciliation.serves(venue)} == {
        "bitfinex", "bitget", "dydx", "gate", "htx", "kraken",
    }  # fmt: skip
    assert not Reconciliation.serves(ToyVenue(PATIENT))


class RefusedBitcoin(ToyWithPast):
    """Two contracts on one connection; all that happens is of BTC."""

    def connections(self, instruments: Instruments, assets: Collection[str] | None) -> list[Connection]:
        parts = (Subscription("sub eth", ("eth",), ("ETH",)), Subscription("sub btc", ("btc",), ("BTC",)))
        return [msgspec.structs.replace(connection_to(self.url), subscriptions=parts)]


class Stand(Heard):
    """A toy venue and its feed, in a loop whose time leaps, for a minute before `act` has its turn."""

    def __init__(self, act: Callable[[Stand], Awaitable[None]], kind: type[ToyWithPast] = ToyWithPast) -> None:
        super().__init__()
        self.loop = FastForwardLoop(NOW)
        self.server = ToyServer()
        self.asleep = 0.0
        """Seconds that the machine slept: its clock went on, its timers did not."""
        run(self._lived(act, kind), self.loop)

    async def _lived(self, act: Callable[[Stand], Awaitable[None]], kind: type[ToyWithPast]) -> None:
        async with toy_server() as self.server:
            self.server.price_every = 1.0
            if kind is RefusedBitcoin:
                self.server.refuse = {"btc"}
            feeds = feeds_of([kind(CALM, self.server.url)], self, self, tempo=TEMPO)
            task = asyncio.create_task(supervise(feeds))
            await asyncio.sleep(60.0)
            await act(self)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    def now(self) -> int:
        """As a `Clock`."""
        return self.loop.now() + round(self.asleep * SECOND)

    async def happen(self, *, told: bool) -> int:
        """A liquidation now, for the history, and for the sockets where it is `told`."""
        now = self.now()
        self.server.past.append(now)
        if told:
            await self.tell(now)
        return now

    async def tell(self, moment: int) -> None:
        """The sockets bring the liquidation of `moment`."""
        for socket in tuple(self.server.sockets):
            await socket.send_str(f"liq {moment}")
        await asyncio.sleep(0.1)

    @property
    def about(self) -> list[FeedStatus]:
        """What is said of the liquidations together."""
        return [status for status in self.statuses if status.connection == LIQUIDATIONS]

    @property
    def errors(self) -> list[DecodeError]:
        return [event for event in self.events if isinstance(event, DecodeError)]


def test_what_only_the_history_has_is_told_and_passed_on_once() -> None:
    async def act(stand: Stand) -> None:
        heard = await stand.happen(told=True)
        await asyncio.sleep(20.0)
        first = await stand.happen(told=False)
        await asyncio.sleep(100.0)
        assert stand.liquidations == [heard, first]
        second = await stand.happen(told=False)
        await asyncio.sleep(300.0)
        assert stand.liquidations == [heard, first, second]
        [dark] = stand.about
        assert (dark.state, dark.ts) == (FeedState.DARK, heard)
        assert dark.reason == (
            "its history has 1 liquidation since 14:14:20 UTC that its sockets did not bring, found after 65 s"
        )
        # The only socket was replaced, once.
        assert stand.server.opened == 2

    Stand(act)


def test_sockets_that_stay_mute_are_replaced_again_ever_more_rarely() -> None:
    async def act(stand: Stand) -> None:
        await asyncio.sleep(20.0)
        await stand.happen(told=False)
        opened = []
        for seconds in (900.0, 2700.0, 3600.0):
            await asyncio.sleep(seconds)
            opened.append(stand.server.opened)
        # At once, and about 10, 30 and 70 minutes after it was found.
        assert opened == [3, 4, 5]

    Stand(act)


def test_a_long_silence_is_refilled_for_all_markets_by_the_hour() -> None:
    async def act(stand: Stand) -> None:
        heard = await stand.happen(told=True)
        await asyncio.sleep(20.0)
        await stand.happen(told=False)
        await asyncio.sleep(2.5 * 3600.0)
        assert [gap.recovered for gap in stand.gaps] == [False, True] * 2
        assert [status.state for status in stand.about] == [FeedState.DARK]
        await stand.happen(told=True)
        await asyncio.sleep(10.0)
        opened = [gap for gap in stand.gaps if not gap.recovered]
        assert [gap.start for gap in opened] == [heard, *(gap.end for gap in opened[:-1])]
        assert len(opened) == 3
        assert [gap.recovered for gap in stand.gaps] == [False, True] * 3

    Stand(act)


def test_what_happened_after_it_was_found_and_comes_by_a_socket_ends_it() -> None:
    async def act(stand: Stand) -> None:
        await asyncio.sleep(20.0)
        missed = await stand.happen(told=False)
        await stand.until(lambda: stand.about, seconds=200.0)
        # A replay of what happened before is no life.
        await stand.tell(missed)
        assert [status.state for status in stand.about] == [FeedState.DARK]
        await asyncio.sleep(5.0)
        await stand.happen(told=True)
        dark, resumed = stand.about
        assert (resumed.state, resumed.reason) == (FeedState.RESUMED, "a socket brings liquidations")
        [gap] = stand.gaps
        assert (gap.connection, gap.start, gap.end, gap.cause) == (
            LIQUIDATIONS, dark.ts, resumed.ts, f"dark: {dark.reason}",
        )  # fmt: skip
        await asyncio.sleep(10.0)
        assert stand.gaps == [gap, msgspec.structs.replace(gap, recovered=True)]

    Stand(act)


def test_a_history_that_has_what_its_sockets_never_tell_is_believed_less_and_less() -> None:
    async def act(stand: Stand) -> None:
        needed = []
        for _ in range(PROOF + 1):
            found, extra = len(stand.about), 0
            while len(stand.about) == found:
                extra += 1
                await stand.happen(told=False)
                await asyncio.sleep(100.0)
            needed.append(extra)
            await stand.happen(told=True)
            await asyncio.sleep(10.0)
        assert needed == [1, 2, 3, 4, 5, 5]
        await asyncio.sleep(86_400.0)
        await stand.happen(told=False)
        await asyncio.sleep(400.0)
        assert stand.about[-1].state is FeedState.DARK

    Stand(act)


@pytest.mark.parametrize("late", [20.0, 40.0])
def test_a_socket_that_is_late_is_not_mute(late: float) -> None:
    async def act(stand: Stand) -> None:
        for _ in range(5):
            # Just before the question, to which the grace does not belong.
            await asyncio.sleep(20.0)
            moment = await stand.happen(told=False)
            await asyncio.sleep(late)
            await stand.tell(moment)
        assert stand.about == []

    Stand(act)


@pytest.mark.parametrize(
    ("before", "after"), [(6.0, 9.0), (31.0, 31.0)], ids=["between questions", "before it is certain"]
)
def test_what_comes_late_after_the_machine_stood_still_is_not_missed(before: float, after: float) -> None:
    async def act(stand: Stand) -> None:
        await stand.happen(told=True)
        await asyncio.sleep(before)
        moment = await stand.happen(told=False)
        await asyncio.sleep(after)
        stand.asleep += 50.0
        await asyncio.sleep(20.0)
        await stand.tell(moment)
        await asyncio.sleep(200.0)
        assert stand.about == []
        assert moment in stand.liquidations

    Stand(act)


def test_a_history_that_is_late_is_asked_again_for_what_it_has_been_asked_before() -> None:
    async def act(stand: Stand) -> None:
        moment = stand.now()
        await asyncio.sleep(200.0)
        stand.server.past.append(moment)
        await stand.until(lambda: stand.liquidations, seconds=200.0)
        assert [status.state for status in stand.about] == [FeedState.DARK]

    Stand(act)


def test_what_was_refused_is_not_missed() -> None:
    async def act(stand: Stand) -> None:
        for _ in range(10):
            await stand.happen(told=False)
            await asyncio.sleep(60.0)
        assert stand.server.asked
        assert (stand.about, stand.liquidations) == ([], [])

    Stand(act, RefusedBitcoin)


def test_while_a_connection_is_away_nothing_is_asked_and_what_it_missed_is_no_silence() -> None:
    async def act(stand: Stand) -> None:
        stand.server.answering = False
        await stand.server.drop()
        asked = len(stand.server.asked)
        await asyncio.sleep(200.0)
        missed = await stand.happen(told=False)
        assert len(stand.server.asked) == asked
        stand.server.answering = True
        await asyncio.sleep(600.0)
        assert stand.liquidations == [missed]
        assert [gap.recovered for gap in stand.gaps] == [False, True]
        assert stand.about == []

    Stand(act)


def test_a_history_that_does_not_answer_is_told_of_once_and_asked_more_rarely() -> None:
    async def act(stand: Stand) -> None:
        stand.server.past_status = 429
        await asyncio.sleep(3 * 3600.0)
        [error] = stand.errors
        assert "HTTP 429" in error.reason
        # Four attempts each.
        assert len(stand.server.asked) < 60
        stand.server.past_status = 200
        await asyncio.sleep(3600.0)
        stand.server.past_status = 429
        await asyncio.sleep(3600.0)
        assert len(stand.errors) == 2
        assert stand.about == []

    Stand(act)


def test_a_quiet_venue_is_asked_as_often_as_the_schedule_says() -> None:
    async def act(stand: Stand) -> None:
        for socket in stand.server.sockets:
            await socket.send_str("what is this")
        await asyncio.sleep(2 * 3600.0)
        assert len(stand.errors) == 1
        assert 60 < len(stand.server.asked) < 85
        longest = max(end - start for start, end in stand.server.asked) / SECOND
        assert longest < 500.0
        assert stand.about == []

    Stand(act)
