"""What an import drags in, seen from a fresh interpreter: static graphs cannot see deferred imports."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

HEAVY = ("aiohttp", "asyncio", "msgspec", "numpy", "redis", "rich", "sqlite3", "textual")


def loaded_by(code: str) -> set[str]:
    """The top-level packages a fresh interpreter has after `code`."""
    script = f"{code}\nimport sys; print(*{{name.split('.')[0] for name in sys.modules}}, file=sys.stderr)"
    # Without the coverage measurement that follows this run into its children, and imports what it needs itself.
    unmeasured = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE")}
    done = subprocess.run(
        [sys.executable, "-c", script], env=unmeasured, capture_output=True, text=True, check=True, timeout=60
    )
    return set(done.stderr.split())


@pytest.mark.parametrize(
    ("code", "unwanted"),
    [
        ("import liquake", set(HEAVY)),
        ("import liquake.model", {"aiohttp", "textual", "rich", "sqlite3", "redis", "numpy"}),
        ("import liquake.venues", {"aiohttp", "textual", "rich", "sqlite3", "redis", "numpy", "asyncio"}),
        ("import liquake.engine.engine", {"aiohttp", "textual", "rich", "sqlite3", "redis", "numpy", "asyncio"}),
        ("import liquake.ingest.supervisor", {"textual", "rich", "sqlite3", "redis", "numpy"}),
        ("import liquake.tui.plain", {"textual", "aiohttp", "sqlite3", "redis", "numpy"}),
        # Whether its client is installed is no matter of an address that cannot be.
        ("import liquake.cli\nliquake.cli.main(['monitor', '--source', 'postgresql://x'])", {"redis", "textual"}),
        (
            "import liquake.cli\ntry: liquake.cli.main(['--help'])\nexcept SystemExit: pass",
            {"aiohttp", "asyncio", "textual", "rich", "sqlite3", "redis", "numpy"},
        ),
    ],
)
def test_an_import_brings_only_what_it_needs(code: str, unwanted: set[str]) -> None:
    assert loaded_by(code) & unwanted == set()
