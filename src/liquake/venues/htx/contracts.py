"""What the code of a contract says of it, and what the venue lists."""

from __future__ import annotations

import re
from functools import lru_cache

import msgspec

from liquake.model import ContractKind, Instrument
from liquake.model.instrument import unbundle

COIN_SWAPS = "https://huobiapi.github.io/docs/coin_margined_swap/v1/en/"
COIN_FUTURES = "https://huobiapi.github.io/docs/dm/v1/en/"

_LINEAR, _INVERSE = ContractKind.LINEAR, ContractKind.INVERSE

_LINEAR_CODE = re.compile(r"^(?P<base>\w+)-(USDT|USDC|HUSD)(-\d{6})?$")
_INVERSE_CODE = re.compile(r"^(?P<base>[A-Z0-9]+?)(-USD|\d{6})$")


@lru_cache(maxsize=4096)
def by_grammar(code: str) -> Instrument | None:
    """What the code says of a contract that is not listed; `None` for no code.

    BTC-USD and BTC261225 are inverse; BTC-USDT and BTC-USDT-261225 are linear, of a size that the code does not tell.
    """
    if found := _LINEAR_CODE.match(code):
        asset, bundle = unbundle(found["base"])
        return Instrument(code, asset, _LINEAR, None, bundle)
    if found := _INVERSE_CODE.match(code):
        base = found["base"]
        # "Contract Value (USD of one contract)": 100 of BTC, 10 of all others (COIN_SWAPS, COIN_FUTURES).
        return Instrument(code, base, _INVERSE, 100.0 if base == "BTC" else 10.0)
    return Instrument(code, code, _LINEAR, None) if code.isprintable() else None


class _Listed(msgspec.Struct):
    contract_code: str
    contract_size: float
    contract_status: int = 1


class ContractInfo(msgspec.Struct):
    """What the venue lists."""

    data: list[_Listed]


# "0: Delisting", "8: Delivered".
_ENDED = (0, 8)


def _instrument(row: _Listed) -> Instrument:
    by_code = by_grammar(row.contract_code) or Instrument(row.contract_code, row.contract_code, _LINEAR, None)
    if not (_LINEAR_CODE.match(row.contract_code) or _INVERSE_CODE.match(row.contract_code)):
        return by_code
    return msgspec.structs.replace(by_code, multiplier=row.contract_size)


def instruments_in(info: ContractInfo) -> list[Instrument]:
    """Those of `info` that have not ended."""
    return [_instrument(row) for row in info.data if row.contract_status not in _ENDED]
