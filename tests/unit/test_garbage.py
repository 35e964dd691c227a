from __future__ import annotations

import asyncio
import gc
import weakref
from contextlib import suppress

from liquake.garbage import collected


class Ring:
    """What only a look for garbage frees."""

    def __init__(self) -> None:
        self.itself = self


async def test_what_lived_long_and_is_garbage_goes_with_a_look_and_then_python_looks_itself() -> None:
    before = gc.get_threshold()
    task = asyncio.create_task(collected(every=0.01))
    await asyncio.sleep(0)
    assert gc.get_threshold()[2] > before[2]
    ring = Ring()
    left = weakref.ref(ring)
    del ring
    async with asyncio.timeout(20.0):
        while left() is not None:
            await asyncio.sleep(0.01)
    assert gc.get_freeze_count() > 0
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
    assert gc.get_threshold() == before
    assert gc.get_freeze_count() == 0


async def test_what_was_left_out_and_is_garbage_since_goes_with_a_look_at_everything() -> None:
    ring = Ring()
    left = weakref.ref(ring)
    task = asyncio.create_task(collected(every=0.001))
    await asyncio.sleep(0)
    del ring
    async with asyncio.timeout(20.0):
        while left() is not None:
            await asyncio.sleep(0.01)
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
