"""The door: arguments to settings, settings to one run. Nothing else.

Whatever draws, connects or stores is imported by the run it belongs to, so that `--help` answers at once.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NoReturn

import liquake
from liquake.config import Settings, load, sentence
from liquake.errors import LiquakeError, SettingError, UsageError

_EPILOG = """\
liquake shows; it does not advise. Feeds of most exchanges leave liquidations out: `liquake venues` says which and why.
"""

_EXAMPLES = {
    "monitor": "liquake monitor --exchanges binance bybit --symbols BTC ETH --refresh 1",
    "demo": "liquake demo --scenario oct10 --seed 7",
    "overview": "liquake overview --source demo",
    "cumulative": "liquake cumulative --symbols BTC ETH",
    "tape": "liquake tape --source recording.csv.gz",
    "glance": "liquake glance --symbols BTC",
    "market": "liquake market --exchanges binance bybit",
    "charts": "liquake charts --source demo",
    "replay": "liquake replay recording.csv.gz --speed 60",
    "decode": "liquake decode okx frames.jsonl --instruments okx-instruments.json",
    "venues": "liquake venues --json",
    "doctor": "liquake doctor",
}


_WHAT = {"theme": "NAME", "view": "NAME"}
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
    "export_on_exit",
)
"""Settings of every command that shows a screen of events as they happen."""
_VIEWS = {
    "overview": "totals, shares and sides of what was liquidated",
    "cumulative": "the sums over six windows by exchange, market and side",
    "tape": "every liquidation as it comes",
    "glance": "six numbers readable from across the room",
    "market": "a line per coin: price, last liquidation, the last hour",
    "charts": "velocity, price and sides over time",
}


class _Parser(argparse.ArgumentParser):
    """Says what is wrong in one sentence."""

    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{message}; try `{self.prog} --help`")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; the exit code: 0, 1 for a failure, 2 for a question that cannot be answered."""
    try:
        told = _parser().parse_args(sys.argv[1:] if arguments is None else arguments)
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
    _add_views(commands)
    _add_replay(commands)
    _add_decode(commands)
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
        elif name in ("refresh", "duration"):
            parser.add_argument(flag, type=float, metavar="SECONDS", help=words)
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
        from liquake import app

        return app.monitor(_settings(told))

    parser = _command(commands, "monitor", "watch liquidations live on the exchanges' own feeds", run)
    _add_settings(parser, *_SHOWN)


def _add_demo(commands: argparse._SubParsersAction[_Parser]) -> None:
    def run(told: argparse.Namespace) -> int:
        from liquake import app

        return app.demo(_settings(told), told.scenario, told.seed)

    parser = _command(commands, "demo", "the same on simulated exchanges, no network needed", run)
    parser.add_argument("--scenario", default="busy", metavar="NAME", help="what the simulated market does; see below")
    parser.add_argument("--seed", type=int, default=7, help="the same seed gives the same market (default 7)")
    parser.epilog = "scenarios: calm, busy (default), flash, grind, oct10, outage, saturated, poisson\n" + (
        parser.epilog or ""
    )
    _add_settings(parser, *_SHOWN)


def _add_views(commands: argparse._SubParsersAction[_Parser]) -> None:
    for name, words in _VIEWS.items():
        parser = _command(commands, name, words, _view_of(name))
        parser.add_argument(
            "--source", default="live", metavar="SOURCE", help="live (default), demo, or a recording or journal"
        )
        _add_settings(parser, *(setting for setting in _SHOWN if setting != "view"))


def _view_of(name: str) -> Callable[[argparse.Namespace], int]:
    def run(told: argparse.Namespace) -> int:
        from liquake import app

        told.view = name
        settings = _settings(told)
        if told.source == "live":
            return app.monitor(settings)
        if told.source == "demo":
            return app.demo(settings, "busy", 7)
        return app.replay(settings, Path(told.source), 1.0, as_json=False)

    return run


def _add_replay(commands: argparse._SubParsersAction[_Parser]) -> None:
    def run(told: argparse.Namespace) -> int:
        from liquake import app

        return app.replay(_settings(told), told.file, _speed(told.speed), as_json=told.json)

    parser = _command(commands, "replay", "a recording through the same engine and screens", run)
    parser.add_argument("file", type=Path, metavar="FILE", help="a CSV or CSV.gz recording, or a journal")
    parser.add_argument("--speed", default="1", metavar="N", help="times real speed: 1 (default), 60, any number, max")
    parser.add_argument("--json", action="store_true", help="print only the final statistics, as one JSON object")
    _add_settings(parser, "symbols", "refresh", "duration", "plain", "view", "theme", "samples", "export_on_exit")


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
        from liquake import app

        return app.decode(told.venue, told.file, told.instruments)

    parser = _command(commands, "decode", "raw frames of one exchange to events, a JSON line for each line", run)
    parser.add_argument("venue", metavar="VENUE", help="exchange whose frames they are")
    parser.add_argument("file", nargs="?", type=Path, metavar="FILE", help="frames, one per line; standard input else")
    parser.add_argument(
        "--instruments",
        action="append",
        type=Path,
        default=[],
        metavar="FILE",
        help="the exchange's own instruments answer: without it, what needs an unknown multiplier is null; repeatable",
    )


def _add_venues(commands: argparse._SubParsersAction[_Parser]) -> None:
    def run(told: argparse.Namespace) -> int:
        from liquake import app

        return app.venues(as_json=told.json)

    parser = _command(commands, "venues", "what each exchange's feed contains, means and leaves out", run)
    parser.add_argument("--json", action="store_true", help="as JSON")


def _add_doctor(commands: argparse._SubParsersAction[_Parser]) -> None:
    def run(told: argparse.Namespace) -> int:
        from liquake import app

        return app.doctor(_settings(told), as_json=told.json)

    parser = _command(commands, "doctor", "what works on this machine: exchanges, terminal, data folder, versions", run)
    parser.add_argument("--json", action="store_true", help="as JSON")
    _add_settings(parser, "exchanges", "journal")
