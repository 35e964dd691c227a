"""How improbable it is that a venue is silent, given what the others show at the same time.

A venue's own past rate tells nothing of that: liquidations come in clusters, and a quiet hour follows a wild one. But
clusters are of the market, so the other venues see them too. Condition on what those show, and the unknown rate drops
out: of two Poisson counts with rates in a known ratio, one given the other depends on the ratio alone (Przyborowski and
Wilenski 1940, Biometrika 31:313). Where the others show so much that a venue with this share of them should have shown
`x`, it shows nothing with probability exp(-x).

That is too sure of itself where shares come and go, as they do: a coin or a whale that is on one venue alone, throttles
that bind in a burst. With a share that varies as a gamma variable of shape k, the count is negative binomial (Greenwood
and Yule 1920, J. R. Stat. Soc. 83:255), and the probability of none is (1 + x/k)^-k. What is awaited of a venue between
two signs of it then has the squared coefficient of variation k/(k - 2) (Lomax 1954, J. Am. Stat. Assoc. 49:847), which
is how k is learnt; it is never believed to be above `STEADIEST`.

What is counted are pulses, one per venue and second, so that a position sold in a hundred pieces is few.
"""

from __future__ import annotations

from collections.abc import Iterable
from math import exp
from typing import NamedTuple

_SECOND = 1_000_000_000
IMPROBABLE = 1e-7
"""Below it a silence is no chance. A month has 2.6 million seconds, and so at most that many silences: by chance alone
a venue is called dark once in four months at most."""
LEARNT = 200
"""Pulses of its own without which nothing is said of a venue: its share is then known to 7 %."""
MEMORY = 3 * 86_400.0
"""Seconds over which shares are learnt."""
WILDEST, STEADIEST = 3.0, 50.0
"""Bounds of k."""


class Silence(NamedTuple):
    """A venue has shown nothing since `since`, while others did; at `found` that was no chance any more.

    Both in UTC nanoseconds.
    """

    venue: str
    since: int
    found: int
    expected: float
    """Pulses it should have shown, by its share of those of the others."""
    p_value: float


class _Voice:
    """One venue: how much it says, and what has been awaited of it since it last spoke. Old pulses count for less."""

    __slots__ = ("awaited", "found", "last", "listening", "pulses", "runs", "squares", "weight")

    def __init__(self) -> None:
        self.weight = self.runs = self.squares = 0.0
        """Its pulses; what was awaited between each and the one before, summed up; and the squares of that."""
        self.pulses = 0
        self.last = 0
        self.awaited = 0.0
        self.listening = True
        self.found = 0
        """When its silence was found to be no chance; 0 while it is not."""

    def fade(self, share: float) -> None:
        """Keep `share` of what was learnt."""
        self.weight *= share
        self.runs *= share
        self.squares *= share

    def speak(self, ts: int) -> None:
        """It lives."""
        self.last, self.awaited, self.found = max(ts, self.last), 0.0, 0

    def learn(self) -> None:
        """Take its pulse, and how long it was in coming."""
        self.pulses += 1
        self.weight += 1.0
        if not self.found:
            self.runs += self.awaited
            self.squares += self.awaited * self.awaited

    def p_value(self) -> float:
        """Of a silence as long as the present one."""
        shape = self._shape()
        return float((1.0 + self.awaited / shape) ** -shape)

    def _shape(self) -> float:
        if self.runs <= 0.0:
            return WILDEST
        # One where silences are exponential, more where shares come and go.
        variation = self.squares * self.weight / (self.runs * self.runs) - 1.0
        return STEADIEST if variation <= 1.0 else min(max(2.0 * variation / (variation - 1.0), WILDEST), STEADIEST)


class SilenceDetector:
    """Watches `venues` by each other. Times are UTC nanoseconds and come in order.

    A second is weighed once it is over, so the order within it does not matter.
    """

    def __init__(self, venues: Iterable[str]) -> None:
        self._voices = {venue: _Voice() for venue in venues}
        self._second = 0
        self._heard: set[str] = set()
        self._learnt_until = 0
        self._dark: tuple[Silence, ...] = ()
        self._recalling = False

    def update(self, venue: str, ts: int) -> None:
        """A liquidation of `venue` at `ts`, received as it happened."""
        self.advance(ts)
        self._take(venue)

    def recall(self, venue: str, ts: int) -> None:
        """The same of a run before this one: shares are learnt from it, and nobody is called dark for it."""
        self._pass(ts)
        self._recalling = True
        self._take(venue)

    def advance(self, now: int) -> None:
        """Let time pass to `now`: the second that is over by then is weighed."""
        if self._recalling:
            self._begin()
        self._pass(now)

    def _take(self, venue: str) -> None:
        if venue in self._voices:
            self._heard.add(venue)

    def _begin(self) -> None:
        """After what was recalled: who was silent then may not have been listened to."""
        self._recalling = False
        self._weigh(self._second * _SECOND)
        for voice in self._voices.values():
            voice.awaited, voice.found = 0.0, 0
        self._tell()

    def _pass(self, now: int) -> None:
        second = now // _SECOND
        if second > self._second:
            if self._heard:
                self._weigh(self._second * _SECOND)
            self._second = second

    def hear(self, venue: str, ts: int) -> None:
        """A liquidation of `venue` at `ts` that came too late to be weighed: the venue lives."""
        if venue in self._voices:
            self._voices[venue].speak(ts)
            self._tell()

    def listen(self, venue: str, listening: bool) -> None:
        """Whether `venue` can be heard from now on. While it cannot, its silence is explained and adds nothing."""
        if venue in self._voices:
            self._voices[venue].listening = listening

    def value(self) -> tuple[Silence, ...]:
        """The venues that are dark, as of the last second weighed: the same object until something changes."""
        return self._dark

    def _weigh(self, ts: int) -> None:
        heard, self._heard = self._heard, set()
        self._fade(ts)
        self._await(heard, ts)
        self._learn(heard, ts)
        self._tell()

    def _fade(self, ts: int) -> None:
        share = exp((self._learnt_until - ts) / _SECOND / MEMORY) if self._learnt_until else 1.0
        self._learnt_until = ts
        for voice in self._voices.values():
            voice.fade(share)

    def _await(self, heard: set[str], ts: int) -> None:
        """What `heard` lets expect of each venue that could have been heard."""
        present = self._weight(heard)
        for venue, voice in self._voices.items():
            others = present - voice.weight * self._present(venue, voice, heard)
            if not voice.listening or others <= 0.0:
                continue
            voice.awaited += voice.weight / others * (len(heard) - (venue in heard))
            if not voice.found and venue not in heard and voice.pulses >= LEARNT and voice.p_value() < IMPROBABLE:
                voice.found = ts

    def _learn(self, heard: set[str], ts: int) -> None:
        present = self._weight(heard)
        for venue, voice in self._voices.items():
            if venue in heard:
                voice.learn()
                voice.speak(ts)
            elif not self._present(venue, voice, heard) and present > 0.0:
                # Of who cannot be heard nothing is learnt: its share of the others stays as it was.
                voice.fade(1.0 + len(heard) / present)

    def _tell(self) -> None:
        self._dark = tuple(
            Silence(venue, voice.last, voice.found, voice.awaited, voice.p_value())
            for venue, voice in self._voices.items()
            if voice.found
        )

    def _weight(self, heard: set[str]) -> float:
        return sum(voice.weight for venue, voice in self._voices.items() if self._present(venue, voice, heard))

    @staticmethod
    def _present(venue: str, voice: _Voice, heard: set[str]) -> bool:
        return venue in heard or (voice.listening and not voice.found)
