"""What happens to output that nobody takes any more."""

from __future__ import annotations

import os
import pty
import threading
from collections.abc import Iterator
from typing import TextIO

import pytest

from liquake.tui.output import Output, hung_up, takes_more


@pytest.fixture
def ends() -> Iterator[tuple[int, TextIO]]:
    """The reader's end of a terminal, and ours."""
    reader, inner = pty.openpty()
    with os.fdopen(inner, "w", encoding="utf-8") as file:
        yield reader, file
    try:
        os.close(reader)
    except OSError:
        # The test closed it.
        return


def test_output_is_what_was_written(ends: tuple[int, TextIO]) -> None:
    reader, file = ends
    output = Output(file)
    output.write("≥ 12\n")
    assert os.read(reader, 100).decode() == "≥ 12\r\n"
    output.close()
    assert not hung_up(file.fileno())


def test_output_after_the_terminal_is_gone_goes_nowhere(ends: tuple[int, TextIO]) -> None:
    reader, file = ends
    output = Output(file)
    os.close(reader)
    for text in "abcd":
        output.write(text)
        output.flush()
    assert (output.gone, hung_up(file.fileno()), output.fileno()) == (True, True, file.fileno())
    output.close()


def test_a_writer_waits_for_a_terminal_that_stands_still_until_it_leaves(ends: tuple[int, TextIO]) -> None:
    _, file = ends
    output = Output(file)
    writing = threading.Thread(target=output.write, args=("x" * 1_000_000,), daemon=True)
    writing.start()
    writing.join(0.3)
    assert (writing.is_alive(), takes_more(file.fileno())) == (True, False)
    output.leave()
    writing.join(30.0)
    assert (writing.is_alive(), output.gone) == (False, True)
    output.close()


def test_a_terminal_that_goes_on_is_given_the_rest(ends: tuple[int, TextIO]) -> None:
    reader, file = ends
    output = Output(file)
    writing = threading.Thread(target=output.write, args=("x" * 50_000,), daemon=True)
    writing.start()
    taken = 0
    while taken < 50_000:
        taken += len(os.read(reader, 4096))
    writing.join(30.0)
    assert (taken, output.gone) == (50_000, False)
    output.close()


def test_what_is_no_terminal_is_written_to_as_it_is() -> None:
    reader, writer = os.pipe()
    with os.fdopen(writer, "w", encoding="utf-8") as file:
        output = Output(file)
        output.write("abc")
        output.close()
        assert os.read(reader, 10) == b"abc"
    os.close(reader)
