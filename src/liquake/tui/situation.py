"""Whether it is the market or the program that is silent, in a word and a sentence."""

from __future__ import annotations

import msgspec

from liquake.engine.snapshot import Snapshot, VenueState
from liquake.tui import formats
from liquake.tui.picture import Picture
from liquake.tui.status import Mode
from liquake.tui.theme import WORDS, in_trouble

QUIET = 60.0
"""Seconds without a liquidation from which silence needs a reason."""
_LONGEST_WINDOW = 60.0
_AWAY = ("away", "down", "failed")


class Situation(msgspec.Struct, frozen=True):
    """What state the screen is in. `word` is empty where nothing needs to be said."""

    word: str = ""
    sentence: str = ""
    token: str = "state.waiting"


def situation(picture: Picture) -> Situation:
    """The first that applies: over, connecting or cut off, degraded, warming up, quiet."""
    snapshot, status = picture.snapshot, picture.status
    replaying = status.mode is Mode.REPLAY
    if status.ended:
        return Situation("ENDED", "The recording is over: the left arrow goes back in it.")
    if not replaying and not live(picture):
        return _unheard(snapshot)
    troubles = [] if replaying else _troubles(picture)
    if troubles:
        return Situation("DEGRADED", "; ".join(troubles) + ". The other numbers go on.", "state.trouble")
    watched = 0.0 if snapshot.started is None else (snapshot.now - snapshot.started) / 1e9
    if watched < _LONGEST_WINDOW:
        return Situation("WARMING UP", f"Watching for {formats.age(watched)}: windows longer than that still fill.")
    return _quiet(picture, watched)


def live(picture: Picture) -> bool:
    """Whether any venue is heard: without one, no count is of now. A recording needs none."""
    replaying = picture.status.mode is Mode.REPLAY
    return replaying or any(WORDS[feed.state] == "live" for feed in picture.snapshot.venues)


def _unheard(snapshot: Snapshot) -> Situation:
    """No feed is live: not yet, or not any more."""
    if not any(feed.reconnects or in_trouble(feed.state) for feed in snapshot.venues):
        return Situation("CONNECTING", "No feed is live yet: silence means nothing so far.")
    heard = max((feed.last_recv for feed in snapshot.venues if feed.last_recv), default=None)
    since = None if heard is None else formats.age((snapshot.now - heard) / 1e9)
    last = "none has been heard" if since is None else f"the last was heard {since} ago"
    reasons = {connection.reason for feed in snapshot.venues for connection in feed.connections}
    # One for all of them is of this machine, or of the process that this screen looks at.
    why = f" All of them: {reason}." if len(reasons) == 1 and (reason := reasons.pop()) else ""
    return Situation("CUT OFF", f"No feed is live, {last}: no number is of now.{why}", "state.trouble")


def _quiet(picture: Picture, watched: float) -> Situation:
    """Nothing for a minute: the market's silence, proved by heartbeats."""
    snapshot = picture.snapshot
    newest = max((feed.last_liquidation for feed in snapshot.venues if feed.last_liquidation), default=None)
    silent = watched if newest is None else (snapshot.now - newest) / 1e9
    if silent < QUIET:
        return Situation()
    if picture.status.mode is Mode.REPLAY:
        return Situation(f"QUIET {formats.age(silent)}", "The recording holds no liquidation in this time.", "muted")
    alive = ", ".join(_pulse(feed, snapshot.now) for feed in snapshot.venues)
    return Situation(f"QUIET {formats.age(silent)}", f"The market is quiet, the feeds live: {alive}.", "state.live")


def _pulse(feed: VenueState, now: int) -> str:
    heard = "-" if feed.last_recv is None else formats.age((now - feed.last_recv) / 1e9)
    if feed.last_price_recv is None:
        return f"{feed.venue} heard {heard} ago"
    return f"{feed.venue} heard {heard} ago, price {formats.age((now - feed.last_price_recv) / 1e9)}"


def away(store: str) -> bool:
    """Whether what is said of a store means that nothing goes into it."""
    return any(word in store.lower() for word in _AWAY)


def _troubles(picture: Picture) -> list[str]:
    """Venues first, then what keeps the data."""
    snapshot, status = picture.snapshot, picture.status
    troubles = []
    for feed in snapshot.venues:
        if in_trouble(feed.state):
            since = min(c.since for c in feed.connections if c.state is feed.state)
            troubles.append(f"{feed.venue} {WORDS[feed.state]} for {formats.age((snapshot.now - since) / 1e9)}")
    services = (("redis", status.redis), ("database", status.database))
    troubles += [f"{name} {state}" for name, state in services if away(state)]
    if status.journal is not None and status.journal.error:
        troubles.append("the journal keeps nothing")
    if status.fault:
        troubles.append(f"the engine failed ({status.fault}), please report it: numbers may be wrong, all is kept")
    return troubles
