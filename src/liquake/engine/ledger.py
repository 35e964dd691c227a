"""What became of the feeds: connections, refusals, gaps, unreadable frames."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator

from liquake.analytics.silence import Silence
from liquake.engine.coverage import Span
from liquake.engine.reach import Reach, concerns
from liquake.engine.snapshot import ConnectionState, FeedRecord, Outage
from liquake.model import DecodeError, FeedEvent, FeedState, FeedStatus, Gap, Listing, Scope
from liquake.model.feed import LIQUIDATIONS

HISTORY_LENGTH = 200
GAPS_REMEMBERED = 1_000
"""Gaps of a venue that a later message can still declare recovered."""
OUTAGES_SHOWN = 50

_PROVEN, _INFERRED = "history", "rates"
"""What a silence is found by: the first leaves no doubt, and whoever tells of it tells of the gap too."""

_UP = (FeedState.SUBSCRIBED, FeedState.RESUMED)
_DOWN = (FeedState.DISCONNECTED, FeedState.STALE, FeedState.DARK)
_AUDIBLE = (*_UP, FeedState.CLOSING)


class Feed:
    """One venue's connections and troubles."""

    def __init__(self, remembered: int = GAPS_REMEMBERED) -> None:
        self._remembered = remembered
        self.connections: dict[str, ConnectionState] = {}
        self.refusals: dict[tuple[str, str], str] = {}
        """Reason by connection and topic."""
        self.connected_at = 0
        """Our clock when a connection last came up, or those that were mute spoke: what happened before comes from the
        venue's memory, if at all."""
        self.reconnects = 0
        self.gaps = 0
        self.gap_nanoseconds = 0
        self.errors = 0
        self.last_error = ""
        self._dropped: set[str] = set()
        self.heard_since: int | None = None
        """When a connection was first up, our clock; `None` before, and where nothing is known of any."""
        self._down: dict[str, int] = {}
        """Since when, by connection."""
        self._gaps: dict[tuple[str, int, int], Outage] = {}
        self._lost: dict[tuple[str, int, int], Scope | None] = {}
        """What the connection of each gap brought when it opened."""
        self.reach = Reach()
        self._silent: dict[str, ConnectionState] = {}
        """By what found it: that no liquidations come although they should."""

    def status(self, status: FeedStatus) -> bool:
        """Take a connection's new state. Whether it is news: one more subscription of many is not."""
        if status.connection == LIQUIDATIONS:
            return self._prove(status)
        name, state = status.connection, status.state
        held = self.connections.get(name)
        if state is FeedState.REJECTED:
            self.refusals[name, status.topic] = status.reason
            if held is not None and held.state in _UP:
                return True
        elif state is FeedState.SUBSCRIBED:
            self.refusals.pop((name, status.topic), None)
            if held is not None and held.state in _UP:
                return False
        elif state is FeedState.CONNECTING:
            for refused in [key for key in self.refusals if key[0] == name]:
                del self.refusals[refused]
        elif state is FeedState.CONNECTED:
            self.connected_at = status.ts
            self.reconnects += name in self._dropped
            self._dropped.discard(name)
        elif state is FeedState.DISCONNECTED:
            self._dropped.add(name)
        self._note(name, state, status.ts)
        self.connections[name] = ConnectionState(name, state, status.ts, status.reason)
        return True

    def recall(self, event: FeedEvent) -> None:
        """What became of it before this process began: of its connections no more than when they were heard."""
        if isinstance(event, FeedStatus):
            self._note(event.connection, event.state, event.ts)
        elif isinstance(event, Gap):
            self.gap(event)
        elif isinstance(event, Scope | Listing):
            self.reach.take(event)

    def silent_since(self, moment: int) -> int:
        """`moment`, or when the first of the connections had gone down that had not come back by then."""
        return min((moment, *self._down.values()))

    def _note(self, name: str, state: FeedState, ts: int) -> None:
        if state in _UP:
            self._down.pop(name, None)
            if self.heard_since is None:
                self.heard_since = ts
        elif state in _DOWN and self.heard_since is not None:
            # Through all attempts to come back.
            self._down.setdefault(name, ts)

    def gap(self, gap: Gap) -> None:
        """Count a gap that opened; take back one that has been refilled."""
        key = (gap.connection, gap.start, gap.end)
        held = self._gaps.get(key)
        if gap.recovered and (held is None or held.recovered):
            return
        if not gap.recovered and held is not None:
            return
        if not gap.connection:
            # Nobody listened at all: it holds whatever had been down before.
            self._down.clear()
            if not gap.recovered:
                self.reach.begin_again(gap.end)
        sign = -1 if gap.recovered else 1
        self.gaps += sign
        self.gap_nanoseconds += sign * (gap.end - gap.start)
        cause = gap.cause if held is None else held.cause
        self._gaps[key] = Outage(gap.start, gap.end, cause, gap.recovered)
        self._lost.setdefault(key, self.reach.scope(gap.connection))
        if len(self._gaps) > self._remembered:
            oldest = next(iter(self._gaps))
            del self._gaps[oldest], self._lost[oldest]

    def audible(self) -> bool:
        """Whether liquidations would be heard: some connection is up, or nothing is known of any (a recording).

        Of sockets that are proven mute it is known that they would not.
        """
        states = [held.state for name, held in self.connections.items() if name != LIQUIDATIONS]
        return not self.mute and (not states or any(state in _AUDIBLE for state in states))

    def heard(self, time: int) -> bool:
        """Whether a liquidation of `time` was sent on this connection, however long under way: late is not silent.

        While the sockets are proven mute it is the history that tells of it.
        """
        return time >= self.connected_at and not self.mute

    @property
    def mute(self) -> bool:
        """Whether the venue's own history proves that its sockets do not bring what they should."""
        return _PROVEN in self._silent

    def _prove(self, status: FeedStatus) -> bool:
        """Hold what the history says of the sockets. That they speak again ends what the others' rates say, too."""
        if status.state is FeedState.DARK:
            self._silent[_PROVEN] = ConnectionState(LIQUIDATIONS, status.state, status.ts, status.reason)
        else:
            self._silent.clear()
            self.connected_at = max(self.connected_at, status.ts)
        self._note(LIQUIDATIONS, status.state, status.ts)
        self._show_silence()
        return True

    def hush(self, silence: Silence) -> bool:
        """Hold that the others' rates say that the venue is dark. Whether it was not before."""
        reason = (
            f"no liquidation where the others' rates let expect {silence.expected:.0f}, p {silence.p_value:.0e}, "
            f"found after {(silence.found - silence.since) / 1e9:.0f} s"
        )
        news = not self._silent
        self._silent[_INFERRED] = ConnectionState(LIQUIDATIONS, FeedState.DARK, silence.since, reason)
        self._show_silence()
        return news

    @property
    def dark(self) -> bool:
        """Whether it is held to be silent although it should not be."""
        return any(held.state is FeedState.DARK for held in self.connections.values())

    def speak(self) -> ConnectionState | None:
        """Let go of what the others' rates said: what was held of it, if that leaves a gap nobody else tells of."""
        held = self._silent.pop(_INFERRED, None)
        self._show_silence()
        return None if self.mute else held

    def _show_silence(self) -> None:
        held = self._silent.get(_PROVEN) or self._silent.get(_INFERRED)
        if held is None:
            self.connections.pop(LIQUIDATIONS, None)
        else:
            self.connections[LIQUIDATIONS] = held

    def outages(self) -> tuple[Outage, ...]:
        """The latest gaps that have not been refilled, the newest last."""
        return tuple(gap for gap in self._gaps.values() if not gap.recovered)[-OUTAGES_SHOWN:]

    def rows(self) -> tuple[Outage, ...]:
        """The latest gaps, refilled or not, the newest last."""
        return tuple(self._gaps.values())[-OUTAGES_SHOWN:]

    def every_gap(self, asset: str | None) -> tuple[Outage, ...]:
        """All that are remembered in which liquidations of `asset` may be missing, of any where `None`."""
        return tuple(gap for key, gap in self._gaps.items() if concerns(self._lost[key], asset))

    def unheard(self, now: int, asset: str | None = None) -> Iterator[Span]:
        """The times in which events of `asset`, of any where `None`, may be missing, those that go on included; they may
        overlap."""
        for key, gap in self._gaps.items():
            if not gap.recovered and concerns(self._lost[key], asset):
                yield gap.start, gap.end
        for name, since in self._down.items():
            if concerns(self.reach.scope(name), asset):
                yield since, now
        if asset is not None:
            yield from self.reach.without(asset, now)
        if (dark := self.connections.get(LIQUIDATIONS)) is not None:
            yield dark.since, now

    def error(self, error: DecodeError) -> None:
        """Count something that could not be read."""
        self.errors += 1
        self.last_error = error.reason

    def rejected(self) -> tuple[str, ...]:
        """The refused subscriptions, each with its reason."""
        return tuple(f"{topic}: {reason}" if reason else topic for (_, topic), reason in self.refusals.items())


class History:
    """The latest lines of what happened to all feeds. A run of unreadable frames makes one."""

    def __init__(self) -> None:
        self._records: deque[FeedRecord] = deque(maxlen=HISTORY_LENGTH)
        self._unreadable: tuple[str, str] | None = None

    def status(self, status: FeedStatus) -> None:
        """Write a line for a connection's new state."""
        detail = ": ".join(part for part in (status.topic, status.reason) if part)
        self._write(status.ts, status.venue, status.connection, f"{status.state} {detail}".rstrip())

    def gap(self, gap: Gap) -> None:
        """Write a line for a gap that opened or was refilled."""
        outcome = "refilled" if gap.recovered else "events may be missing"
        what = f"gap of {(gap.end - gap.start) / 1e9:.1f} s, {gap.cause}: {outcome}"
        self._write(gap.end, gap.venue, gap.connection, what)

    def error(self, error: DecodeError) -> None:
        """Write a line for the first of a run of frames that could not be read."""
        source = (error.venue, error.connection)
        if self._unreadable != source:
            self._write(error.ts, error.venue, error.connection, f"unreadable: {error.reason}")
            self._unreadable = source

    def _write(self, ts: int, venue: str, connection: str, what: str) -> None:
        self._unreadable = None
        self._records.append(FeedRecord(ts, venue, connection, what))

    def records(self) -> tuple[FeedRecord, ...]:
        """The newest last."""
        return tuple(self._records)
