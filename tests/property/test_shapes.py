"""A decoder that scans gives the events and errors of one that does not, whatever the frame is."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from liquake.model import Event, Instruments, Liquidation
from liquake.venues import binance, bybit, okx, shape
from liquake.venues.frames import decoded
from liquake.venues.registry import find_venue
from liquake.venues.shape import Shape
from liquake.venues.venue import Decoder
from tests.property.test_decoders import mutated, retyped, seeds
from tests.venues.cases import NOW, RECEIVED, cases_of

pytestmark = pytest.mark.skipif(not shape.compiled(), reason="the package was built without a C compiler")

SHAPES: Mapping[str, Shape] = {"binance": binance.SHAPE, "bybit": bybit.SHAPE, "okx": okx.SHAPE}
EVERY = pytest.mark.parametrize("venue", SHAPES)

# Mostly what venues send, and now and then what they should not.
SYMBOLS = st.sampled_from(
    ("BTCUSDT", "ETHUSD_PERP", "1000PEPEUSDT", "BTCUSD", "SOL-26DEC26", "BTC-USDT-SWAP", "BTC-USD-SWAP", "X-EUR-SWAP")
)
ODD_SYMBOLS = st.sampled_from(("", "A" * 65, "-", "é", "a b", "\\u0041"))
DECIMALS = st.decimals(0, 10**7, places=5).map(lambda number: f"{number:f}") | st.integers(0, 10**6).map(str)
ODD_NUMBERS = st.sampled_from(("0", "0.0", "-1", "1e5", "1e999", "01", "1.", "", "nan", "9007199254740993", "1" * 30))
TIMES = st.integers(NOW - 3, NOW)
ODD_TIMES = st.sampled_from((0, 10**12 - 1, 10**12, 10**14, 10**14 + 1, NOW + 10**7, 10**25, -NOW))


@st.composite
def usually(draw: st.DrawFn, common: st.SearchStrategy[object], odd: st.SearchStrategy[object]) -> object:
    return draw(odd if draw(st.integers(0, 19)) == 0 else common)


def any_of(*words: str) -> st.SearchStrategy[object]:
    return usually(st.sampled_from(words), st.sampled_from(("", "other", words[0] * 2, words[0].swapcase())))


SYMBOL, NUMBER, TIME = usually(SYMBOLS, ODD_SYMBOLS), usually(DECIMALS, ODD_NUMBERS), usually(TIMES, ODD_TIMES)


@st.composite
def binance_frame(draw: st.DrawFn) -> str:
    symbol = draw(SYMBOL)
    product = draw(st.sampled_from(("", *(f',"ps":"{symbol}","st":{number}' for number in (0, 1, 2, 3)))))
    side, kind, force = draw(any_of("SELL", "BUY")), draw(any_of("LIMIT", "MARKET")), draw(any_of("IOC", "GTC"))
    status, moment = draw(any_of("FILLED", "PARTIALLY_FILLED", "NEW")), draw(TIME)
    asked, limit, paid, last, filled = (draw(NUMBER) for _ in range(5))
    return (
        f'{{"stream":"!forceOrder@arr","data":{{"e":"forceOrder","E":{moment},"o":{{"s":"{symbol}","S":"{side}",'
        f'"o":"{kind}","f":"{force}","q":"{asked}","p":"{limit}","ap":"{paid}","X":"{status}","l":"{last}",'
        f'"z":"{filled}","T":{moment}{product}}}}}}}'
    )


@st.composite
def bybit_frame(draw: st.DrawFn) -> str:
    rows = ",".join(
        f'{{"T":{draw(TIME)},"s":"{draw(SYMBOL)}","S":"{draw(any_of("Buy", "Sell"))}","v":"{draw(NUMBER)}",'
        f'"p":"{draw(NUMBER)}"}}'
        for _ in range(draw(st.integers(0, 4)))
    )
    return f'{{"topic":"allLiquidation.{draw(SYMBOL)}","type":"snapshot","ts":{draw(TIME)},"data":[{rows}]}}'


@st.composite
def okx_frame(draw: st.DrawFn) -> str:
    details = ",".join(
        f'{{"bkLoss":"{draw(NUMBER)}","bkPx":"{draw(NUMBER)}","ccy":"","posSide":"{draw(any_of("long", "short", "net"))}",'
        f'"side":"{draw(any_of("sell", "buy"))}","sz":"{draw(NUMBER)}","ts":"{draw(TIME)}"}}'
        for _ in range(draw(st.integers(0, 4)))
    )
    symbol = draw(SYMBOL)
    return (
        f'{{"arg":{{"channel":"liquidation-orders","instType":"SWAP"}},"data":[{{"details":[{details}],'
        f'"instFamily":"{symbol}","instId":"{symbol}","instType":"SWAP","uly":"{symbol}"}}]}}'
    )


FRAMES = {"binance": binance_frame(), "bybit": bybit_frame(), "okx": okx_frame()}


@st.composite
def changed(draw: st.DrawFn, venue: str) -> bytes:
    """A frame of the documented shape, as it is or with some of its bytes changed, cut out or doubled."""
    frame = bytearray(draw(FRAMES[venue]).encode())
    for _ in range(draw(st.integers(0, 3))):
        start = draw(st.integers(0, len(frame)))
        frame[start : start + draw(st.integers(0, 3))] = draw(
            st.binary(max_size=3) | st.sampled_from((b" ", b"\\", b'"', b",", b"e", b"0", b"\\u0041", b"{}"))
        )
    return bytes(frame)


def decoder_of(venue: str) -> Decoder:
    return find_venue(venue).decoder("main", Instruments(cases_of(venue).instruments))


def both(venue: str, frame: bytes) -> tuple[list[Event], list[Event]]:
    """What is made of `frame` with the scanner, and without it."""
    with pytest.MonkeyPatch.context() as patch:
        scanned = list(decoder_of(venue).decode(frame, RECEIVED))
        patch.setenv(shape.PURE, "1")
        return scanned, list(decoder_of(venue).decode(frame, RECEIVED))


@EVERY
@given(data=st.data())
@settings(deadline=None, max_examples=400)
def test_frames_of_the_documented_shape_and_near_it(venue: str, data: st.DataObject) -> None:
    scanned, read = both(venue, data.draw(changed(venue)))
    assert scanned == read


@EVERY
@given(data=st.data())
@settings(deadline=None, max_examples=200)
def test_recorded_frames_and_changes_of_them(venue: str, data: st.DataObject) -> None:
    scanned, read = both(venue, data.draw(st.sampled_from(seeds(venue)) | mutated(venue) | retyped(venue)))
    assert scanned == read


DOCUMENTED = {
    "binance": '{"stream":"!forceOrder@arr","data":{"e":"forceOrder","E":1790000000100,"o":{"s":"BTCUSDT","S":"SELL",'
    '"o":"LIMIT","f":"IOC","q":"0.5","p":"61000.1","ap":"61200.4","X":"FILLED","l":"0.25","z":"0.5","T":1790000000090,'
    '"ps":"BTCUSDT","st":1}}}',
    "bybit": '{"topic":"allLiquidation.BTCUSDT","type":"snapshot","ts":1790000000100,"data":[{"T":1790000000090,'
    '"s":"BTCUSDT","S":"Buy","v":"0.5","p":"61200.4"},{"T":1790000000090,"s":"BTCUSDT","S":"Buy","v":"0.5","p":"61200.4"}]}',
    "okx": '{"arg":{"channel":"liquidation-orders","instType":"SWAP"},"data":[{"details":[{"bkLoss":"0","bkPx":"61200.4",'
    '"ccy":"","posSide":"long","side":"sell","sz":"50","ts":"1790000000090"}],"instFamily":"BTC-USDT",'
    '"instId":"BTC-USDT-SWAP","instType":"SWAP","uly":"BTC-USDT"}]}',
}


@EVERY
def test_the_documented_shape_is_scanned_and_nothing_shorter_or_longer(venue: str) -> None:
    scan, frame = SHAPES[venue].scan, DOCUMENTED[venue].encode()
    assert scan is not None
    assert scan(frame) is not None
    assert {scan(frame[:end]) for end in range(len(frame))} == {None}
    assert scan(frame + b"\n") is None
    scanned, read = both(venue, frame)
    assert scanned == read
    assert all(isinstance(event, Liquidation) for event in scanned)
    assert len({event.key for event in scanned if isinstance(event, Liquidation)}) == len(scanned)


WITHOUT = """
import sys
sys.modules["liquake.venues._scan"] = None
from liquake.model import Instruments
from liquake.venues import find_venue, shape
from liquake.venues.frames import decoded
assert not shape.compiled()
print(decoded(find_venue("{venue}").decoder("main", Instruments()), {frame!r}, {received}))
"""


@EVERY
def test_where_the_scanner_was_not_built_everything_is_decoded_all_the_same(venue: str) -> None:
    frame = DOCUMENTED[venue].encode()
    script = WITHOUT.format(venue=venue, frame=frame, received=RECEIVED)
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == str(decoded(find_venue(venue).decoder("main", Instruments()), frame, RECEIVED))
