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

What is counted are pulses, one per venue and second, so that a position sold in a hundred pieces is few. In a burst a
small venue is then heard in as many seconds as a large one, and in quiet ones less often than its share of all pulses
says. So what a share lets expect is scaled by what has come of it in seconds of the same kind: with about as many others
heard in it, and about as many pulses before it. A pulse with no other counts with those that have one other: where
pulses come one by one, whose the next is does not depend on how fast they come.

How improbable is too improbable follows from how often a false alarm may be. Each of a venue's pulses ends a silence,
so by chance a venue with n pulses a month has n p silences a month with a probability below p (the expected number of
false positives of n tests at level p: Bonferroni's inequality, Dunn 1961, J. Am. Stat. Assoc. 56:52). One of 30 pulses
an hour has 21,600 silences a month; one of a pulse a second has 2.6 million, and must be a hundred times as sure.
"""

from __future__ import annotations

from collections.abc import Iterable
from math import exp
from typing import NamedTuple

_SECOND = 1_000_000_000
_MONTH = 30 * 86_400.0
FALSE_PER_MONTH = 0.25
"""How often, by chance alone, a venue may be called dark."""
SUREST, LEAST_SURE = 1e-7, 1e-4
"""Bounds of the probability below which a silence is no chance. A month has 2.6 million seconds, and so at most that many
silences: `FALSE_PER_MONTH` never asks for less than the first. The second is that of 2,500 pulses a month, 250 in `MEMORY`:
of rarer ones the rate is too little known to ask for less."""
LEARNT = 200
"""Pulses of its own without which nothing is said of a venue: its share is then known to 7 %."""
MEMORY = 3 * 86_400.0
"""Seconds over which shares are learnt."""
PAUSE = 3600.0
"""Seconds without any pulse after which it was the recorder that was silent: nothing is forgotten in longer ones, nor are
they counted as time."""
WILDEST, STEADIEST = 3.0, 50.0
"""Bounds of k."""
_FORGETTING = 60.0
"""Seconds after which old pulses are made to count for less."""
LATELY = 10.0
"""Seconds over which pulses make a market quiet or busy."""
_PRIOR = 10.0
"""Pulses for which a share is believed to hold in seconds of any kind, before anything has come of it in those."""
_DOUBLINGS = 8


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


def improbable(pulses: float, seconds: float) -> float:
    """The p-value below which a silence is no chance, of a venue with so many pulses in so many seconds."""
    return min(max(FALSE_PER_MONTH * seconds / (max(pulses, 1.0) * _MONTH), SUREST), LEAST_SURE)


def _kind(lately: float, others: int) -> int:
    """Of a second with so many others heard, after so many pulses: each up to twice as many are of one kind."""
    before, now = (min(count.bit_length(), _DOUBLINGS - 1) for count in (int(lately), others // 2))
    return before * _DOUBLINGS + now


class _Voice:
    """One venue: how much it says, and what has been awaited of it since it last spoke. Old pulses count for less."""

    __slots__ = ("awaited", "come", "foreseen", "found", "last", "listening", "pulses", "runs", "squares", "weight")

    def __init__(self) -> None:
        self.weight = self.runs = self.squares = 0.0
        """Its pulses; what was awaited between each and the one before, summed up; and the squares of that."""
        self.foreseen, self.come = [_PRIOR] * _DOUBLINGS**2, [_PRIOR] * _DOUBLINGS**2
        """By kind of second: pulses that its share let expect, and those that came."""
        self.pulses = 0
        self.last = 0
        self.awaited = 0.0
        self.listening = True
        self.found = 0
        """When its silence was found to be no chance; 0 while it is not."""

    def fade(self, share: float) -> None:
        """Keep `share` of what was learnt of how much it says."""
        self.weight *= share
        self.runs *= share
        self.squares *= share

    def forget(self, share: float) -> None:
        """Keep `share` of all that was learnt."""
        self.fade(share)
        for pulses in (self.foreseen, self.come):
            pulses[:] = [each * share + _PRIOR * (1.0 - share) for each in pulses]

    def expect(self, pulses: float, kind: int, heard: bool) -> float:
        """How much of itself is to be expected, 0 to 1, in a second of this kind where its share says `pulses`."""
        expected = min(pulses * self.come[kind] / self.foreseen[kind], 1.0)
        if not self.found:
            self.foreseen[kind] += pulses
            self.come[kind] += heard
        return expected

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
        self._learnt = 0.0
        """Seconds of which shares are learnt; old ones count for less. Those since are not forgotten yet."""
        self._unforgotten = 0.0
        self._lately = 0.0
        """Pulses of all in the last seconds; of older ones less."""
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
        self._forget(ts)
        self._await(heard, ts)
        self._learn(heard, ts)
        self._lately += len(heard)
        self._tell()

    def _forget(self, ts: int) -> None:
        if self._learnt_until:
            elapsed = (ts - self._learnt_until) / _SECOND
            self._lately *= exp(-elapsed / LATELY)
            self._unforgotten += min(elapsed, PAUSE)
        self._learnt_until = ts
        if self._unforgotten >= _FORGETTING:
            share = exp(-self._unforgotten / MEMORY)
            self._learnt = (self._learnt + self._unforgotten) * share
            self._unforgotten = 0.0
            for voice in self._voices.values():
                voice.forget(share)

    def _await(self, heard: set[str], ts: int) -> None:
        """What `heard` lets expect of each venue that could have been heard."""
        present = self._weight(heard)
        for venue, voice in self._voices.items():
            others = present - voice.weight * self._present(venue, voice, heard)
            if not voice.listening or others <= 0.0:
                continue
            count = len(heard) - (venue in heard)
            kind = _kind(self._lately, count)
            voice.awaited += voice.expect(voice.weight / others * count, kind, venue in heard)
            if venue not in heard and not voice.found and self._is_no_chance(voice):
                voice.found = ts

    def _is_no_chance(self, voice: _Voice) -> bool:
        return voice.pulses >= LEARNT and voice.p_value() < improbable(voice.weight, self._learnt + self._unforgotten)

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
