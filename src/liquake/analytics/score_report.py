"""A score as text, and its reliability diagram as SVG."""

from __future__ import annotations

from liquake.analytics.alarms import AlarmRecord
from liquake.analytics.cascade import ReliabilityBin
from liquake.analytics.scoring import Score, Stretch
from liquake.analytics.verification import Difference

_SIZE, _LEFT, _TOP, _BOTTOM = 360, 56, 28, 44
_TICKS = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)


def text(score: Score) -> str:
    """The evaluation in lines of at most 100 characters."""
    alarms = score.alarms
    return "\n".join(
        (
            f"{score.recording}: at least ${score.threshold_usd:,.0f} within {score.horizon:g} s",
            f"  train {_stretch(score.train)}",
            f"  test  {_stretch(score.test)}, at onset {score.onset_base_rate:.2%}",
            "",
            f"{'':24} {'all seconds':^32}   {'onset':^32}",
            f"{'forecast':24} {_HEADS}   {_HEADS}",
            *(_row(score, name) for name in score.models),
            "",
            f"Brier skill of liquake minus that of    (95 % interval, {_blocks(score)})",
            *(_difference(name, difference) for name, difference in score.differences.items()),
            "",
            *(reliability_sentence(found) for found in score.reliability),
            "",
            f"Alarms, the threshold set for at most {alarms.budget:g} a day in training ({alarms.onsets} onsets)",
            f"  {'':24} {'at p >=':>8} {'alarms':>7} {'recall':>7} {'precision':>9} {'lead':>8} {'false/day':>9}",
            *(_alarms(name, found.alarms) for name, found in score.models.items()),
            f"Clustering index {score.clustering:.2f} (an upper bound on self-excitation)",
        )
    )


_HEADS = f"{'BSS':>7} {'log loss':>8} {'AUC':>7} {'PR-AUC':>7}"


def _stretch(stretch: Stretch) -> str:
    return f"{stretch.first[:16]} .. {stretch.last[:16]}  {stretch.seconds:,} s  base rate {stretch.base_rate:.2%}"


def _row(score: Score, name: str) -> str:
    every = score.models[name]
    parts = (_scores(every.brier_skill, every.log_loss, every.auc, every.pr_auc),)
    new = every.onset
    return f"{name:24} {parts[0]}   {_scores(new.brier_skill, new.log_loss, new.auc, new.pr_auc)}"


def _scores(skill: float | None, loss: float | None, auc: float | None, precision: float | None) -> str:
    return (
        f"{_number(skill, '+.3f'):>7} {_number(loss, '.4f'):>8} {_number(auc, '.3f'):>7} {_number(precision, '.3f'):>7}"
    )


def _difference(name: str, difference: Difference) -> str:
    return f"  {name:24} {difference.brier_skill:+.3f}  [{difference.low:+.3f}, {difference.high:+.3f}]"


def _alarms(name: str, record: AlarmRecord) -> str:
    lead = f"{_number(record.lead, '+.0f')} s"
    return (
        f"  {name:24} {record.threshold:>8g} {record.alarms:>7} {_share(record.recall):>7} "
        f"{_share(record.precision):>9} {lead:>8} {record.false_per_day:>9.1f}"
    )


def _blocks(score: Score) -> str:
    count = min(difference.blocks for difference in score.differences.values())
    return f"{count} blocks of 6 h" + (": too few to be believed" if count < 10 else "")


def _number(value: float | None, form: str) -> str:
    return "-" if value is None else format(value, form)


def _share(value: float | None) -> str:
    return "-" if value is None else f"{value:.0%}"


def reliability_sentence(found: ReliabilityBin) -> str:
    """What happened when a probability of this size was said."""
    said = f"When {found.low:.0%}-{found.high:.0%} was said"
    if not found.enough:
        return f"{said}: not enough history ({found.episodes} episodes of the ten that are needed)"
    return (
        f"{said}, it happened {found.happened:.1%} of the time "
        f"({found.seconds:,} s in {found.episodes} episodes, 95 % interval {found.low_rate:.1%}-{found.high_rate:.1%})"
    )


def reliability_svg(score: Score) -> str:
    """The reliability diagram: said across, happened up, a mark per bin with its interval, hollow under 10 episodes."""
    width, height = _LEFT + _SIZE + 20, _TOP + _SIZE + _BOTTOM
    marks = "\n".join(map(_mark, score.reliability))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
        'font-family="sans-serif" font-size="11">\n'
        f'<rect width="{width}" height="{height}" fill="white"/>\n'
        f'<text x="{_LEFT}" y="16">Reliability, {score.recording}, {score.horizon:g} s</text>\n'
        f"{_axes()}\n{marks}\n</svg>\n"
    )


def _axes() -> str:
    lines = [f'<path d="M{_x(0):.1f} {_y(0):.1f}L{_x(1):.1f} {_y(1):.1f}" stroke="#999" stroke-dasharray="4 3"/>']
    lines.append(f'<path d="M{_x(0):.1f} {_y(1):.1f}V{_y(0):.1f}H{_x(1):.1f}" fill="none" stroke="black"/>')
    for tick in _TICKS:
        lines.append(f'<text x="{_x(tick):.1f}" y="{_y(0) + 16:.1f}" text-anchor="middle">{tick:.0%}</text>')
        lines.append(f'<text x="{_x(0) - 6:.1f}" y="{_y(tick) + 4:.1f}" text-anchor="end">{tick:.0%}</text>')
    lines.append(f'<text x="{_x(0.5):.1f}" y="{_y(0) + 34:.1f}" text-anchor="middle">probability said</text>')
    middle = f"{_x(0) - 42:.1f} {_y(0.5):.1f}"
    lines.append(f'<text transform="translate({middle}) rotate(-90)" text-anchor="middle">share that happened</text>')
    return "\n".join(lines)


def _mark(found: ReliabilityBin) -> str:
    x = _x(found.said)
    fill = "#1f6feb" if found.enough else "white"
    return (
        f'<path d="M{x:.1f} {_y(found.low_rate):.1f}V{_y(found.high_rate):.1f}" stroke="#1f6feb"/>'
        f'<circle cx="{x:.1f}" cy="{_y(found.happened):.1f}" r="4" fill="{fill}" stroke="#1f6feb">'
        f"<title>{found.episodes} episodes, {found.seconds} s</title></circle>"
    )


def _x(share: float) -> float:
    return _LEFT + share * _SIZE


def _y(share: float) -> float:
    return _TOP + (1.0 - share) * _SIZE
