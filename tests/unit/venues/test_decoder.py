"""What a decoder makes of a frame that is not in the shape of data, where its venue says nothing else of such frames."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from liquake.model import DecodeError, Event, Instruments
from liquake.venues import Decoder


class Bare(Decoder):
    def decode(self, frame: bytes | str, ts_recv: int) -> Sequence[Event]:
        return self.examine(frame, ts_recv)


@pytest.mark.parametrize(("frame", "reason"), [("{}", "neither data nor a known answer"), ("{", "truncated")])
def test_a_frame_that_means_nothing_is_a_failure_that_holds_it(frame: str, reason: str) -> None:
    [failure] = Bare("toy", "only", Instruments()).decode(frame, 7)
    assert isinstance(failure, DecodeError)
    assert reason in failure.reason
    assert (failure.frame, failure.ts) == (frame.encode(), 7)
