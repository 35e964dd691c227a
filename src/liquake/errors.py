"""Everything liquake can fail with.

    LiquakeError
    ├── UsageError                  the user asked for something that cannot be: exit code 2
    │   ├── UnknownVenue
    │   ├── UnknownMarket
    │   ├── UnknownScenario
    │   ├── SettingError
    │   └── RecordingError          a file to replay or decode that cannot be read as one
    ├── InstrumentsError            a venue's instruments answer that cannot be read
    ├── JournalError                the journal cannot be opened or written
    │   └── JournalBusy             another process writes it
    ├── ExportError                 a file for the statistics cannot be written
    ├── SimulatorError              the simulated venues do not start
    └── Unreachable                 a venue does not answer from here

Every message is one sentence that names the value and, where there is one, the mend.
"""

from __future__ import annotations

from collections.abc import Iterable


class LiquakeError(Exception):
    """Base of all of them. `exit_code` is what the command line leaves with."""

    exit_code = 1


class UsageError(LiquakeError):
    """Something asked for on the command line, in the environment or in the settings file cannot be."""

    exit_code = 2


class UnknownVenue(UsageError):
    """`name` is not a venue liquake knows; `known` are those it does."""

    def __init__(self, name: str, known: Iterable[str]) -> None:
        self.name, self.known = name, tuple(known)
        super().__init__(f"unknown exchange {name!r}: choose from {', '.join(self.known)}")


class UnknownMarket(UsageError):
    """`name` cannot be read as a market, or no chosen venue lists it."""

    def __init__(self, name: str, why: str) -> None:
        self.name = name
        super().__init__(f"unknown symbol {name!r}: {why}")


class UnknownScenario(UsageError):
    """`name` is not a preset of the simulator."""

    def __init__(self, name: str, known: Iterable[str]) -> None:
        self.name, self.known = name, tuple(known)
        super().__init__(f"unknown scenario {name!r}: choose from {', '.join(self.known)}")


class SettingError(UsageError):
    """A setting has a value outside what it can be."""

    def __init__(self, setting: str, value: object, mend: str) -> None:
        self.setting, self.value = setting, value
        super().__init__(f"{setting} {value!r}: {mend}")


class RecordingError(UsageError):
    """A file given to replay or decode cannot be read as a recording."""

    def __init__(self, path: object, why: str) -> None:
        self.path = str(path)
        super().__init__(f"cannot read {self.path}: {why}")


class InstrumentsError(LiquakeError):
    """A venue's answer about its instruments cannot be read."""

    def __init__(self, venue: str, why: str) -> None:
        self.venue = venue
        super().__init__(f"cannot read the instruments answer of {venue}: {why}")


class JournalError(LiquakeError):
    """The journal at `path` cannot be opened or written."""

    def __init__(self, path: object, why: str) -> None:
        self.path, self.why = str(path), why
        super().__init__(f"journal {self.path}: {why}")


class JournalBusy(JournalError):
    """Another process, `holder`, writes the journal at `path`."""

    def __init__(self, path: object, holder: str) -> None:
        self.holder = holder
        super().__init__(path, f"another liquake writes it (process {holder}): stop that one, or give another path")


class ExportError(LiquakeError):
    """The statistics cannot be written to `path`."""

    def __init__(self, path: object, why: str) -> None:
        self.path = str(path)
        super().__init__(f"cannot write {self.path}: {why}")


class SimulatorError(LiquakeError):
    """The process of the simulated venues does not start, or ended at once."""

    def __init__(self, why: str) -> None:
        super().__init__(f"the simulated exchanges do not start: {why}")


class Unreachable(LiquakeError):
    """A venue does not answer from here."""

    def __init__(self, venue: str, why: str) -> None:
        self.venue = venue
        super().__init__(f"{venue} does not answer: {why}")
