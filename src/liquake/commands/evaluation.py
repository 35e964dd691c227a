"""`liquake score` and `liquake fit`: how good the cascade probability has been on a recording, and fitting it anew.

Runs over a whole file at once. They share nothing with `app`: no sockets, no screens, no task group, and they need
numpy, which no live run should have to import.
"""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from pathlib import Path

import msgspec

from liquake.analytics import score_report, scoring
from liquake.analytics.cascade import Model, encode
from liquake.analytics.training import Trained, train
from liquake.clock import SECOND
from liquake.errors import OutputError, SettingError, UnknownMarket
from liquake.ingest.recording import is_journal
from liquake.ingest.tape import read_tape
from liquake.model import CoverageKind, Liquidation, Side, Throttle, asset_of
from liquake.model.tape import Tape
from liquake.storage.reader import read_journal
from liquake.venues import VENUES

_DAY = 86_400 * SECOND


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked of a recording."""

    source: Path
    """A CSV or CSV.gz, or a journal."""
    horizon: float = 60.0
    """Seconds ahead."""
    train_share: float = 0.55
    """Of the time, from the start: fitted on. The rest is forecast and scored, and never looked at before."""
    symbols: tuple[str, ...] = ()
    """Markets, as a user writes them; every one where there is none."""
    side: Side | None = None
    """Whose liquidations make the cascade; both where `None`."""
    seed: int = 0
    """Of the bootstrap intervals."""
    throttles: Mapping[str, Throttle] = {}
    """By venue, where the recording was made under another rule than today's."""

    def check(self, *, whole: bool = False) -> None:
        """Raise `SettingError` for what cannot be asked. With `whole` nothing need be left to score on."""
        if not 1.0 <= self.horizon <= 3600.0:
            raise SettingError("--horizon", self.horizon, "give seconds from 1 to 3600")
        if not 0.0 < self.train_share <= 1.0 or (self.train_share == 1.0 and not whole):
            mend = "give a share of the time above 0 " + ("and at most 1" if whole else "and below 1")
            raise SettingError("--train-share", self.train_share, mend)


def score(question: Question, *, as_json: bool, diagram: Path | None = None) -> int:
    """Fit on the first part of a recording, forecast the rest, and print how it went."""
    question.check()
    if diagram is not None:
        if diagram.suffix.lower() != ".svg":
            raise SettingError("--diagram", str(diagram), "it is drawn as SVG: give a name that ends in .svg")
        _check_place(diagram)
    tape = _read(question.source, question.symbols)
    found = _scored(_trained(question, tape), question.seed)
    if as_json:
        sys.stdout.write(msgspec.json.format(msgspec.json.encode(found), indent=2).decode() + "\n")
    else:
        sys.stdout.write(score_report.text(found) + "\n")
    sys.stdout.flush()
    if diagram is not None:
        _write(diagram, score_report.reliability_svg(found).encode())
    return 0


def fit(question: Question, out: Path, note: str = "") -> int:
    """Write the model fitted on the first part of a recording, with the scores it earned on the rest."""
    question.check(whole=True)
    _check_place(out)
    tape = _read(question.source)
    trained = _trained(question, tape, _rules(tape, question.throttles), note)
    model = trained.model
    if question.train_share < 1.0:
        model = scoring.earned(model, _scored(trained, question.seed))
    _write(out, encode(model) + b"\n")
    sys.stdout.write(_fitted(model, out))
    return 0


def _read(source: Path, symbols: Sequence[str] = ()) -> Tape:
    asked = _Asked(symbols)
    tape = tape_of(source, asked)
    if symbols:
        asked.check(source)
        tape = msgspec.structs.replace(tape, name=f"{tape.name} ({', '.join(symbols)})")
    span = (tape.ts[-1] - tape.ts[0]) / _DAY if len(tape) else 0.0
    _say(f"{len(tape):,} rows of {', '.join(tape.venues) or 'no venue'} over {span:.1f} days in {tape.name}")
    if tape.unsized:
        _say(f"{tape.unsized:,} without known dollars are left out")
    return tape


def _trained(question: Question, tape: Tape, rules: Mapping[str, Throttle] | None = None, note: str = "") -> Trained:
    _say(f"fitting on the first {question.train_share:.0%} of the time")
    return train(tape, question.horizon, question.train_share, question.side, rules, note)


def _scored(trained: Trained, seed: int) -> scoring.Score:
    _say(f"scoring the other {1.0 - trained.model.provenance.train_share:.0%}, which the fit has not seen")
    return scoring.evaluate(trained, seed)


class _Asked:
    """Which coins are asked for, and which there were. Raises `UnknownMarket`."""

    def __init__(self, symbols: Sequence[str]) -> None:
        self._symbols: dict[str, str] = {}
        self._seen: set[str] = set()
        for symbol in symbols:
            asset = asset_of(symbol)
            if asset is None:
                raise UnknownMarket(symbol, "write it like BTC, BTCUSDT or btc-usdt-swap")
            self._symbols[asset] = symbol

    def __bool__(self) -> bool:
        return bool(self._symbols)

    def __call__(self, asset: str) -> bool:
        self._seen.add(asset)
        return asset in self._symbols

    def check(self, source: Path) -> None:
        """That there was something of each: a misspelt coin must not pass for a quiet one."""
        for asset, symbol in self._symbols.items():
            if asset not in self._seen:
                raise UnknownMarket(symbol, f"no liquidation in {source.name} is of {asset}")


def tape_of(source: Path, keep: Callable[[str], bool] | None = None) -> Tape:
    """The liquidations of a recording or journal, where `keep` is given of the coins that it says yes to; those of venues
    that show only a sample are left out.

    Raises `RecordingError`.
    """
    if not is_journal(source):
        return read_tape(source, keep or None)
    tape = Tape.of((event for event in _journalled(source) if not keep or keep(event.asset)), source.name)
    # The file's own bytes change with every commit and checkpoint; what was fitted on does not.
    columns = hashlib.sha256(b"".join(column.tobytes() for column in (tape.ts, tape.source, tape.usd)))
    return msgspec.structs.replace(tape, sha256=columns.hexdigest())


def _journalled(source: Path) -> Iterator[Liquidation]:
    samples = {name for name, venue in VENUES.items() if venue.coverage.kind is CoverageKind.SAMPLE}
    for event in read_journal(source):
        if isinstance(event, Liquidation) and event.venue not in samples:
            yield event


def throttles_of(pairs: list[str]) -> dict[str, Throttle]:
    """`["binance=latest"]` as rules by venue. Raises `SettingError`."""
    rules = {}
    for pair in pairs:
        name, _, rule = pair.partition("=")
        try:
            rules[name] = Throttle(rule)
        except ValueError:
            names = ", ".join(one.value for one in Throttle)
            raise SettingError("--throttle", pair, f"write it as VENUE=RULE, with a rule of {names}") from None
    return rules


def _rules(tape: Tape, told: Mapping[str, Throttle]) -> dict[str, Throttle]:
    """By venue, what it withheld when `tape` was recorded. Raises `SettingError` where only the user can know."""
    rules = {}
    for name in tape.venues:
        coverage = VENUES[name].coverage if name in VENUES else None
        if name in told:
            rules[name] = told[name]
        elif coverage is None:
            raise SettingError("--throttle", f"{name}=", f"liquake does not know this exchange: give {name}=none")
        elif coverage.since is not None and _day(tape.ts[0]) < coverage.since:
            why = f"its rule of today holds since {coverage.since} and the recording is older"
            raise SettingError("--throttle", f"{name}=", f"{why}: give {name}=none, latest or largest")
        else:
            rules[name] = coverage.throttle
    return rules


def _day(ts: int) -> date:
    return datetime.fromtimestamp(ts / SECOND, UTC).date()


def _fitted(model: Model, out: Path) -> str:
    told, scores = model.provenance, model.scores
    rules = ", ".join(f"{venue} ({rule.value})" for venue, rule in sorted(model.throttles.items()))
    lines = [
        f"{out}: at least ${model.baseline.threshold:,.0f} within {model.horizon:g} s",
        f"  fitted on {told.rows:,} rows, {told.first_day} to {told.last_day}, of {rules}",
        f"  base rate {model.baseline.base_rate:.2%}",
    ]
    if scores:
        lines += [_earned_line(model, "liquake"), _earned_line(model, "multiscale_rates")]
    else:
        lines.append("  nothing was left to score it on: it carries no scores")
    return "\n".join(lines) + "\n"


def _earned_line(model: Model, name: str) -> str:
    told = (("Brier skill", "brier_skill", "+.3f"), ("log loss", "log_loss", ".4f"), ("AUC", "auc", ".3f"))
    parts = [
        f"{words} {model.scores[f'{name}.{key}']:{form}}"
        for words, key, form in told
        if f"{name}.{key}" in model.scores
    ]
    return f"  {name} on the rest: {', '.join(parts)}"


def _check_place(path: Path) -> None:
    """Raise `OutputError` now rather than after minutes of work."""
    if path.is_dir():
        raise OutputError(path, "it is a folder: give a file name")
    folder = path.absolute().parent
    if not folder.is_dir():
        raise OutputError(path, "there is no such folder: make it first")
    if not os.access(path if path.exists() else folder, os.W_OK):
        raise OutputError(path, "no permission: give a path in a folder of yours")


def _write(path: Path, data: bytes) -> None:
    try:
        path.write_bytes(data)
    except OSError as error:
        raise OutputError(path, f"{error.strerror}: give another path") from None
    _say(f"wrote {path}")


def _say(words: str) -> None:
    print(f"liquake: {words}", file=sys.stderr, flush=True)  # noqa: T201
