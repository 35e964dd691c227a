"""Frames decoded to normalised liquidations per second, beside typed msgspec decoding alone and `json.loads`.

    python -m bench.decode [VENUE ...] [--frames N] [--rounds N] [--json]

The frames are made in `bench/corpora`, in the shapes the venues document, with many symbols. "typed" is msgspec alone,
which decodes the same bytes into the documented fields with their types and normalises nothing: no side, no multiplier,
no coin, no check of a value. "unscanned" is liquake without its compiled scanner, as it is where there is no C compiler.
All take turns, round after round, and the median of each is told, and of the ratios of the rounds to "typed": those hold
on a busy machine where the figures do not. Every round has fresh decoders: some venues' have a state.
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
from functools import partial

import msgspec
from bench.corpora import corpora
from bench.corpora.corpus import LATEST, Corpus

from liquake.model import DecodeError, Event, Instruments, Liquidation
from liquake.venues import shape
from liquake.venues.registry import find_venue

Read = Callable[[bytes], object]
RECEIVED = LATEST * 1_000_000


def rate(read: Callable[..., object], frames: Sequence[bytes], received: int | None = None) -> float:
    """Frames per second of one pass; liquake's own way takes the time of receipt too, as the sockets give it."""
    begin = time.process_time()
    # Not `read(frame, *received)`: to unpack arguments costs a Python function what it does not cost one in C.
    if received is None:
        for frame in frames:
            read(frame)
    else:
        for frame in frames:
            read(frame, received)
    return len(frames) / (time.process_time() - begin)


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


def typed_of(corpus: Corpus) -> Read:
    """Typed decoding of the bytes that the socket gives."""
    decode, unpacked = msgspec.json.Decoder(corpus.typed, strict=False).decode, corpus.unpacked
    if unpacked is None:
        return decode
    return lambda frame: decode(unpacked(frame))


def parsed_of(corpus: Corpus) -> Read:
    """The standard library's reading of the same."""
    unpacked = corpus.unpacked
    return json.loads if unpacked is None else lambda frame: json.loads(unpacked(frame))


def decode_of(corpus: Corpus, instruments: Instruments) -> Callable[[bytes, int], Sequence[Event]]:
    """A fresh decoder, or what reads instead of one."""
    if corpus.reader is not None:
        return corpus.reader(instruments)
    return find_venue(corpus.venue).decoder(corpus.connection, instruments).decode


def pure_of(corpus: Corpus, instruments: Instruments) -> Callable[[bytes, int], Sequence[Event]]:
    """A fresh decoder that does not scan."""
    with unscanned():
        return decode_of(corpus, instruments)


def checked(corpus: Corpus, frames: Sequence[bytes], liquidations: int, instruments: Instruments) -> None:
    """Exit where what is about to be measured does not do the work."""
    decode, pure = decode_of(corpus, instruments), pure_of(corpus, instruments)
    events = [event for frame in frames for event in decode(frame, RECEIVED)]
    found = [event for event in events if isinstance(event, Liquidation)]
    failed = [event.reason for event in events if isinstance(event, DecodeError)]
    if failed or len(found) != liquidations or any(event.usd is None for event in found):
        raise SystemExit(f"{corpus.name}: {len(found)} of {liquidations} liquidations, or not all whole; {failed[:1]}")
    if events != [event for frame in frames for event in pure(frame, RECEIVED)]:
        raise SystemExit(f"{corpus.name}: the scanner gives other events than msgspec")


def measure(corpus: Corpus, count: int, rounds: int) -> dict[str, float | str]:
    """The medians of one corpus, frames per second."""
    made = list(corpus.frames(random.Random(corpus.venue), count))
    frames, liquidations = [frame for frame, _ in made], sum(number for _, number in made)
    instruments = corpus.instruments()
    checked(corpus, frames, liquidations, instruments)
    typed, parsed = typed_of(corpus), parsed_of(corpus)
    gc.collect()
    ways: dict[str, Callable[[], float]] = {
        "typed": lambda: rate(typed, frames),
        "json.loads": lambda: rate(parsed, frames),
        "unscanned": lambda: rate(pure_of(corpus, instruments), frames, RECEIVED),
        "liquake": lambda: rate(decode_of(corpus, instruments), frames, RECEIVED),
    }
    rates: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(rounds):
        for name, way in ways.items():
            rates[name].append(way())
    ratio = partial(ratio_of, rates["typed"])
    return {
        "name": corpus.name,
        "liquidations per frame": liquidations / len(frames),
        **{name: statistics.median(values) for name, values in rates.items()},
        "unscanned ratio": ratio(rates["unscanned"]),
        "ratio": ratio(rates["liquake"]),
        "wanted": corpus.wanted,
    }


def ratio_of(typed: Sequence[float], ours: Sequence[float]) -> float:
    """The median of the rounds' ratios."""
    return statistics.median(mine / theirs for mine, theirs in zip(ours, typed, strict=True))


def main() -> None:
    """Measure every venue and print."""
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    arguments.add_argument("venues", nargs="*", help="all where none is named")
    arguments.add_argument("--frames", type=int, default=4000, help="per corpus and pass")
    arguments.add_argument("--rounds", type=int, default=25)
    arguments.add_argument("--json", action="store_true")
    chosen = arguments.parse_args()
    found = [corpus for corpus in corpora() if not chosen.venues or corpus.venue in chosen.venues]
    results = [measure(corpus, chosen.frames, chosen.rounds) for corpus in found]
    if chosen.json:
        print(json.dumps({"scanner": shape.compiled(), "results": results}))
        return
    if not shape.compiled():
        print("without the compiled scanner: the package was built without a C compiler, or LIQUAKE_PURE is set")
    print(
        f"{'frames/s':18}{'liq.':>6}{'typed':>12}{'json.loads':>12}{'unscanned':>12}{'ratio':>7}{'liquake':>12}"
        f"{'ratio':>7}{'wanted':>8}"
    )
    for row in results:
        print(
            f"{row['name']:18}{row['liquidations per frame']:6.2f}{row['typed']:12,.0f}{row['json.loads']:12,.0f}"
            f"{row['unscanned']:12,.0f}{row['unscanned ratio']:7.2f}{row['liquake']:12,.0f}{row['ratio']:7.2f}"
            f"{row['wanted']:8.2f}"
        )


if __name__ == "__main__":
    main()
