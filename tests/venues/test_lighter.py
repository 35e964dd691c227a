"""What only Lighter does: markets by number, few messages a minute, pings to answer, liquidations told again."""

from __future__ import annotations

import json
from collections.abc import Iterable

from liquake.model import ContractKind, FeedState, FeedStatus, Instrument, Instruments, Liquidation
from liquake.venues.registry import find_venue
from liquake.venues.venue import Connection
from tests.venues import lighter_cases
from tests.venues.cases import RECEIVED

LIGHTER = find_venue("lighter")


def listed(symbols: Iterable[str]) -> Instruments:
    return Instruments(
        Instrument(f"C{symbol}", f"C{symbol}", ContractKind.LINEAR, 1.0, code=symbol) for symbol in symbols
    )


def asked(connection: Connection) -> list[dict[str, object]]:
    return [json.loads(subscription.frame) for subscription in connection.subscriptions]


def test_lighter_asks_for_no_more_on_a_socket_than_it_may_and_for_the_price_of_btc_on_each() -> None:
    instruments = listed(str(number) for number in range(2, 240))
    instruments.update([Instrument("BTC", "BTC", ContractKind.LINEAR, 1.0, code="250")])
    connections = LIGHTER.connections(instruments, None)
    assert len(connections) == 3
    for connection in connections:
        price, *trades = asked(connection)
        assert price["channel"] == "market_stats/250"
        assert len(trades) <= 99
    wanted = [*range(2, 240), 250]
    assert [each["channel"] for c in connections for each in asked(c)[1:]] == [f"trade/{number}" for number in wanted]


def test_lighter_keeps_within_its_messages_a_minute_over_all_sockets() -> None:
    sockets = len(LIGHTER.connections(listed(str(number) for number in range(235)), None))
    subscribing, pinging = LIGHTER.limits.messages_per_second, 1.0 / LIGHTER.heartbeat.every
    assert 60.0 * sockets * (subscribing + pinging) <= 200.0


def test_lighter_answers_pings() -> None:
    decoder = LIGHTER.decoder("trades-1", Instruments())
    assert list(decoder.decode(b'{"type":"ping"}', RECEIVED)) == []
    assert decoder.replies == ['{"type":"pong"}']


def test_lighter_acknowledges_beside_a_broken_liquidation() -> None:
    frame = lighter_cases.trades("row", kind="subscribed/trade")
    status, _ = LIGHTER.decoder("trades-1", Instruments()).decode(frame, RECEIVED)
    assert status == FeedStatus("lighter", "trades-1", FeedState.SUBSCRIBED, RECEIVED, "trade:1")


def test_lighter_tells_one_liquidation_under_one_key_wherever_it_is_repeated() -> None:
    decoder = LIGHTER.decoder("trades-1", Instruments())
    frames = (lighter_cases.frame(), lighter_cases.trades(lighter_cases.trade(), kind="subscribed/trade"))
    told = [event for frame in frames for event in decoder.decode(frame, RECEIVED) if isinstance(event, Liquidation)]
    assert len(told) == 2
    assert told[0] == told[1]


def test_lighter_shows_the_name_of_a_market_its_number_stands_for_and_the_number_where_no_name_is_known() -> None:
    names = Instruments(lighter_cases.CASES.instruments)
    (told,) = LIGHTER.decoder("trades-1", names).decode(lighter_cases.frame(), RECEIVED)
    assert isinstance(told, Liquidation)
    (bare,) = LIGHTER.decoder("trades-1", Instruments()).decode(lighter_cases.frame(), RECEIVED)
    assert isinstance(bare, Liquidation)
    assert (told.instrument, bare.instrument) == ("BTC", "1")
    # Whoever was told of it before the list came is not told again after.
    assert told.key == bare.key
    [connection] = LIGHTER.connections(names, {"BTC"})
    assert [each.symbols for each in connection.subscriptions] == [(), ("BTC",)]
