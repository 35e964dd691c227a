"""What `liquake venues`, `check` and `doctor` print: plain entries, a label and its text on each line."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

_LABEL = 13
_NARROWEST = 60


def venues_text(rows: Iterable[Mapping[str, Any]], others: Sequence[Mapping[str, Any]], width: int) -> str:
    """An entry per venue. `rows` hold the keys of `liquake venues --json`; `width` in terminal cells.

    `others` are the venues that are known and not supported.
    """
    width = max(width, _NARROWEST)
    entries = ["\n".join(_venue(row, width)) + "\n" for row in rows]
    if others:
        lines = [line for row in others for line in _other(row, width)]
        entries.append("\n".join(["known, and not supported", *lines]) + "\n")
    return "\n".join(entries)


def _other(row: Mapping[str, Any], width: int) -> Iterator[str]:
    yield from _entry(row["title"], row["why"], width)
    yield from _entry("", row["source"], width)


def _venue(row: Mapping[str, Any], width: int) -> Iterator[str]:
    since = f" since {row['since']}" if row["since"] else ""
    throttle = "" if row["throttle"] == "none" else f", the {row['throttle']} order of each interval survives"
    yield f"{row['title']} ({row['venue']})"
    entries = [
        ("coverage", f"{row['coverage']}{since}{throttle}"),
        ("", row["contains"]),
        ("channel", row["channel"]),
        ("side", row["side"]),
        ("unit", row["unit"]),
        ("price", row["price"]),
        ("history", row["history"]),
        *(("endpoint", _endpoint(endpoint)) for endpoint in row["endpoints"]),
        ("documented", row["source"]),
    ]
    for label, text in entries:
        yield from _entry(label, text, width)


def _endpoint(endpoint: Mapping[str, Any]) -> str:
    start, end = endpoint["valid_from"], endpoint["valid_until"]
    return str(endpoint["url"]) + (f", from {start}" if start else "") + (f", until {end}" if end else "")


def _entry(label: str, text: str, width: int) -> list[str]:
    return textwrap.wrap(
        text,
        width,
        initial_indent=f"  {label:<{_LABEL}}",
        subsequent_indent=" " * (_LABEL + 2),
        break_long_words=False,
        break_on_hyphens=False,
    )


def doctor_text(found: Mapping[str, Any]) -> str:
    """What works, what does not, and why. `found` holds the keys of `liquake doctor --json`."""
    lines = ["versions", *_pairs(found["versions"]), "terminal", *_pairs(found["terminal"])]
    lines += ["data folder", *_pairs(found["data folder"])]
    if found["stores"]:
        lines += ["stores behind the journal", *_stores(found["stores"])]
    lines += ["exchanges", *_answers(found["venues"])]
    return "\n".join(lines) + "\n"


def check_text(findings: Sequence[Mapping[str, Any]]) -> str:
    """A line per finding, and how many are wrong. `findings` hold the keys of `liquake check --json`."""
    width = max((len(row["place"]) for row in findings), default=0) + 2
    lines = [
        f"{'ok' if row['ok'] else 'WRONG':<6}{row['tier']:<10}{row['rule']:<18}{row['place']:<{width}}{row['detail']}"
        for row in findings
    ]
    wrong = sum(not row["ok"] for row in findings)
    lines.append(
        f"{wrong} of {len(findings)} findings are wrong" if wrong else f"all {len(findings)} findings are right"
    )
    return "\n".join(line.rstrip() for line in lines) + "\n"


def _pairs(values: Mapping[str, Any]) -> Iterator[str]:
    for name, value in values.items():
        if value != "":
            yield f"  {name:<{_LABEL}}{_word(value)}"


def _word(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:,}" if isinstance(value, int) else str(value)


def _stores(stores: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    for row in stores:
        yield f"  {row['store']:<{_LABEL}}{row['trouble'] or row['address'] + ': ' + row['found'] + _to_come(row)}"


def _to_come(store: Mapping[str, Any]) -> str:
    if store["behind"] is None:
        return ""
    since = "" if store["lag"] is None else f", the first for {store['lag']:,.0f} s"
    return f", {store['behind']:,}{'+' * store['more']} rows of the journal still to come{since}"


def _answers(venues: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    for row in venues:
        heard = f": {row['acknowledged']} subscribed, {row['instruments']:,} instruments"
        yield f"  {row['venue']:<{_LABEL}}{row['verdict']}{': ' + row['words'] if row['words'] else heard}"


def probe_text(rows: Sequence[Mapping[str, Any]]) -> str:
    """A line per venue that was listened to. `rows` hold the keys of `liquake venues --check --json`."""
    lines = [f"{'exchange':<{_LABEL}}{'':<13}{'instruments':>11}{'subscribed':>12}{'prices':>8}{'pings':>8}   after"]
    for row in rows:
        subscribed = f"{row['acknowledged']}/{row['asked']}"
        prices, pings = (f"{row[name]}/{row['connections']}" for name in ("prices", "heartbeats"))
        line = f"{row['venue']:<{_LABEL}}{row['verdict']:<13}{row['instruments']:>11,}{subscribed:>12}"
        lines.append(f"{line}{prices:>8}{pings:>8}   {row['seconds']:.1f} s")
    lines += [f"{row['venue']} {row['verdict']}: {row['words']}" for row in rows if row["words"]]
    return "\n".join(lines) + "\n"
