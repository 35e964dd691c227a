"""How good the cascade probability is on a recording: fit on its first part, score on the rest.

    python bench/score.py [RECORDING] [--horizon 60] [--train-share 0.55] [--seed 0] [--side LONG]
                          [--venue binance_usdm=binance] [--throttle binance=latest]
                          [--note TEXT] [--json] [--svg FILE] [--model FILE]

RECORDING defaults to the Binance recording of January 2023 in LIQUAKE_SHARED (default ../shared). --model writes the
model fitted on the first part, with the scores it earned.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from pathlib import Path

import msgspec

from liquake.analytics import score_report, scoring
from liquake.analytics.cascade import encode
from liquake.analytics.training import train
from liquake.ingest.tape import read_tape
from liquake.model import Side, Throttle

SHARED = Path(os.environ.get("LIQUAKE_SHARED", Path(__file__).parents[1].parent / "shared"))
RECORDING = SHARED / "data" / "buckets_binance_jan2023_krishna.csv.gz"


def main() -> int:
    given = _arguments()
    if not given.recording.exists():
        print(f"skipped: {given.recording} is not here (set LIQUAKE_SHARED)")
        return 0
    began = time.perf_counter()
    tape = read_tape(given.recording, dict(pair.split("=") for pair in given.venue))
    rules = {venue: Throttle(rule) for venue, rule in (pair.split("=") for pair in given.throttle)}
    trained = train(tape, given.horizon, given.train_share, given.side, rules, given.note)
    score = scoring.evaluate(trained, given.seed)
    if given.json:
        sys.stdout.write(msgspec.json.format(msgspec.json.encode(score), indent=2).decode() + "\n")
    else:
        print(score_report.text(score))
        print(f"{time.perf_counter() - began:.1f} s")
    if given.svg:
        given.svg.write_text(score_report.reliability_svg(score), encoding="utf-8")
    if given.model:
        given.model.write_bytes(encode(scoring.earned(trained.model, score)) + b"\n")
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("recording", nargs="?", type=Path, default=RECORDING)
    parser.add_argument("--horizon", type=float, default=60.0)
    parser.add_argument("--train-share", type=float, default=0.55)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--side", type=Side, default=None)
    parser.add_argument("--venue", action="append", default=["binance_usdm=binance", "okx_swap=okx"])
    parser.add_argument("--throttle", action="append", default=["binance=latest", "okx=latest"])
    parser.add_argument("--note", default="")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--svg", type=Path)
    parser.add_argument("--model", type=Path)
    return parser.parse_args()


if __name__ == "__main__":
    raise SystemExit(main())
