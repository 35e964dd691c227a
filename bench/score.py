"""The cascade probability against its baselines, on the Binance recording of January 2023: what docs/probability.md quotes.

    python bench/score.py

The recording is read from LIQUAKE_SHARED (default ../shared); without it nothing is measured. The same for any other
recording: `liquake score SOURCE`.
"""

from __future__ import annotations

import os
import time
from pathlib import Path

from liquake.commands import evaluation

SHARED = Path(os.environ.get("LIQUAKE_SHARED", Path(__file__).parents[1].parent / "shared"))
RECORDING = SHARED / "data" / "buckets_binance_jan2023_krishna.csv.gz"


def main() -> int:
    if not RECORDING.exists():
        print(f"skipped: {RECORDING} is not here (set LIQUAKE_SHARED)")
        return 0
    began = time.perf_counter()
    evaluation.score(evaluation.Question(source=RECORDING), as_json=False)
    print(f"{time.perf_counter() - began:.1f} s")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
