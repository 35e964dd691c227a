"""What is asked of each venue, within its limits, and what is asked again after a refusal."""

from __future__ import annotations

import json
from datetime import date

import pytest

from liquake.errors import InstrumentsError
from liquake.model import ContractKind, FeedState, FeedStatus, Instrument, Instruments, Liquidation, Side
from liquake.venues.registry import find_venue
from liquake.venues.venue import Connection, Request, Subscription


def linear(symbol: str, asset: str) -> Instrument:
    return Instrument(symbol, asset, ContractKind.LINEAR, 1.0)


def arguments(subscription: Subscription) -> list[str]:
    found = json.loads(subscription.frame)["args"]
    assert isinstance(found, list)
    return found


def topics(connection: Connection) -> list[str]:
    return [topic for subscription in connection.subscriptions for topic in arguments(subscription)]


def test_binance_asks_the_market_path_for_all_liquidations_and_a_price() -> None:
    merged, _ = find_venue("binance").connections(Instruments(), {"ETH"})
    address, _, streams = merged.url.partition("?streams=")
    assert address == "wss://fstream.binance.com/market/stream"
    assert streams.split("/") == ["!forceOrder@arr", "btcusdt@markPrice@1s"]


def test_binance_asks_the_host_of_coin_margined_futures_too_and_holds_nothing_to_be_missing_without_it() -> None:
    merged, coin_margined = find_venue("binance").connections(Instruments(), {"ETH"})
    assert coin_margined.url == "wss://dstream.binance.com/stream"
    (subscription,) = coin_margined.subscriptions
    asked = json.loads(subscription.frame)
    assert (asked["method"], asked["params"]) == ("SUBSCRIBE", ["!forceOrder@arr", "btcusd_perp@markPrice@1s"])
    assert subscription.acks == (str(asked["id"]),)
    assert (coin_margined.spare, coin_margined.priced, merged.spare) == (True, True, False)


def test_binance_knows_until_when_the_old_path_worked() -> None:
    old, new, _ = find_venue("binance").endpoints
    assert old.valid_until is not None
    assert new.valid_from is not None
    assert new.valid_from <= old.valid_until < date(2026, 4, 23)
    assert new.valid_until is None


def test_bybit_asks_each_contract_by_name_on_the_socket_of_its_kind() -> None:
    instruments = Instruments(
        [
            linear("BTCUSDT", "BTC"),
            linear("BTCPERP", "BTC"),
            linear("ETHUSDT", "ETH"),
            Instrument("BTCUSD", "BTC", ContractKind.INVERSE, 1.0),
        ]
    )
    straight, inverse = find_venue("bybit").connections(instruments, {"BTC"})
    assert straight.url.endswith("/v5/public/linear")
    assert topics(straight) == ["tickers.BTCUSDT", "allLiquidation.BTCUSDT", "allLiquidation.BTCPERP"]
    assert inverse.url.endswith("/v5/public/inverse")
    assert topics(inverse) == ["tickers.BTCUSD", "allLiquidation.BTCUSD"]


def test_bybit_opens_as_many_sockets_as_its_limit_of_characters_needs() -> None:
    instruments = Instruments(linear(f"C{number:05}USDT", f"C{number:05}") for number in range(1500))
    connections = find_venue("bybit").connections(instruments, None)
    assert len(connections) > 1
    for connection in connections:
        assert len(json.dumps(topics(connection), separators=(",", ":"))) <= 21_000
        assert all(len(arguments(subscription)) <= 200 for subscription in connection.subscriptions)
        assert "tickers.BTCUSDT" in topics(connection)
    asked = [topic for connection in connections for topic in topics(connection) if topic.startswith("all")]
    assert sorted(asked) == [f"allLiquidation.{symbol}" for symbol in sorted(instruments)]


def test_bybit_asks_for_large_coins_while_it_knows_no_instruments() -> None:
    asked = [
        topic for connection in find_venue("bybit").connections(Instruments(), {"SOL"}) for topic in topics(connection)
    ]
    assert {"allLiquidation.SOLUSDT", "allLiquidation.SOLUSD"} <= set(asked)


def refused(reason: str) -> FeedStatus:
    return FeedStatus("bybit", "linear-1", FeedState.REJECTED, 1, "liquidations-1", reason)


ASKED = Subscription(
    json.dumps(
        {"op": "subscribe", "req_id": "liquidations-1", "args": [f"allLiquidation.{name}USDT" for name in "ABCDE"]}
    ),
    ("liquidations-1",),
)


def test_bybit_asks_again_without_the_symbol_that_was_refused() -> None:
    (again,) = find_venue("bybit").retry(refused("error:handler not found,topic:allLiquidation.CUSDT"), ASKED)
    assert arguments(again) == [f"allLiquidation.{name}USDT" for name in "ABDE"]
    assert again.acks == (json.loads(again.frame)["req_id"],)
    assert again.acks != ASKED.acks


def test_bybit_finds_an_unnamed_bad_topic_by_halves_and_loses_no_other() -> None:
    venue, waiting, accepted, sent = find_venue("bybit"), [ASKED], list[str](), 0
    while waiting:
        asked, sent = waiting.pop(), sent + 1
        if "allLiquidation.DUSDT" not in arguments(asked):
            accepted += arguments(asked)
            continue
        status = FeedStatus("bybit", "linear-1", FeedState.REJECTED, 1, asked.acks[0], "Invalid symbol")
        waiting += venue.retry(status, asked)
    assert sorted(accepted) == [f"allLiquidation.{name}USDT" for name in "ABCE"]
    assert sent <= 7


def test_bybit_follows_the_pages_of_its_answer() -> None:
    venue = find_venue("bybit")
    first = venue.instrument_requests()[0]
    empty = b'{"result":{"list":[],"nextPageCursor":"%s"}}'
    second = venue.next_page(first, empty % b"first%3DA=&b")
    assert second == Request(f"{first.url}&cursor=first%253DA%3D%26b")
    assert venue.next_page(second, empty % b"x") == Request(f"{first.url}&cursor=x")
    assert venue.next_page(first, empty % b"") is None


def test_bybit_merges_what_changed_into_the_snapshot() -> None:
    decoder = find_venue("bybit").decoder("linear-1", Instruments())

    def ticker(**fields: str) -> list[object]:
        data = {"symbol": "BTCUSDT", **fields}
        frame = json.dumps({"topic": "tickers.BTCUSDT", "type": "delta", "ts": 1_790_000_000_000, "data": data})
        return list(decoder.decode(frame, 1_790_000_000_100_000_000))

    whole = ticker(markPrice="64000", bid1Price="63999", bid1Size="2", ask1Price="64001", ask1Size="3")
    assert ticker(openInterest="5") == whole
    changed = ticker(bid1Price="63998.5", markPrice="")
    assert [getattr(event, "bid", None) for event in changed] == [None, 63_998.5]
    assert getattr(changed[0], "price", None) == 64_000.0


def test_okx_asks_for_swaps_and_futures_one_frame_each_and_a_price_on_the_same_socket() -> None:
    (connection,) = find_venue("okx").connections(Instruments(), {"ETH"})
    assert ":8443" not in connection.url
    asked = [(each.acks, json.loads(each.frame)["args"]) for each in connection.subscriptions]
    assert asked == [
        (("liquidation-orders:SWAP",), [{"channel": "liquidation-orders", "instType": "SWAP"}]),
        (("liquidation-orders:FUTURES",), [{"channel": "liquidation-orders", "instType": "FUTURES"}]),
        (("mark-price:BTC-USDT-SWAP",), [{"channel": "mark-price", "instId": "BTC-USDT-SWAP"}]),
    ]


def test_hyperliquid_watches_no_more_users_than_it_may_and_has_a_price_on_every_socket() -> None:
    connections = find_venue("hyperliquid").connections(Instruments(), None)
    asked = [
        [json.loads(each.frame)["subscription"] for each in connection.subscriptions] for connection in connections
    ]
    users = [each["user"] for socket in asked for each in socket if "user" in each]
    assert 0 < len(set(users)) == len(users) <= 10
    assert all({"type": "activeAssetCtx", "coin": "BTC"} in socket for socket in asked)


def users(instruments: Instruments) -> list[str]:
    return [
        asked["user"]
        for connection in find_venue("hyperliquid").connections(instruments, None)
        for each in connection.subscriptions
        if "user" in (asked := json.loads(each.frame)["subscription"])
    ]


def vaults(*addresses: str) -> bytes:
    told = {"type": "parent", "data": {"childAddresses": addresses}}
    return json.dumps({"name": "HLP", "vaultAddress": "0x" + "d" * 40, "relationship": told}).encode()


def test_hyperliquid_watches_the_vaults_that_it_lists_before_those_it_had() -> None:
    venue, before = find_venue("hyperliquid"), users(Instruments())
    (request,) = venue.account_requests()
    assert json.loads(request.body or "")["type"] == "vaultDetails"
    told = [f"0x{number:040X}" for number in range(0xA0, 0xA4)]
    instruments = Instruments()
    instruments.accounts = tuple(venue.read_accounts(vaults(*told, before[0])))
    watched = users(instruments)
    assert watched[:5] == [*(address.lower() for address in told), before[0]]
    assert watched[5:] == before[1:6]
    assert len(watched) == 10


@pytest.mark.parametrize("answer", [b"", b"{}", b"null", b"[" * 100_000, vaults("0x12"), vaults("HLP")])
def test_hyperliquid_refuses_an_answer_without_vaults(answer: bytes) -> None:
    with pytest.raises(InstrumentsError, match="hyperliquid"):
        find_venue("hyperliquid").read_accounts(answer)


def test_binance_tells_one_order_under_one_key_whichever_stream_has_it() -> None:
    order: dict[str, object] = {
        "s": "BTCUSD_PERP",
        "S": "SELL",
        "o": "LIMIT",
        "f": "IOC",
        "q": "3",
        "p": "61000",
        "ap": "61500.5",
    }
    order |= {"X": "FILLED", "l": "1", "z": "3", "T": 1_790_000_000_000, "ps": "BTCUSD", "st": 2}
    event = {"e": "forceOrder", "E": 1_790_000_000_300, "o": order}
    merged = {"stream": "!forceOrder@arr", "data": event}
    own = {"stream": "btcusd_perp@forceOrder", "data": {**event, "E": 1_790_000_000_900}}
    told = []
    for name, frame in (("market", merged), ("market", event), ("coin", own), ("coin", [event])):
        decoder = find_venue("binance").decoder(name, Instruments())
        (found,) = decoder.decode(json.dumps(frame), 1_790_000_001_000_000_000)
        assert isinstance(found, Liquidation)
        told.append((found.key, found.usd, found.side))
    assert len(set(told)) == 1
    assert told[0][1:] == (300.0, Side.LONG)


@pytest.mark.parametrize("venue", ["bybit", "okx", "hyperliquid"])
def test_an_acknowledgement_answers_what_was_asked(venue: str) -> None:
    for connection in find_venue(venue).connections(Instruments(), None):
        decoder = find_venue(venue).decoder(connection.name, Instruments())
        for subscription in connection.subscriptions:
            asked = json.loads(subscription.frame)
            answer = {
                "bybit": {"success": True, "ret_msg": "", "op": "subscribe", "req_id": asked.get("req_id")},
                "okx": {"event": "subscribe", "arg": asked.get("args", [None])[0], "connId": "c"},
                "hyperliquid": {"channel": "subscriptionResponse", "data": asked},
            }[venue]
            (status,) = decoder.decode(json.dumps(answer), 5)
            assert isinstance(status, FeedStatus)
            assert (status.state, (status.topic,)) == (FeedState.SUBSCRIBED, subscription.acks)
