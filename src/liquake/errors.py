"""Everything liquake can fail with.

    LiquakeError
    ├── UsageError                  the user asked for something that cannot be: exit code 2
    │   ├── UnknownVenue
    │   ├── UnsupportedVenue        a venue that is known, and has no feed that could be shown
    │   ├── UnknownMarket
    │   ├── UnknownScenario
    │   ├── SettingError
    │   ├── RecordingError          a file to replay, decode or score that cannot be read as one
    │   └── OutputError             a file asked for that cannot be written
    ├── InstrumentsError            a venue's instruments answer that cannot be read
    ├── HistoryError                a venue's answer about the past that cannot be read
    ├── JournalError                the journal cannot be opened or written
    │   └── JournalBusy             another process writes it
    ├── ModelRefused                a cascade model that does not fit these venues
    ├── TapeTooShort                a recording with too little in it to fit or score on
    ├── StateError                  an estimator's kept state was written in a form this version does not read
    ├── ExportError                 an export cannot be written
    ├── SinkError                   Redis or the database behind the journal does not take what it is given
    │   ├── SinkDown                it does not answer now; it is tried again
    │   ├── SinkRefused             it answers, but not to this user, password or schema
    │   └── RowRefused              it can never hold one of the rows it was given
    ├── SimulatorError              the simulated venues do not start
    ├── TooSlow                     the reader of a stream does not keep pace with it
    ├── Unreachable                 a venue does not answer from here
    └── Offline                     none of them does

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


class UnsupportedVenue(UsageError):
    """`name` is a venue that liquake knows of and cannot show, for the reason `why`."""

    def __init__(self, name: str, why: str) -> None:
        self.name, self.why = name, why
        super().__init__(f"{name} is not supported: {why}")


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
    """A file given to replay, decode or score cannot be read as a recording."""

    def __init__(self, path: object, why: str) -> None:
        self.path = str(path)
        super().__init__(f"cannot read {self.path}: {why}")


class OutputError(UsageError):
    """The file asked for at `path` cannot be written."""

    def __init__(self, path: object, why: str) -> None:
        self.path = str(path)
        super().__init__(f"cannot write {self.path}: {why}")


class InstrumentsError(LiquakeError):
    """A venue's answer about its instruments cannot be read."""

    def __init__(self, venue: str, why: str) -> None:
        self.venue = venue
        super().__init__(f"cannot read the instruments answer of {venue}: {why}")


class HistoryError(LiquakeError):
    """An answer of `venue` about the past is not one, for `reason`."""

    def __init__(self, venue: str, reason: str) -> None:
        super().__init__(f"The history of {venue} cannot be read: {reason}.")


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
    """An export of the kind or to the file `what` cannot be written."""

    def __init__(self, what: object, why: str) -> None:
        self.what, self.why = str(what), why
        super().__init__(f"cannot export {self.what}: {why}")


class SinkError(LiquakeError):
    """`sink` (an address without its password) does not take what it is given."""

    def __init__(self, sink: str, why: str) -> None:
        self.sink, self.why = sink, why
        super().__init__(f"{sink}: {why}")


class SinkDown(SinkError):
    """It does not answer, or has no room, at present."""


class SinkRefused(SinkError):
    """It answers, but will not serve us until somebody mends something."""


class RowRefused(SinkError):
    """One of the rows given to it at once can never be stored there."""


class SimulatorError(LiquakeError):
    """The process of the simulated venues does not start, or ended at once."""

    def __init__(self, why: str) -> None:
        super().__init__(f"the simulated exchanges do not start: {why}")


class ModelRefused(LiquakeError):
    """A cascade model was fitted on other venues, or under other throttle rules, than those it would forecast."""

    def __init__(self, model: str, why: str) -> None:
        self.model, self.why = model, why
        super().__init__(f"cascade model {model} is refused: {why}; refit it with liquake fit")


class TapeTooShort(LiquakeError):
    """A recording holds too little to fit or score a cascade model on."""

    def __init__(self, tape: str, why: str) -> None:
        self.tape = tape
        super().__init__(f"{tape} is too short: {why}")


class StateError(LiquakeError):
    """The kept state of the estimator `what` was written in a form this version does not read."""

    def __init__(self, what: str, why: str) -> None:
        self.what = what
        super().__init__(f"cannot resume {what}: {why}; it starts afresh")


class TooSlow(LiquakeError):
    """`waiting` events of a stream have not been taken: the next would have been lost."""

    def __init__(self, waiting: int) -> None:
        self.waiting = waiting
        super().__init__(
            f"{waiting:,} events wait to be taken from the stream: do less per event, or raise its capacity"
        )


class Unreachable(LiquakeError):
    """A venue does not answer from here; or it was `answered`, and is told nothing but no."""

    def __init__(self, venue: str, why: str, *, answered: bool = False) -> None:
        self.venue, self.answered = venue, answered
        super().__init__(f"{venue} does not answer: {why}")


class Offline(LiquakeError):
    """Not one of `venues` answers from here."""

    def __init__(self, venues: Iterable[str]) -> None:
        self.venues = tuple(venues)
        super().__init__(
            f"none of {', '.join(self.venues)} answers from here: check the network (`liquake demo` needs none)"
        )
