"""Do venues move together, and who leads? Correlation of counts that chance and clock offsets cannot fake.

Counts in bins of one second, less their own slow average. The correlation is summed over lags of up to three seconds
either way: at lag nought alone a venue that publishes 0.8 s later looks almost independent (Epps 1979, J. American
Statistical Association 74:291). A single coincidence makes the correlation of sparse streams large, so a pair is
"insufficient data" until chance alone would have given five. A common cause, such as one price move, correlates
venues without contagion: this says "together", never "because of".
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from math import atanh, inf, sqrt, tanh
from typing import NamedTuple

_SECOND = 1_000_000_000
LAGS = 3
"""Seconds either way."""
COLOUR, DECISION = 60.0, 300.0
"""Half-lives in seconds: the short one shows what is going on, only the long one finds a true 0.5 nearly always."""
LEAST_COINCIDENCES = 5.0
SIGNIFICANT_Z = 3.0
_SHIFTS = 2 * LAGS + 1
_FISHER_LOSS = 3.0
_WIDTH = 1.959963984540054


class Correlation(NamedTuple):
    """Of two streams."""

    first: str
    second: str
    r: float
    """-1 to 1, summed over the lags."""
    low: float
    high: float
    """95 % interval of `r`, by Fisher's z with the number of independent seconds that are held (Bartlett 1935);
    approximate where streams cluster for longer than the lags."""
    z: float
    """Of `r` against independent streams of these rates."""
    lead_z: float
    """Positive where events of `first` come before those of `second`."""
    coincidences: float
    """How many pairs within the lags chance alone would have given in the time held."""

    @property
    def sufficient(self) -> bool:
        """Whether there is enough to say anything: else show "insufficient data"."""
        return self.coincidences >= LEAST_COINCIDENCES

    @property
    def significant(self) -> bool:
        """Whether the streams move together beyond chance: by their rates, and by their own clustering."""
        return self.sufficient and self.z >= SIGNIFICANT_Z and self.low > 0.0

    @property
    def leader(self) -> str | None:
        """Whose events come first, where the streams move together and one clearly does."""
        if not self.significant or abs(self.lead_z) < SIGNIFICANT_Z:
            return None
        return self.first if self.lead_z > 0.0 else self.second


class Dependence:
    """Correlations between `streams`, usually the venues of one market.

    Bins close `watermark` seconds behind the newest event, so the order of arrival within it does not matter; later
    events count in the oldest bin still open.
    """

    SLOW = 600.0
    """Seconds of the average that is taken off."""
    WARM = 60
    """Bins before anything is added up: the average must mean something first."""
    LONGEST_GAP = 3600
    """Bins without a word from any stream after which everything is forgotten instead of counted as silence."""

    def __init__(self, streams: Sequence[str], watermark: float = 1.0) -> None:
        self.streams = tuple(streams)
        self._index = {stream: index for index, stream in enumerate(self.streams)}
        self._watermark = round(watermark * _SECOND)
        self.reset("new")

    def reset(self, reason: str, stream: str | None = None) -> None:
        """Forget one `stream`, after a gap of its feed, or all, and keep `reason` to be shown."""
        self.reason = reason
        if stream is not None:
            self._forget(self._index[stream])
            return
        count = len(self.streams)
        self._open: dict[int, list[int]] = {}
        self._next: int | None = None
        self._sums = [0.0] * count
        self._weights = [0.0] * count
        self._bins = [0] * count
        self._past: deque[list[float]] = deque([[0.0] * count] * LAGS, maxlen=LAGS)
        self._memories = {half_life: _Memory(half_life, count) for half_life in (COLOUR, DECISION)}

    def update(self, stream: str, ts: int) -> None:
        """Count an event of `stream` at `ts`, UTC nanoseconds."""
        second = ts // _SECOND
        if self._next is None:
            self._next = second
        second = max(second, self._next)
        counts = self._open.get(second)
        if counts is None:
            counts = self._open[second] = [0] * len(self.streams)
        counts[self._index[stream]] += 1
        self.advance(ts)

    def advance(self, now: int) -> None:
        """Let time pass to `now`: bins wholly behind the watermark close. Call it once a second."""
        end = (now - self._watermark) // _SECOND
        if self._next is None or end <= self._next:
            return
        if not self._open and end - self._next > self.LONGEST_GAP:
            self.reset("silence")
            return
        silence = [0] * len(self.streams)
        while self._next < end:
            self._close(self._open.pop(self._next, silence))
            self._next += 1

    def value(self, half_life: float = DECISION) -> list[Correlation]:
        """Every pair once, in the order of `streams`, as of the last bin that closed."""
        memory = self._memories[half_life]
        count = len(self.streams)
        return [
            memory.correlation(self.streams, first, second)
            for first in range(count)
            for second in range(first + 1, count)
        ]

    def _close(self, counts: list[int]) -> None:
        rho = 1.0 - 1.0 / self.SLOW
        means = [total / weight if weight else 0.0 for total, weight in zip(self._sums, self._weights, strict=True)]
        excess = [0.0] * len(counts)
        for index, count in enumerate(counts):
            if self._bins[index] >= self.WARM:
                excess[index] = count - means[index]
            else:
                means[index] = 0.0
            self._bins[index] += 1
            self._sums[index] = rho * self._sums[index] + count
            self._weights[index] = rho * self._weights[index] + 1.0
        earlier = [sum(column) for column in zip(*self._past, strict=True)]
        for memory in self._memories.values():
            memory.add(excess, earlier, self._past, means)
        self._past.append(excess)

    def _forget(self, index: int) -> None:
        self._sums[index] = self._weights[index] = 0.0
        self._bins[index] = 0
        for counts in self._open.values():
            counts[index] = 0
        for excess in self._past:
            excess[index] = 0.0
        for memory in self._memories.values():
            memory.forget(index)


class _Memory:
    """Decayed sums of products of excess counts, of one half-life."""

    def __init__(self, half_life: float, count: int) -> None:
        self._rho = 2.0 ** (-1.0 / half_life)
        self._seconds = (1.0 + self._rho) / (1.0 - self._rho)
        self._same = _square(count)
        """Products of the same second; of this and the next two squares only the part above the diagonal is kept."""
        self._after = _square(count)
        """Products of the row's second with the column's seconds before it."""
        self._auto = [[0.0] * LAGS for _ in range(count)]
        self._variance = _square(count)
        self._chance = _square(count)

    def add(self, excess: list[float], earlier: list[float], past: Sequence[list[float]], means: list[float]) -> None:
        """One second: the excess counts, their sums over the seconds before, those one by one, the usual counts."""
        rho, squared = self._rho, self._rho * self._rho
        for a, here in enumerate(excess):
            after, usual = self._after[a], means[a]
            for b, before in enumerate(earlier):
                after[b] = rho * after[b] + here * before
            same, variance, chance = self._same[a], self._variance[a], self._chance[a]
            for b in range(a, len(excess)):
                expected = usual * means[b]
                same[b] = rho * same[b] + here * excess[b]
                variance[b] = squared * variance[b] + expected
                chance[b] = rho * chance[b] + expected
            auto = self._auto[a]
            for lag, gone in enumerate(reversed(past)):
                auto[lag] = rho * auto[lag] + here * gone[a]

    def forget(self, index: int) -> None:
        for square in (self._same, self._after, self._variance, self._chance):
            square[index] = [0.0] * len(square)
            for row in square:
                row[index] = 0.0
        self._auto[index] = [0.0] * LAGS

    def correlation(self, streams: Sequence[str], a: int, b: int) -> Correlation:
        second_follows, first_follows = self._after[b][a], self._after[a][b]
        total = self._same[a][b] + second_follows + first_follows
        norm = self._norm(a) * self._norm(b)
        variance = self._variance[a][b]
        r = min(max(total / sqrt(norm), -1.0), 1.0) if norm > 0.0 else 0.0
        low, high = self._interval(r, a, b) if norm > 0.0 else (-1.0, 1.0)
        return Correlation(
            streams[a],
            streams[b],
            r,
            low,
            high,
            total / sqrt(_SHIFTS * variance) if variance else 0.0,
            (second_follows - first_follows) / sqrt(2 * LAGS * variance) if variance else 0.0,
            _SHIFTS * self._chance[a][b] if norm > 0.0 else 0.0,
        )

    def _norm(self, index: int) -> float:
        """The long-run variance of a stream, over all lags; where noise takes it to nothing, none."""
        return max(self._same[index][index] + 2.0 * self._after[index][index], 0.0)

    def _interval(self, r: float, a: int, b: int) -> tuple[float, float]:
        # Each of the lags that are summed brings the noise of one correlation of its own.
        independent = self._seconds / _SHIFTS / (1.0 + 2.0 * max(self._shared_memory(a, b), 0.0))
        spread = _WIDTH / sqrt(independent - _FISHER_LOSS) if independent > _FISHER_LOSS else inf
        middle = atanh(min(max(r, -0.999999), 0.999999))
        return tanh(middle - spread), tanh(middle + spread)

    def _shared_memory(self, a: int, b: int) -> float:
        scale = self._same[a][a] * self._same[b][b]
        return sum(x * y for x, y in zip(self._auto[a], self._auto[b], strict=True)) / scale if scale > 0.0 else 0.0


def _square(count: int) -> list[list[float]]:
    return [[0.0] * count for _ in range(count)]
