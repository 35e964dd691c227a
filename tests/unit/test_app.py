"""What a run does beside its work."""

from __future__ import annotations

import subprocess
import sys

_ALONE = """
import asyncio
from multiprocessing import spawn
from liquake import app
from liquake.engine.engine import Engine

app._REFIT_PROCESS_AFTER = app._REFIT_EVERY = 0.0
app._REFIT_LEAST = 0
spawn.set_executable("/nowhere/python")
asyncio.run(app.refit(lambda: Engine({})))
print("went on")
"""


def test_a_run_goes_on_where_no_process_can_be_started_that_fits() -> None:
    # In a process of its own: what becomes of the machinery of processes is for good.
    done = subprocess.run([sys.executable, "-c", _ALONE], capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout) == (0, "went on\n"), done.stderr
