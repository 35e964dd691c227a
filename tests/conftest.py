"""What every test may ask for."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from tests.servers import Valkey

# How long an example takes is the machine's business.
settings.register_profile("liquake", deadline=None)
settings.load_profile("liquake")

SHARED = Path(os.environ.get("LIQUAKE_SHARED", Path(__file__).parents[2] / "shared"))


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of recorded frames and data that are not part of the project; skips where it is absent."""
    if not SHARED.is_dir():
        pytest.skip(f"recorded data is not here: {SHARED} (set LIQUAKE_SHARED)")
    return SHARED


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[str]:
    """URL of an empty Redis."""
    folder = tmp_path / "valkey"
    folder.mkdir()
    server = Valkey(folder)
    server.start()
    yield server.url
    server.stop()
