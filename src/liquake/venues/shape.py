"""Frames byte for byte in the shape their venue documents, read in one pass where the package was built with a C compiler.

Nearly all frames of a venue are alike but for a few values. A `Shape` says what they look like, in the order in which
the venue writes it; its scanner, `_scan*.c`, gives the values. Whatever is not exactly so (another order, a new field, an
escape, an exponent, a value out of bounds) it leaves alone, and the venue's decoder reads it by msgspec, as it reads
everything where there is no scanner. Both give the same events: `tests/property/test_shapes.py`.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from importlib import import_module
from types import ModuleType
from typing import Annotated, Any, Literal, get_args, get_origin

import msgspec

from liquake.model import FUTURE_TOLERANCE, Instrument, Instruments, Liquidation, PriceBasis, Side


def _built() -> ModuleType | None:
    try:
        return import_module("liquake.venues._scan")
    except ImportError:
        return None


_VERSION = 2
"""Of what this module and the scanner say to each other; `_scan.h` has the same."""


def _fitting(built: ModuleType | None) -> ModuleType | None:
    """`built`, unless it was built from another version's sources and left lying there."""
    return built if getattr(built, "VERSION", None) == _VERSION else None


_scan = _fitting(_built())

Scan = Callable[[bytes | str], tuple[Any, ...] | None]
"""The kept values of a frame, or `None` where it is not in the shape."""
Read = Callable[[bytes | str, int], tuple[Liquidation, ...] | None]
"""The liquidations of a frame and its time of receipt, or `None` where that is for the general way."""
Make = Callable[[tuple[tuple[Any, ...], ...], int], tuple[Liquidation, ...] | None]
"""The liquidations of rows and their time of receipt, or `None` where these are for the general way."""
PURE = "LIQUAKE_PURE"
"""The variable of the environment that, when set, keeps decoders made from then on from scanning."""


def compiled() -> bool:
    """Whether decoders made now scan."""
    return _scan is not None and not os.environ.get(PURE)


class _Field(msgspec.Struct, frozen=True):
    """A part of a shape as the scanner takes it: its name, whether it is kept, and what it may be."""

    name: str
    kept: bool
    bounds: tuple[Any, ...]

    @property
    def plain(self) -> tuple[str, bool, tuple[Any, ...]]:
        return self.name, self.kept, self.bounds


class Columns(msgspec.Struct, frozen=True):
    """What the values are that a shape keeps."""

    row: str
    """Those of a row by their names in their order: "symbol", "side", "price", "size", "milliseconds" and whatever else it
    has. Without a "side" sizes above zero are of longs, and those below of shorts; a "kind" that is not `None` is what the
    contract has to be."""
    basis: PriceBasis
    """What the price is the price of."""
    beside: str = ""
    """Those beside the rows, which are called "rows", where the frame has such."""
    identity: tuple[str, ...] = ()
    """Names of values, "second", and between them text, which make the `id` one after another."""
    unique: bool = False
    """Whether no two rows have the same identity."""
    in_dollars: bool = False
    """Whether the venue counts dollars, whatever its contracts do."""


class Contracts(msgspec.Struct, frozen=True):
    """What the symbols of a venue stand for."""

    venue: str
    listed: Instruments
    by_name: Callable[[str], Instrument | None]
    """What a symbol alone says of its contract, for one that is not listed."""


class Shape:
    """What frames of one kind look like: literal text, and between it the types of the values that are kept.

    A type is one that the structs of the venues use: `str`, `float` and `int`, bare or annotated with bounds, and a
    `Literal` of words. Numbers stand in quotes where the literals around them have these. Begins with a literal.
    """

    def __init__(self, *parts: object) -> None:
        self._compiled = None if _scan is None else _scan.Shape(_plain(parts))

    @property
    def scan(self) -> Scan | None:
        """What reads a frame; `None` where there is no scanner, or `LIQUAKE_PURE` is set."""
        return self._compiled.scan if self._compiled is not None and compiled() else None

    def reader(self, columns: Columns, contracts: Contracts) -> Read | None:
        """What makes liquidations of a frame; `None` where `scan` is.

        A row whose "forced", or without that "side", is `None` is no liquidation. The answer is `None`, too, for a contract
        that is not just so and so many coins or dollars, for a time that has not come yet, and, unless identities are
        unique, for two rows that have all in common.
        """
        made = self._reader(columns, contracts, "side")
        read: Read | None = None if made is None else made.read
        return read

    def maker(self, columns: Columns, contracts: Contracts) -> Make | None:
        """What makes liquidations of rows that were scanned already, for decoders that have more to see in them.

        All as in `reader`, but for rows that have all in common, which are liquidations each, and for a row without a
        "side", which makes the answer `None`. Without "milliseconds" liquidations are as of their receipt.
        """
        made = self._reader(msgspec.structs.replace(columns, unique=True), contracts, "forced")
        make: Make | None = None if made is None else made.make
        return make

    def _reader(self, columns: Columns, contracts: Contracts, forced: str) -> Any:
        if _scan is None or not compiled():
            return None
        within, without = columns.row.split(), columns.beside.split()
        rows = without.index("rows") if without else -1
        symbol = within.index("symbol") if "symbol" in within else -1 - without.index("symbol")
        forced = "forced" if "forced" in within else forced
        wanted = (_place(within, name) for name in ("side", "price", "size", "milliseconds", forced, "kind"))
        pieces = tuple(_piece(within, without, name) for name in columns.identity)
        sides = (None, None) if "side" in within else (Side.LONG, Side.SHORT)
        return _scan.Reader(
            self._compiled,
            Liquidation,
            contracts.venue,
            columns.basis,
            (contracts.listed.by_code, contracts.by_name, columns.in_dollars),
            FUTURE_TOLERANCE,
            (rows, symbol, *wanted),
            (pieces, columns.unique),
            sides,
        )


def _place(within: list[str], name: str) -> int:
    return within.index(name) if name in within else -1


def _piece(within: list[str], without: list[str], name: str) -> tuple[int, int] | bytes:
    """The place of what is called `name` and its unit, for the reader; `name` itself where nothing is."""
    if name == "second":
        return within.index("milliseconds"), 1000
    if name in within:
        return within.index(name), 1
    return (-1 - without.index(name), 1) if name in without else name.encode()


def one_of(meanings: Mapping[str, object]) -> object:
    """One of some texts, quotes and all where they have some, kept as what it means."""
    return _Field("choice", True, tuple((text.encode(), meanings[text]) for text in sorted(meanings, reverse=True)))


def ending(kind: object, text: str) -> object:
    """Text of type `kind` that ends with `text`, which is kept as a part of it."""
    return _but(kind, "text", _ENDING, text.encode())


def passing(kind: object) -> object:
    """Text of type `kind` that hardly ever comes again: it is not remembered at the cost of what does."""
    return _but(kind, "text", _PASSING, True)


def opposite(kind: object) -> object:
    """A number of type `kind`, kept with the other sign."""
    return _but(kind, "number", _OPPOSITE, True)


def loose(kind: object) -> object:
    """A number of type `kind`, in quotes or without."""
    return _but(kind, "number", _LOOSE, True)


def or_null(kind: object) -> object:
    """A number of type `kind`, or null: kept as `None`."""
    return _but(kind, "number", _NULLABLE, True)


def written(kind: object) -> object:
    """An integer of type `kind`, kept as its text."""
    return _but(kind, "integer", _WRITTEN, True)


def moment(least: int = 0) -> object:
    """A time as "2026-11-21T08:00:00.000Z", kept as milliseconds since 1970, `least` of them or more."""
    return _Field("moment", True, (least, _LARGEST))


def skipped(kind: object) -> object:
    """A value of type `kind` that is checked and not kept."""
    field = _field(kind)
    return _Field(field.name, False, field.bounds)


def maybe(*parts: object) -> object:
    """Parts that may be left out together. What they keep is then `None`."""
    return _Field("maybe", True, _plain(parts))


def either(*ways: tuple[object, ...]) -> object:
    """One of some sequences of parts that keep the same values: the first whose first literal is there."""
    return _Field("either", True, tuple(map(_plain, ways)))


def rows(*parts: object) -> object:
    """Parts that come once or more, with commas between: kept as a tuple of tuples."""
    return _Field("rows", True, _plain(parts))


def _plain(parts: tuple[object, ...]) -> tuple[Any, ...]:
    return tuple(part.encode() if isinstance(part, str) else _field(part).plain for part in parts)


_LONGEST, _LARGEST, _HIGHEST = 2**31, 10**18, 1e300
# Where among the bounds of a text, of a number and of an integer what is more than these stands.
_ENDING, _PASSING = 2, 3
_OPPOSITE, _LOOSE, _NULLABLE = 2, 3, 4
_WRITTEN = 2


def _but(kind: object, name: str, place: int, bound: object) -> _Field:
    """The `name` that `kind` is, with another bound at `place`."""
    field = _field(kind)
    if field.name != name:
        raise TypeError(f"{kind!r} is no {name}")
    return _Field(name, field.kept, (*field.bounds[:place], bound, *field.bounds[place + 1 :]))


def _field(kind: object) -> _Field:
    """`kind` for the scanner, with the bounds that msgspec would hold it to."""
    if isinstance(kind, _Field):
        return kind
    if get_origin(kind) is Literal:
        return _field(one_of({word: word for word in get_args(kind)}))
    bare, meta = kind, msgspec.Meta()
    if get_origin(kind) is Annotated:
        bare, meta = get_args(kind)
    if bare is str:
        return _Field("text", True, (meta.min_length or 0, meta.max_length or _LONGEST, b"", False))
    if bare is float:
        return _Field("number", True, (_or(meta.ge, 0.0), _or(meta.le, _HIGHEST), False, False, False))
    if bare is int:
        return _Field("integer", True, (_or(meta.ge, 0), _or(meta.le, _LARGEST), False))
    raise TypeError(f"{kind!r} has no place in a shape")


def _or(bound: float | None, otherwise: float) -> float:
    return otherwise if bound is None else bound
