"""What happens to output that nobody takes any more."""

from __future__ import annotations

import io

from liquake.tui.driver import Output


class _Gone(io.StringIO):
    """A terminal that goes away after two writes."""

    tries = 0

    def write(self, text: str) -> int:
        self.tries += 1
        if self.tries > 2:
            raise OSError(5, "Input/output error")
        return super().write(text)


def test_output_after_the_terminal_is_gone_goes_nowhere_and_is_not_tried_again() -> None:
    file = _Gone()
    output = Output(file)
    for text in "abcd":
        output.write(text)
        output.flush()
    assert (file.getvalue(), file.tries, output.gone) == ("ab", 3, True)
