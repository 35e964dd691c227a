"""Garbage that no reference count frees, looked for when and where it holds nothing up for long.

By itself Python goes through everything that lives whenever enough has come to live. With hundreds of markets that takes
tens of milliseconds, several times in a second of which nothing is garbage, and no event is read meanwhile. What has
lived for a minute mostly lives as long as the run: it is left out (https://docs.python.org/3/library/gc.html#gc.freeze)
but for once in ten minutes.
"""

from __future__ import annotations

import asyncio
import gc

_MADE = 10_000
"""Objects that came and stayed after which the young are looked through."""
_AGAIN = 2
"""Such looks after which those that stayed are looked through once more: more of them would take longer at once."""
_NEVER = 1 << 30
LOOK_EVERY = 60.0
"""Seconds between two looks at what has come to live since the one before."""
_WHOLE = 10
"""Looks after which everything is gone through: what lived at a look may be garbage since, the picture on the screen too."""


async def collected(every: float = LOOK_EVERY) -> None:
    """Look for garbage until cancelled; then leave it to Python again."""
    before = gc.get_threshold()
    gc.set_threshold(_MADE, _AGAIN, _NEVER)
    looks = 0
    try:
        while True:
            if looks % _WHOLE == 0:
                gc.unfreeze()
            gc.collect()
            gc.freeze()
            looks += 1
            await asyncio.sleep(every)
    finally:
        gc.unfreeze()
        gc.set_threshold(*before)
