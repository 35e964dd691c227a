"""Numbers as a trader reads them: short, with their unit, of bounded width, and never of the wrong sign.

Pure functions. What is not known is `None` and reads as a word, never as 0.
"""

from __future__ import annotations

from datetime import UTC, datetime
from math import ceil, floor, isfinite, log10

_SECOND = 1_000_000_000
_PREFIXES = ((1e12, "T"), (1e9, "B"), (1e6, "M"), (1e3, "k"))
_MOST_DECIMALS = 5
_LEAST_FIXED = 1e-7
"""Coins are quoted by the unit far below this: a price is never shown as 0."""
UNKNOWN = "unknown"


def count(value: int) -> str:
    """Whole things.

    >>> count(5816)
    '5,816'
    """
    return f"{value:,}"


def short(value: float) -> str:
    """Three significant digits and a prefix: at most 6 characters, 7 with a sign.

    >>> [short(value) for value in (0.0, 0.5, 8.294, 82.94, 999.6, 12_345.0, 1_240_000.0, -999_999.0)]
    ['0', '0.50', '8.29', '82.9', '1.00k', '12.3k', '1.24M', '-1.00M']
    """
    if value == 0.0 or not isfinite(value):
        return "0" if value == 0.0 else "?"
    magnitude = abs(value)
    magnitude = round(magnitude, 2 - floor(log10(magnitude))) if magnitude >= 1.0 else magnitude
    scale, prefix = next(((scale, prefix) for scale, prefix in _PREFIXES if magnitude >= scale), (1.0, ""))
    scaled = magnitude / scale
    decimals = 2 if scaled < 10.0 else 1 if scaled < 100.0 else 0
    return f"{'-' if value < 0 else ''}{scaled:,.{decimals}f}{prefix}"


def dollars(value: float | None) -> str:
    """US dollars in short form.

    >>> dollars(1_240_000.0), dollars(829.4), dollars(-12_345.0), dollars(None)
    ('$1.24M', '$829', '-$12.3k', 'unknown')
    """
    if value is None:
        return UNKNOWN
    text = short(value)
    return f"-${text[1:]}" if text.startswith("-") else f"${text}"


def exact_dollars(value: float | None) -> str:
    """US dollars to the cent.

    >>> exact_dollars(27526274.61), exact_dollars(-3.0), exact_dollars(None)
    ('$27,526,274.61', '-$3.00', 'unknown')
    """
    if value is None:
        return UNKNOWN
    return f"{'-' if value < 0 else ''}${abs(value):,.2f}"


def coins(amount: float | None, asset: str) -> str:
    """Coins in four significant digits, from a thousand on in short form, with the coin's name.

    >>> coins(0.12345, "BTC"), coins(12.3, "ETH"), coins(123_456.0, "DOGE"), coins(None, "BTC")
    ('0.1235 BTC', '12.30 ETH', '123k DOGE', 'size unknown')
    """
    if amount is None:
        return "size unknown"
    return f"{short(amount) if abs(amount) >= 1000.0 else significant(amount, 4)} {asset}"


def exact_coins(amount: float | None, asset: str) -> str:
    """Coins to four decimals, eight below one ten-thousandth.

    >>> exact_coins(46.7603, "BTC"), exact_coins(1234567.0, "PEPE"), exact_coins(0.00001234, "BTC")
    ('46.7603 BTC', '1,234,567.0000 PEPE', '0.00001234 BTC')
    """
    if amount is None:
        return f"{UNKNOWN} {asset}"
    return f"{amount:,.{8 if 0.0 < abs(amount) < 0.0001 else 4}f} {asset}"


def significant(value: float, digits: int) -> str:
    """A fixed-point number with `digits` significant digits, at most eight decimals; with an exponent where those would
    leave but one digit of it, or none.

    >>> significant(0.12345, 4), significant(99.999, 4), significant(0.0, 4), significant(0.00001234, 4)
    ('0.1235', '100.0', '0', '0.00001234')
    >>> significant(0.0000000012, 4)
    '1.200e-9'
    """
    if value == 0.0 or not isfinite(value):
        return "0" if value == 0.0 else "?"
    if abs(value) < _LEAST_FIXED:
        mantissa, _, exponent = f"{value:.{digits - 1}e}".partition("e")
        return f"{mantissa}e{int(exponent)}"
    rounded = round(value, digits - 1 - floor(log10(abs(value))))
    decimals = digits - 1 - floor(log10(abs(rounded)))
    return f"{rounded:,.{min(max(decimals, 0), 8)}f}"


def price(value: float) -> str:
    """A price in quote currency: cents from a hundred on, tenths from ten thousand on, else five significant digits.

    >>> price(67123.4), price(3456.78), price(1.23456), price(0.000012341)
    ('67,123.4', '3,456.78', '1.2346', '0.00001234')
    """
    if value >= 100.0:
        return f"{value:,.{1 if value >= 10_000.0 else 2}f}"
    return significant(value, 5)


def age(seconds: float | None) -> str:
    """How long ago, or for how long: at most six characters. What lies ahead of our clock reads as now.

    >>> [age(value) for value in (0.04, 9.94, 9.96, 59.6, 200.0, 3599.9, 7500.0, 200_000.0, -1.0, None)]
    ['0.0 s', '9.9 s', '10 s', '1m00s', '3m20s', '1h00m', '2h05m', '2d07h', '0.0 s', 'never']
    """
    if seconds is None:
        return "never"
    if seconds < 9.95:
        return f"{max(seconds, 0.0):.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60}m{whole % 60:02d}s"
    if whole < 86400:
        return f"{whole // 3600}h{whole % 3600 // 60:02d}m"
    days = whole // 86400
    return f"{days}d{whole % 86400 // 3600:02d}h" if days < 100 else f"{days} d"


def past(seconds: float) -> str:
    """How far back something reaches: whole minutes and hours in words, anything else like an age.

    >>> past(300.0), past(14_400.0), past(150.0), past(5_400.0)
    ('5 min', '4 h', '2m30s', '90 min')
    """
    whole = round(seconds)
    if whole % 60:
        return age(seconds)
    return f"{whole // 60} min" if whole % 3600 else f"{whole // 3600} h"


def runtime(seconds: float) -> str:
    """A clock that counts up.

    >>> runtime(0.0), runtime(3_725.9), runtime(90_061.0)
    ('00:00:00', '01:02:05', '1d 01:01:01')
    """
    whole = max(int(seconds), 0)
    days, rest = divmod(whole, 86400)
    clock = f"{rest // 3600:02d}:{rest % 3600 // 60:02d}:{rest % 60:02d}"
    return f"{days}d {clock}" if days else clock


def latency(milliseconds: float) -> str:
    """A duration measured in milliseconds.

    >>> [latency(value) for value in (0.084, 4.21, 41.3, 999.7, 1234.0, 2_400_000.0)]
    ['0.08 ms', '4.2 ms', '41 ms', '1.0 s', '1.2 s', '40m00s']
    """
    if milliseconds >= 59_950.0:
        return age(milliseconds / 1000.0)
    if milliseconds >= 999.5:
        return f"{milliseconds / 1000.0:.1f} s"
    decimals = 2 if milliseconds < 0.995 else 1 if milliseconds < 9.95 else 0
    return f"{milliseconds:.{decimals}f} ms"


def window(seconds: float) -> str:
    """The length of a window.

    >>> [window(value) for value in (0.1, 0.5, 2.0, 60.0)]
    ['100 ms', '500 ms', '2 s', '60 s']
    """
    return f"{seconds * 1000:g} ms" if seconds < 1.0 else f"{seconds:g} s"


def measurement(value: float, error: float, *, signed: bool, prefix: str = "") -> tuple[str, str]:
    """A value and its standard error, both cut where the error's second digit stands, in one common scale.

    The error is rounded up, so that it never reads as none; `prefix` goes between the value's sign and digits.

    >>> measurement(12.43, 1.08, signed=False)
    ('12.4', '1.1')
    >>> measurement(-1_240_000.0, 310_000.0, signed=True, prefix="$")
    ('-$1.24M', '0.31M')
    >>> measurement(0.0000003, 0.000002, signed=True)
    ('+0.00000', '0.00001')
    >>> measurement(0.0, 0.0, signed=True)
    ('0', '0')
    """
    largest = max(abs(value), error)
    if largest == 0.0 or not isfinite(largest):
        return ("0", "0") if largest == 0.0 else ("?", "?")
    digits = 1.0 if prefix else 10.0
    scale, suffix = next(((scale, suffix) for scale, suffix in _PREFIXES if largest >= digits * scale), (1.0, ""))
    scaled, noise = value / scale, error / scale
    decimals = min(max(1 - floor(log10(noise)), 0), _MOST_DECIMALS) if noise > 0.0 else 2
    noise = ceil(noise * 10**decimals - 1e-9) / 10**decimals
    sign = "-" if value < 0.0 else "+" if signed and value > 0.0 else ""
    return f"{sign}{prefix}{abs(scaled):,.{decimals}f}{suffix}", f"{noise:,.{decimals}f}{suffix}"


def percent(part: float, whole: float) -> str:
    """A share without decimals; nothing to share reads as a dash.

    >>> percent(1.0, 3.0), percent(0.0, 0.0)
    ('33%', '-')
    """
    return f"{100.0 * part / whole:.0f}%" if whole > 0.0 else "-"


def share(part: float) -> str:
    """How much of the whole, rounded down: what is not all of it never reads as all.

    >>> share(1.0), share(0.99999), share(0.5), share(0.0)
    ('100%', '99.9%', '50.0%', '0.0%')
    """
    return "100%" if part >= 1.0 else f"{int(part * 1_000) / 10:.1f}%"


def chance(probability: float | None) -> str:
    """A probability in percent; never 0 or 100, which none is.

    >>> chance(0.1234), chance(0.00012), chance(0.99996), chance(0.37), chance(None)
    ('12.3%', '<0.1%', '>99.9%', '37.0%', '-')
    """
    if probability is None:
        return "-"
    if probability < 0.001:
        return "<0.1%"
    return ">99.9%" if probability > 0.999 else f"{100.0 * probability:.1f}%"


def moment(ts: int) -> datetime:
    """UTC nanoseconds as a date and time."""
    return datetime.fromtimestamp(ts // _SECOND, UTC).replace(microsecond=ts % _SECOND // 1000)


def clock_time(ts: int, *, milliseconds: bool = False) -> str:
    """The UTC time of day.

    >>> clock_time(1_760_131_000_123_456_789), clock_time(1_760_131_000_123_456_789, milliseconds=True)
    ('21:16:40', '21:16:40.123')
    """
    text = f"{moment(ts):%H:%M:%S}"
    return f"{text}.{ts % _SECOND // 1_000_000:03d}" if milliseconds else text


def date_time(ts: int) -> str:
    """The UTC day and time.

    >>> date_time(1_760_131_000_123_456_789)
    '2025-10-10 21:16:40'
    """
    return f"{moment(ts):%Y-%m-%d %H:%M:%S}"
