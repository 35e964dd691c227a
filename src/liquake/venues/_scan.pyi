from collections.abc import Callable

from liquake.model import Instrument, Liquidation, PriceBasis

class Shape:
    def __new__(cls, parts: tuple[object, ...], /) -> Shape: ...
    def scan(self, frame: object, /) -> tuple[object, ...] | None: ...

class Reader:
    def __new__(
        cls,
        shape: Shape,
        make: Callable[..., Liquidation],
        venue: str,
        basis: PriceBasis,
        listed: dict[str, Instrument],
        tolerance: int,
        places: tuple[int, ...],
        /,
    ) -> Reader: ...
    def read(self, frame: object, ts_recv: int, /) -> list[Liquidation] | None: ...
