"""A link that is opened while another is still being read."""

from __future__ import annotations

from collections.abc import Sequence

from liquake.ingest.link import Receiver
from liquake.model import Event, FeedState, FeedStatus, Gap, Scope


class Trial:
    """The receiver of a link that has yet to prove itself.

    What the venue says by it is passed on to `receiver`: it counts, whichever link brings it. What the link says of itself
    is held back until it is `taken`; of the feed, which another link still brings, none of it is true before.
    """

    def __init__(self, receiver: Receiver) -> None:
        self._receiver = receiver
        self._held: list[tuple[Sequence[Event], bytes, str]] = []
        self.refused: dict[str, str] = {}
        """Reason by topic."""

    def __call__(self, events: Sequence[Event], frame: bytes, connection: str, ts_recv: int) -> None:
        """Take the events of one frame, as a `Receiver`."""
        brought = tuple(event for event in events if not isinstance(event, FeedStatus | Scope | Gap))
        if brought:
            self._receiver(brought, frame, connection, ts_recv)
        # That its prices stopped is no gap: the other link was read.
        said = tuple(event for event in events if isinstance(event, FeedStatus | Scope))
        if said:
            self._held.append((said, b"" if brought else frame, connection))
        for event in said:
            if isinstance(event, FeedStatus) and event.state is FeedState.REJECTED:
                self.refused[event.topic] = event.reason

    def taken(self, now: int) -> None:
        """The link takes the other's place at `now`, UTC nanoseconds: say what it has said of itself."""
        for events, frame, connection in self._held:
            self._receiver(events, frame, connection, now)
        self._held.clear()
