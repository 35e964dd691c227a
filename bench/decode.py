"""Frames decoded to normalised liquidations per second, beside typed msgspec decoding alone and `json.loads`.

    python bench/decode.py [--frames N] [--rounds N] [--json]

The corpus is made here, in the shapes the venues document, with many symbols: once with one row per frame, as in their
documents' examples, and for Bybit and OKX once with one to four. "typed" is msgspec alone, which decodes the same bytes
into the documented fields with their types and normalises nothing: no side, no multiplier, no coin, no check of a value.
"unscanned" is liquake without its compiled scanner, as it is where there is no C compiler. All take turns, round after
round, and the median of each is told, and of the ratios of the rounds to "typed": those hold on a busy machine where the
figures do not.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import random
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import msgspec

from liquake.model import ContractKind, Instrument, Instruments, Liquidation
from liquake.venues import shape
from liquake.venues.registry import find_venue

NOW = 1_791_000_000_000
COINS = tuple(f"{first}{second}X" for first in "ABCDEFGHJKLMNPQ" for second in "ACEGIKMOQSUW")
TARGETS = {"binance": 0.6, "bybit": 0.5, "okx": 0.55}
CORPORA = (("binance", 1), ("bybit", 1), ("bybit", 4), ("okx", 1), ("okx", 4))
"""The venues, and how many rows a frame has at most."""


class BinanceOrder(msgspec.Struct, gc=False):
    s: str
    S: str
    o: str
    f: str
    q: float
    p: float
    ap: float
    X: str
    l: float  # noqa: E741 - the venue's name
    z: float
    T: int
    ps: str
    st: int


class BinanceData(msgspec.Struct, gc=False):
    e: str
    E: int
    o: BinanceOrder


class BinanceFrame(msgspec.Struct, gc=False):
    stream: str
    data: BinanceData


class BybitRow(msgspec.Struct, gc=False):
    T: int
    s: str
    S: str
    v: float
    p: float


class BybitFrame(msgspec.Struct, gc=False):
    topic: str
    type: str
    ts: int
    data: list[BybitRow]


class OkxArgument(msgspec.Struct, gc=False):
    channel: str
    instType: str  # noqa: N815 - the venue's name


class OkxDetail(msgspec.Struct, gc=False):
    bkLoss: float  # noqa: N815 - the venue's name
    bkPx: float  # noqa: N815 - the venue's name
    ccy: str
    posSide: str  # noqa: N815 - the venue's name
    side: str
    sz: float
    ts: int


class OkxRow(msgspec.Struct, gc=False):
    details: list[OkxDetail]
    instFamily: str  # noqa: N815 - the venue's name
    instId: str  # noqa: N815 - the venue's name
    instType: str  # noqa: N815 - the venue's name
    uly: str


class OkxFrame(msgspec.Struct, gc=False):
    arg: OkxArgument
    data: list[OkxRow]


TYPED = {"binance": BinanceFrame, "bybit": BybitFrame, "okx": OkxFrame}


def encoded(message: object) -> bytes:
    """`message` without blanks, as the venues write."""
    return json.dumps(message, separators=(",", ":")).encode()


def binance_frame(chance: random.Random, most: int) -> tuple[bytes, int]:
    """A forced order of the merged stream, and how many rows it has: one."""
    del most
    symbol, price, size = f"{chance.choice(COINS)}USDT", chance.uniform(0.5, 900.0), chance.uniform(1, 500)
    sold, quantity = chance.random() < 0.5, f"{size:.3f}"
    order = {
        "s": symbol,
        "S": "SELL" if sold else "BUY",
        "o": "LIMIT",
        "f": "IOC",
        "q": quantity,
        "p": f"{price * (0.99 if sold else 1.01):.5f}",
        "ap": f"{price:.5f}",
        "X": "FILLED",
        "l": f"{size / 2:.3f}",
        "z": quantity,
        "T": NOW + chance.randrange(10**7),
        "ps": symbol,
        "st": 1,
    }
    data = {"e": "forceOrder", "E": order["T"], "o": order}
    return encoded({"stream": "!forceOrder@arr", "data": data}), 1


def bybit_frame(chance: random.Random, most: int) -> tuple[bytes, int]:
    """One row to `most` of one topic."""
    symbol, price, moment = f"{chance.choice(COINS)}USDT", chance.uniform(0.5, 900.0), NOW + chance.randrange(10**7)
    rows = [
        {
            "T": moment + row,
            "s": symbol,
            "S": chance.choice(("Buy", "Sell")),
            "v": f"{chance.uniform(1, 500):.2f}",
            "p": f"{price * chance.uniform(0.99, 1.01):.4f}",
        }
        for row in range(chance.randint(1, most))
    ]
    frame = {"topic": f"allLiquidation.{symbol}", "type": "snapshot", "ts": moment + 300, "data": rows}
    return encoded(frame), len(rows)


def okx_frame(chance: random.Random, most: int) -> tuple[bytes, int]:
    """One detail to `most` of one contract."""
    family, price, moment = f"{chance.choice(COINS)}-USDT", chance.uniform(0.5, 900.0), NOW + chance.randrange(10**7)
    details = []
    for detail in range(chance.randint(1, most)):
        sold = chance.random() < 0.5
        details.append(
            {
                "bkLoss": "0",
                "bkPx": f"{price * chance.uniform(0.99, 1.01):.4f}",
                "ccy": "",
                "posSide": "long" if sold else "short",
                "side": "sell" if sold else "buy",
                "sz": f"{chance.uniform(1, 500):.2f}",
                "ts": str(moment + detail),
            }
        )
    row = {"details": details, "instFamily": family, "instId": f"{family}-SWAP", "instType": "SWAP", "uly": family}
    return encoded({"arg": {"channel": "liquidation-orders", "instType": "SWAP"}, "data": [row]}), len(details)


FRAMES = {"binance": binance_frame, "bybit": bybit_frame, "okx": okx_frame}


def instruments_of(venue: str) -> Instruments:
    """The instruments of the corpus, as the venue's own answer would give them."""
    form, multiplier = ("{}-USDT-SWAP", 0.1) if venue == "okx" else ("{}USDT", 1.0)
    return Instruments(Instrument(form.format(coin), coin, ContractKind.LINEAR, multiplier) for coin in COINS)


def rate(read: Callable[..., object], frames: Sequence[bytes], received: int | None) -> float:
    """Frames per second of one pass; liquake's own way takes the time of receipt too, as the sockets give it."""
    begin = time.perf_counter()
    if received is None:
        for frame in frames:
            read(frame)
    else:
        for frame in frames:
            read(frame, received)
    return len(frames) / (time.perf_counter() - begin)


@contextmanager
def unscanned() -> Iterator[None]:
    """Decoders made in here read without the scanner."""
    kept = os.environ.get(shape.PURE)
    os.environ[shape.PURE] = "1"
    try:
        yield
    finally:
        if kept is None:
            del os.environ[shape.PURE]
        else:
            os.environ[shape.PURE] = kept


def measure(venue: str, most: int, count: int, rounds: int) -> dict[str, float | str]:
    """The medians of one venue with one row to `most` per frame, frames per second."""
    chance = random.Random(venue)
    corpus = [FRAMES[venue](chance, most) for _ in range(count)]
    frames, rows = [frame for frame, _ in corpus], sum(number for _, number in corpus)
    decode, received = find_venue(venue).decoder("bench", instruments_of(venue)).decode, (NOW + 10**7) * 1_000_000
    with unscanned():
        general = find_venue(venue).decoder("bench", instruments_of(venue)).decode
    events = [event for frame in frames for event in decode(frame, received)]
    if len(events) != rows or not all(type(event) is Liquidation and event.usd is not None for event in events):
        raise SystemExit(f"{venue}: {len(events)} events of {rows} rows, or not all of them whole")
    if events != [event for frame in frames for event in general(frame, received)]:
        raise SystemExit(f"{venue}: the scanner gives other events than msgspec")
    ways: dict[str, Callable[..., object]] = {
        "typed": msgspec.json.Decoder(TYPED[venue], strict=False).decode,
        "json.loads": json.loads,
        "unscanned": general,
        "liquake": decode,
    }
    gc.collect()
    rates: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(rounds):
        for name, read in ways.items():
            rates[name].append(rate(read, frames, received if read in (decode, general) else None))
    medians = {name: statistics.median(values) for name, values in rates.items()}
    return {
        "venue": venue,
        "rows per frame": rows / count,
        **medians,
        "unscanned ratio": ratio(rates["unscanned"], rates["typed"]),
        "ratio": ratio(rates["liquake"], rates["typed"]),
        "wanted": TARGETS[venue],
    }


def ratio(ours: Sequence[float], typed: Sequence[float]) -> float:
    """The median of the rounds' ratios."""
    return statistics.median(mine / theirs for mine, theirs in zip(ours, typed, strict=True))


def main() -> None:
    """Measure every venue and print."""
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    arguments.add_argument("--frames", type=int, default=4000, help="per venue and pass")
    arguments.add_argument("--rounds", type=int, default=25)
    arguments.add_argument("--json", action="store_true")
    chosen = arguments.parse_args()
    results = [measure(venue, most, chosen.frames, chosen.rounds) for venue, most in CORPORA]
    if chosen.json:
        print(json.dumps({"scanner": shape.compiled(), "results": results}))
        return
    if not shape.compiled():
        print("without the compiled scanner: the package was built without a C compiler, or LIQUAKE_PURE is set")
    print(
        f"{'frames/s':10}{'rows':>6}{'typed':>12}{'json.loads':>12}{'unscanned':>12}{'ratio':>7}{'liquake':>12}"
        f"{'ratio':>7}{'wanted':>8}"
    )
    for row in results:
        print(
            f"{row['venue']:10}{row['rows per frame']:6.2f}{row['typed']:12,.0f}{row['json.loads']:12,.0f}"
            f"{row['unscanned']:12,.0f}{row['unscanned ratio']:7.2f}{row['liquake']:12,.0f}{row['ratio']:7.2f}"
            f"{row['wanted']:8.2f}"
        )


if __name__ == "__main__":
    main()
