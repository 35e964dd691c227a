"""The door: arguments to settings, settings to one run. Nothing else.

Whatever draws, connects or stores is imported by the run it belongs to, so that `--help` answers at once.
"""

from __future__ import annotations

import argparse
import shlex
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import msgspec

import liquake
from liquake.config import Settings, load, sentence
from liquake.errors import LiquakeError, SettingError, UsageError

if TYPE_CHECKING:
    from liquake.commands.evaluation import Question

_EPILOG = """\
liquake shows; it does not advise. Feeds of most exchanges leave liquidations out: `liquake venues` says which and why.
"""

_KINDS = ("csv", "jsonl", "parquet")
_STORES = ("keep", "archive", "redis", "keys", "database", "database_days")
"""Settings of what stands behind the journal."""

_EXAMPLES = {
    "monitor": "liquake monitor --exchanges binance bybit --symbols BTC ETH --refresh 1",
    "demo": "liquake demo --scenario oct10 --seed 7",
    "collect": "liquake collect --redis redis://localhost --database postgresql://me@localhost/liquake",
    "overview": "liquake overview --source demo",
    "cumulative": "liquake cumulative --symbols BTC ETH",
    "tape": "liquake tape --source recording.csv.gz",
    "glance": "liquake glance --symbols BTC",
    "market": "liquake market --exchanges binance bybit",
    "charts": "liquake charts --source demo",
    "risk": "liquake risk --source demo",
    "signals": "liquake signals --source demo",
    "record": "liquake record frames.jsonl.gz --exchanges okx bybit --duration 3600",
    "replay": "liquake replay recording.csv.gz --speed 60",
    "decode": "liquake decode okx frames.jsonl --instruments okx-instruments.json",
    "score": "liquake score recording.csv.gz --horizon 60 --diagram reliability.svg",
    "fit": "liquake fit journal.db --out mine.json",
    "analyze": "liquake analyze --redis redis://10.0.0.7",
    "check": "liquake check --json",
    "export": "liquake export --output fall.parquet --from 2025-10-10T21:00 --to 2025-10-10T22:00 --symbols BTC",
    "venues": "liquake venues --check --exchanges all",
    "doctor": "liquake doctor",
}


_WHAT = {
    "theme": "NAME",
    "view": "NAME",
    "models": "PATH",
    "archive": "FOLDER",
    "refresh": "SECONDS",
    "duration": "SECONDS",
    "database_days": "DAYS",
    "keep": "DAYS",
    "redis": "URL",
    "database": "URL",
    "source": "URL",
}
_SHOWN = (
    "exchanges",
    "symbols",
    "refresh",
    "duration",
    "plain",
    "view",
    "theme",
    "samples",
    "journal",
    "models",
    "export_on_exit",
)
"""Settings of every command that shows a screen of events as they happen."""
_VIEWS = {
    "overview": "totals, shares and sides of what was liquidated",
    "cumulative": "the sums over six windows by exchange, market and side",
    "tape": "every liquidation as it comes",
    "glance": "six numbers readable from across the room",
    "market": "a line per coin: price, last liquidation, the last hour",
    "charts": "velocity, price, sides and cascades over time",
    "risk": "how likely a cascade is, and what makes it so; regime, correlation",
    "signals": "levels that signals reach, and alerts, as they are published",
}


_CLOSED = """\
When its terminal goes away (a closed window, a broken connection) it goes on without a screen, as long as it has a
journal: `liquake monitor --source JOURNAL` shows it again, SIGTERM ends it.
"""


class _Parser(argparse.ArgumentParser):
    """Says what is wrong in one sentence."""

    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{message}; try `{self.prog} --help`")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; the exit code: 0, 1 for a failure, 2 for a question that cannot be answered."""
    try:
        told = _told(sys.argv[1:] if arguments is None else arguments)
        run: Callable[[argparse.Namespace], int] = told.run
        return run(told)
    except LiquakeError as error:
        print(f"liquake: {error}", file=sys.stderr)  # noqa: T201
        return error.exit_code
    except BrokenPipeError:
        # The reader of our output has gone; Python would complain once more when it flushes at exit.
        sys.stdout = None
        return 1
    except KeyboardInterrupt:
        return 130


def _told(arguments: Sequence[str]) -> argparse.Namespace:
    parser = _parser()
    if arguments and arguments[0].startswith("--") and arguments[0] not in ("--help", "--version"):
        # argparse would take the option's value for the command.
        parser.error(f"{arguments[0]} comes after a command: liquake monitor {shlex.join(arguments)}")
    return parser.parse_args(arguments)


def _parser() -> _Parser:
    parser = _Parser(
        prog="liquake",
        description=liquake.__doc__,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"liquake {liquake.__version__}")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    _add_monitor(commands)
    _add_demo(commands)
    _add_collect(commands)
    _add_views(commands)
    _add_record(commands)
    _add_replay(commands)
    _add_decode(commands)
    _add_score(commands)
    _add_fit(commands)
    _add_analyze(commands)
    _add_check(commands)
    _add_export(commands)
    _add_venues(commands)
    _add_doctor(commands)
    return parser


def _command(
    commands: argparse._SubParsersAction[_Parser], name: str, words: str, run: Callable[[argparse.Namespace], int]
) -> _Parser:
    parser = commands.add_parser(
        name,
        help=words,
        description=words[0].upper() + words[1:] + ".",
        epilog=f"example: {_EXAMPLES[name]}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.set_defaults(run=run)
    return parser


def _add_settings(parser: _Parser, *names: str) -> None:
    for name in names:
        flag, words = f"--{name.replace('_', '-')}", sentence(name)
        if name in ("exchanges", "symbols"):
            parser.add_argument(flag, nargs="+", metavar="NAME", help=words)
        elif name == "keys":
            parser.add_argument(flag, choices=("on", "off"), help=words)
        elif name in ("plain", "samples"):
            parser.add_argument(flag, action="store_true", default=None, help=words)
        else:
            parser.add_argument(flag, metavar=_WHAT.get(name, "FILE"), help=words)
    parser.add_argument("--config", type=Path, metavar="FILE", help="settings file (TOML) instead of the user's own")


def _settings(told: argparse.Namespace) -> Settings:
    flags = {name: getattr(told, name, None) for name in Settings.__struct_fields__}
    return load(flags, file=told.config or _user_file())


def _user_file() -> Path | None:
    from platformdirs import user_config_path

    file = user_config_path("liquake") / "settings.toml"
    return file if file.is_file() else None


def _add_monitor(commands: argparse._SubParsersAction[_Parser]) -> None:
    def run(told: argparse.Namespace) -> int:
        from liquake.commands.monitor import monitor

        return monitor(_settings(told))

    parser = _command(commands, "monitor", "watch liquidations live on the exchanges' own feeds", run)
    parser.epilog = f"{_CLOSED}\n{parser.epilog}"
    _add_settings(parser, "source", *_SHOWN, *_STORES)


def _add_collect(commands: argparse._SubParsersAction[_Parser]) -> None:
    def run(told: argparse.Namespace) -> int:
        from liquake.commands.collect import collect

        return collect(_settings(told))

    parser = _command(commands, "collect", "keep what the exchanges send, without a screen: for a server", run)
    _add_settings(parser, "exchanges", "symbols", "duration", "samples", "journal", "models", *_STORES)


def _add_demo(commands: argparse._SubParsersAction[_Parser]) -> None:
    def run(told: argparse.Namespace) -> int:
        from liquake.commands.demo import demo

        return demo(_settings(told), told.scenario, told.seed)

    parser = _command(commands, "demo", "the same on simulated exchanges, no network needed", run)
    parser.add_argument("--scenario", default="flash", metavar="NAME", help="what the simulated market does; see below")
    parser.add_argument("--seed", type=int, default=7, help="the same seed gives the same market (default 7)")
    parser.epilog = (
        "scenarios: flash (default, the first sweep within half a minute), calm, busy, grind, oct10, outage, saturated, poisson\n"
        + (parser.epilog or "")
    )
    _add_settings(parser, *_SHOWN)


def _add_views(commands: argparse._SubParsersAction[_Parser]) -> None:
    for name, words in _VIEWS.items():
        parser = _command(commands, name, words, _view_of(name))
        _add_settings(parser, "source", *(setting for setting in _SHOWN if setting != "view"), *_STORES)


def _view_of(name: str) -> Callable[[argparse.Namespace], int]:
    def run(told: argparse.Namespace) -> int:
        from liquake.commands.monitor import monitor

        told.view = name
        return monitor(_settings(told))

    return run


def _add_record(commands: argparse._SubParsersAction[_Parser]) -> None:
    def run(told: argparse.Namespace) -> int:
        from liquake.commands.record import record

        return record(_settings(told), told.file)

    parser = _command(commands, "record", "keep the exchanges' raw frames in a file, to replay or to decode", run)
    parser.add_argument("file", type=Path, metavar="FILE", help="a new file of JSON lines, compressed: frames.jsonl.gz")
    _add_settings(parser, "exchanges", "symbols", "duration")


def _add_replay(commands: argparse._SubParsersAction[_Parser]) -> None:
    def run(told: argparse.Namespace) -> int:
        from liquake.commands.replay import replay

        return replay(_settings(told), told.file, _speed(told.speed), as_json=told.json)

    parser = _command(commands, "replay", "a recording through the same engine and screens", run)
    parser.add_argument("file", type=Path, metavar="FILE", help="raw frames, a CSV or CSV.gz recording, or a journal")
    parser.add_argument("--speed", default="1", metavar="N", help="times real speed: 1 (default), 60, any number, max")
    parser.add_argument("--json", action="store_true", help="print only the final statistics, as one JSON object")
    _add_settings(
        parser, "symbols", "refresh", "duration", "plain", "view", "theme", "samples", "models", "export_on_exit"
    )


def _speed(text: str) -> float | None:
    if text == "max":
        return None
    try:
        speed = float(text)
    except ValueError:
        speed = 0.0
    if not 0.0 < speed < 1e9:
        raise SettingError("--speed", text, "give a number above 0, or max")
    return speed


def _add_decode(commands: argparse._SubParsersAction[_Parser]) -> None:
    def run(told: argparse.Namespace) -> int:
        from liquake.commands.decode import decode

        return decode(told.venue, told.file, told.instruments, told.lines, told.fixture)

    parser = _command(commands, "decode", "raw frames of one exchange to events, a JSON line for each line", run)
    parser.add_argument("venue", metavar="VENUE", help="exchange whose frames they are")
    parser.add_argument(
        "file", nargs="?", type=Path, metavar="FILE", help="frames, one per line, or what `record` wrote"
    )
    parser.add_argument("--lines", nargs="+", default=(), metavar="N", help="only of these lines: 7, or 7-9")
    parser.add_argument(
        "--fixture", type=Path, metavar="FILE", help="a new file of the frames with what they give, for tests"
    )
    parser.add_argument(
        "--instruments",
        action="append",
        type=Path,
        default=[],
        metavar="FILE",
        help="the exchange's own instruments answer: without it, what needs an unknown multiplier is null; repeatable",
    )


def _add_score(commands: argparse._SubParsersAction[_Parser]) -> None:
    def run(told: argparse.Namespace) -> int:
        from liquake.commands import evaluation

        return evaluation.score(_question(told), as_json=told.json, diagram=told.diagram)

    parser = _command(commands, "score", "how good the cascade probability has been on a recording", run)
    _add_question(parser)
    parser.add_argument("--symbols", nargs="+", default=(), metavar="NAME", help="of these markets only; else of all")
    parser.add_argument("--json", action="store_true", help="as one JSON object")
    parser.add_argument("--diagram", type=Path, metavar="FILE", help="draw the reliability diagram to this SVG file")


def _add_fit(commands: argparse._SubParsersAction[_Parser]) -> None:
    def run(told: argparse.Namespace) -> int:
        from liquake.commands import evaluation

        question = msgspec.structs.replace(_question(told), throttles=evaluation.throttles_of(told.throttle))
        return evaluation.fit(question, told.out, told.note)

    parser = _command(commands, "fit", "fit the cascade probability on a recording of one's own", run)
    _add_question(parser)
    parser.add_argument("--out", type=Path, required=True, metavar="FILE", help="where the model goes, as JSON")
    parser.add_argument("--note", default="", metavar="TEXT", help="kept in the model beside where it comes from")
    parser.add_argument(
        "--throttle",
        action="append",
        default=[],
        metavar="VENUE=RULE",
        help="what the exchange withheld when this was recorded (none, latest, largest), if not what it does today",
    )


def _add_question(parser: _Parser) -> None:
    parser.add_argument("source", type=Path, metavar="SOURCE", help="a CSV or CSV.gz recording, or a journal")
    parser.add_argument("--horizon", type=float, default=60.0, metavar="SECONDS", help="how far ahead (default 60)")
    parser.add_argument(
        "--train-share", type=float, default=0.55, metavar="SHARE", help="of the time is fitted on (default 0.55)"
    )
    parser.add_argument("--side", choices=("long", "short"), help="cascades of this side alone; else of both together")
    parser.add_argument("--seed", type=int, default=0, help="of the bootstrap intervals (default 0)")


def _question(told: argparse.Namespace) -> Question:
    from liquake.commands.evaluation import Question
    from liquake.model import Side

    return Question(
        source=told.source,
        horizon=told.horizon,
        train_share=told.train_share,
        symbols=tuple(getattr(told, "symbols", ())),
        side=None if told.side is None else Side(told.side.upper()),
        seed=told.seed,
    )


def _add_analyze(commands: argparse._SubParsersAction[_Parser]) -> None:
    def run(told: argparse.Namespace) -> int:
        from liquake.commands.analyze import analyze

        return analyze(_settings(told))

    words = "the engine on the events of a Redis stream, for a second machine; a second one waits to take over"
    parser = _command(commands, "analyze", words, run)
    _add_settings(parser, "redis", "exchanges", "symbols", "duration", "samples", "models")


def _add_check(commands: argparse._SubParsersAction[_Parser]) -> None:
    def run(told: argparse.Namespace) -> int:
        from liquake.commands.check import check

        return check(_settings(told), as_json=told.json)

    parser = _command(commands, "check", "whether what is stored can be true, and is the same in every store", run)
    parser.add_argument("--json", action="store_true", help="as JSON")
    _add_settings(parser, "journal", "archive", "redis", "database", "database_days")


def _add_export(commands: argparse._SubParsersAction[_Parser]) -> None:
    def run(told: argparse.Namespace) -> int:
        from liquake.commands.export import export, select

        settings = _settings(told)
        selection = select(
            start=told.start, end=told.end, venues=told.exchanges, markets=told.symbols, side=told.side, usd=told.usd
        )
        return export(settings, _kind(told.format, told.output), told.output, selection)

    parser = _command(commands, "export", "what the journal and its archive hold as CSV, JSON lines or Parquet", run)
    parser.add_argument("--output", type=Path, metavar="FILE", help="a new file; standard output where none is given")
    parser.add_argument(
        "--format",
        choices=_KINDS,
        help="csv where neither this nor the file's name says otherwise",
    )
    parser.add_argument("--from", dest="start", metavar="TIME", help="from this event time on: 2025-10-10T21:15, UTC")
    parser.add_argument("--to", dest="end", metavar="TIME", help="before this event time")
    parser.add_argument("--side", choices=("long", "short"), help="the position that was liquidated")
    parser.add_argument("--usd", type=float, metavar="DOLLARS", help="at least so large; unknown sizes are left out")
    parser.add_argument("--exchanges", nargs="+", metavar="NAME", help="of these exchanges only")
    parser.add_argument("--symbols", nargs="+", metavar="NAME", help="of these markets only")
    _add_settings(parser, "journal", "archive")


def _kind(told: str | None, output: Path | None) -> str:
    suffix = "" if output is None else output.suffix[1:]
    return told or (suffix if suffix in _KINDS else "csv")


def _add_venues(commands: argparse._SubParsersAction[_Parser]) -> None:
    def run(told: argparse.Namespace) -> int:
        from liquake.commands.venues import check, venues

        if not told.check:
            return venues(told.exchanges or (), as_json=told.json)
        # What is listed is checked, whatever is listened to otherwise.
        told.exchanges = told.exchanges or ["all"]
        return check(_settings(told), as_json=told.json)

    words = "what each exchange's feed contains, means and leaves out; with --check, whether it works now"
    parser = _command(commands, "venues", words, run)
    parser.add_argument("--check", action="store_true", help="listen to each until it has proved that it works")
    parser.add_argument("--json", action="store_true", help="as JSON")
    _add_settings(parser, "exchanges", "duration")


def _add_doctor(commands: argparse._SubParsersAction[_Parser]) -> None:
    def run(told: argparse.Namespace) -> int:
        from liquake.commands.doctor import doctor

        return doctor(_settings(told), as_json=told.json)

    parser = _command(commands, "doctor", "what works on this machine: exchanges, terminal, data folder, versions", run)
    parser.add_argument("--json", action="store_true", help="as JSON")
    _add_settings(parser, "exchanges", "journal", "redis", "database")
