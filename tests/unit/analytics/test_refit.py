from __future__ import annotations

import pickle
import subprocess
import sys

from liquake.analytics.refit import refitted
from liquake.analytics.training import fit, train
from liquake.model.tape import Tape
from tests.unit.analytics.tapes import SOURCES, clustered


def test_a_refit_says_who_excites_whom_and_crosses_between_processes() -> None:
    tape = clustered(10.0, seed=4)
    found = refitted(pickle.loads(pickle.dumps(tape)))
    assert found is not None
    assert len(found.cells) == len(SOURCES) ** 2
    assert all(cell.low <= cell.children <= cell.high for cell in found.cells)
    assert 0.0 < found.clustering < 2.0
    assert (found.events, found.start, found.end) == (len(tape), tape.ts[0], tape.ts[-1])
    assert pickle.loads(pickle.dumps(found)) == found


def test_too_few_events_say_nothing() -> None:
    assert refitted(Tape.of_rows([(1, SOURCES[0], 5.0, 1)], "short")) is None


def test_the_process_that_asks_for_a_refit_needs_no_numpy() -> None:
    code = "import sys, liquake.analytics.refit, liquake.engine.engine; sys.exit('numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_process_that_is_known_is_not_fitted_again() -> None:
    tape = clustered(12.0, seed=6)
    first = train(tape, share=1.0)
    assert fit(tape, process=first.process) == first.model
    assert train(tape, horizon=300.0, share=1.0, process=first.process).process is first.process
