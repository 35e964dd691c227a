"""The same content as text."""

from __future__ import annotations

import io
import re
import subprocess
import sys

import pytest

from liquake.engine.snapshot import Snapshot
from liquake.tui.picture import Picture, View
from liquake.tui.plain import PlainScreen, speaks_unicode
from liquake.tui.status import Status
from liquake.tui.theme import load_theme
from tests.screens.moments import DEMO, LIVE, RICH, SUBSCRIBED

GOLDEN_RICH = """\
liquake  DEMO simulated  DEGRADED  2,369 events  00:12:34  BTC $66,851.2 binance
● binance live  ● bybit live  ! okx STALE  ● hyperliquid live       14:03:27 UTC
5 markets  BTC  ETH  SOL  PEPE  DOGE
okx STALE for 12 s. The other numbers go on.
VELOCITY  all markets · events · as of 1.0 s ago · ≥ at least ──────────────────
window events velocity /s      accel. /s²          jerk /s³          status
100 ms      1 ?    9.4 ±9.7    ?     +31 ±138     ?    -410 ±2,375   STABLE
500 ms      4 ?    8.1 ±4.1    ?     +21 ±12      ?     +18 ±40      NORMAL
   2 s     19      9.7 ±2.3    ▲    +7.3 ±1.6          +2.4 ±1.4     ACTIVE
  10 s     61     6.30 ±0.80   ▲   +0.84 ±0.12    ▲  +0.071 ±0.020   RAPID
  60 s    212     3.40 ±0.24   ▲ +0.0410 ±0.0057   -0.00021 ±0.00017 EXPLOSIVE
± one standard error  ▲▼ two or more from zero  ? too few events
CASCADE RISK  warming up 21 of 60 min: errs on the low side ────────────────────
market    side     in chance usual level    rnk rate  bur  USD self venu strs
BTCUSDT   LONG   60 s  63.4%  0.4% CRITICAL  97 ▲2.5 ▲1.5 ▲0.9    · ▼0.3    ·
BTCUSDT   SHORT  60 s   1.3%  0.4% NONE      97 ▲0.1    · ▲0.9    · ▼0.3    ·
ETHUSDT   LONG   60 s  <0.1%  0.4% NONE      97    ·    · ▲0.9    · ▼0.3    ·
ETHUSDT   SHORT  60 s      -     - NONE     binance-60s: fitted on another thro…
Fitted on simulated markets: a starting point, not experience.
Some now (not advice): stand aside on every market that moves with this one.
Why: a cascade became likelier than not, and in a stressed market it spreads.
EXCHANGE ACTIVITY  the latest first ────────────────────────────────────────────
  venue       market       last      side           size     USD  1 h USD long
≥ binance     BTCUSDT     0.4 s LIVE LONG      18.55 BTC  $1.24M  ≥$40.1M  85%
= bybit       BTCUSDT     2.1 s LIVE LONG      1.904 BTC   $127k   $15.7M  87%
≥ binance     ETHUSDT      12 s ACT  LONG      330.0 ETH  $1.13M  ≥$15.4M  87%
~ hyperliquid BTCUSDT      22 s ACT  LONG     0.4000 BTC  $26.8k   $60.3k 100%
! okx         DOGEUSDT     31 s ACT  LONG   size unknown unknown  unknown    -
= bybit       ETHUSDT      44 s ACT  LONG      1.250 ETH  $4.27k   $3.94M  82%
≥ binance     SOLUSDT     1m01s idle LONG      96.00 SOL  $16.4k  ≥$4.13M  83%
= bybit       PEPEUSDT    3m30s idle LONG     1.31B PEPE  $16.1k    $123k  99%
! okx         BTCUSDT    58m00s idle SHORT    0.2100 BTC  $14.1k   ≥$127k   0%
! okx         STALE for 12 s (no price for 30 s); last heartbeat 42 s ago
= complete  ≥ at least (throttled)  ~ sample, not in totals  ! in trouble
REGIME  warming up 3.1 h / 24 h ────────────────────────────────────────────────
level       STRESSED for 1m35s, by intensity
multiplier  x3.13 from 12 cascades
volatility  4.2% a day
liquidity   rank 12% of its week
trend       ▼ STRONG DOWN
BTC         $66,851.2 -1.72% in 15 min
CORRELATION  r 60 s \\ proof 300 s ──────────────────────────────────────────────
                 binance        bybit          okx
binance                ·     together   not proved
bybit              +0.81            · insufficient
okx                +0.31 insufficient            ·
bybit before binance r 0.83 in 300 s
ALERTS  sound off, 1 over budget ───────────────────────────────────────────────
14:02:46 CRITICAL CASCADE
  BTCUSDT long liquidations: 61% that $2,500,000 or more follow within 60 s,
  base rate 0.4% (over budget)
14:02:45 WARNING FEED
  okx has been stale for 30 s: its liquidations are in no number since
14:02:26 WARNING INSTITUTIONAL
  ETHUSDT: a long of $1,125,003 was liquidated on binance at 3409.1
TAPE  from $10.0k · of 10: 2 smaller ───────────────────────────────────────────
  UTC      venue       market     side      USD          size      price
  14:03:26 binance     BTCUSDT    LONG   $1.24M     18.55 BTC   66,842.9 F
  14:03:24 bybit       BTCUSDT    LONG    $127k     1.904 BTC   66,861.5 B
  14:03:14 binance     ETHUSDT    LONG   $1.13M     330.0 ETH   3,409.10 F
~ 14:03:05 hyperliquid BTCUSDT    LONG   $26.8k    0.4000 BTC   66,900.0 F
  14:02:56 okx         DOGEUSDT   LONG  unknown  size unknown    0.16120 B
  14:02:26 binance     SOLUSDT    LONG   $16.4k     96.00 SOL     171.32 F
  13:59:57 bybit       PEPEUSDT   LONG   $16.1k    1.31B PEPE 0.00001230 B
  13:05:27 okx         BTCUSDT    SHORT  $14.1k    0.2100 BTC   67,010.5 B
price: F fill  B bankruptcy  L order limit  E entry  ~ sample, not in totals
p50/p99  venue→us 540 ms/1.0 s  us→state 0.08 ms/0.42 ms  gaps 1 (4.2 s)
journal 2,366 kept  redis off  db off  signals 6 shown  engine 184 msg/s

"""
GOLDEN_SUBSCRIBED = """\
liquake  LIVE  DEGRADED  0 events  00:00:09  6.00 msg/s      BTC price: none yet
● binance live  ○ bybit subscribing  ○ okx connecting  ! hyperliquid DOWN
hyperliquid DOWN for 3.0 s. The other numbers go on.
VELOCITY  all markets · events · as of 1.0 s ago ───────────────────────────────
No liquidation yet. Live feeds: 1 of 4; each one's heartbeat is below.
Rates appear with the first one. Minutes of quiet are normal.
CASCADE RISK ───────────────────────────────────────────────────────────────────
No market is watched yet: the first liquidation or price of one begins it.
EXCHANGE ACTIVITY ──────────────────────────────────────────────────────────────
≥ binance     waiting: no liquidation so far; last heartbeat 0.4 s ago
= bybit       subscribing; last heartbeat 1.2 s ago
≥ okx         connecting; no heartbeat yet
! hyperliquid DOWN for 3.0 s (connection refused); no heartbeat yet
= complete  ≥ at least (throttled)  ~ sample, not in totals  ! in trouble
REGIME ─────────────────────────────────────────────────────────────────────────
No reading yet: it needs a price and a minute of events.
CORRELATION ────────────────────────────────────────────────────────────────────
It takes two venues and some minutes of events.
ALERTS  sound off ──────────────────────────────────────────────────────────────
No alert so far. Each matter is told once per level, with the numbers behind it.
TAPE  from $10.0k ──────────────────────────────────────────────────────────────
No liquidation yet. Each one appears here as it arrives.
p50/p99  venue→us not measured  us→state not measured  gaps 0  errors 0
journal off  redis off  db off  signals 0 shown  engine 6.00 msg/s  up 00:00:09

"""


def _print(snapshot: Snapshot, status: Status, *, unicode: bool = True, width: int | None = None) -> str:
    file = io.StringIO()
    PlainScreen(file, width).show(Picture(snapshot, status, View(), load_theme("dark", unicode=unicode)))
    return file.getvalue()


def test_a_fall_on_four_venues_in_80_columns() -> None:
    assert _print(RICH, DEMO) == GOLDEN_RICH


def test_connected_and_waiting_in_80_columns() -> None:
    assert _print(SUBSCRIBED, LIVE) == GOLDEN_SUBSCRIBED


def test_a_pipe_gets_no_escape_sequences_whatever_the_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLORTERM", "truecolor")
    assert "\x1b" not in _print(RICH, DEMO)


@pytest.mark.parametrize("width", [80, 120, 200])
def test_no_line_is_wider_than_asked(width: int) -> None:
    assert max(len(line) for line in _print(RICH, DEMO, width=width).splitlines()) <= width


def test_a_wider_screen_shows_more() -> None:
    assert "1 h SHORT" in _print(RICH, DEMO, width=120)
    assert "1 h SHORT" not in _print(RICH, DEMO, width=80)


def test_ascii_holds_the_same_numbers() -> None:
    def numbers(text: str) -> list[str]:
        return re.findall(r"\d[\d,.]*", text.replace("/s^2", "").replace("/s^3", "").replace("+-", " "))

    plain = _print(RICH, DEMO, unicode=False)
    assert plain.isascii()
    assert numbers(plain) == numbers(_print(RICH, DEMO).replace("²", "").replace("³", ""))


@pytest.mark.parametrize(
    ("encoding", "able"), [("utf-8", True), ("ascii", False), ("latin-1", False), ("cp437", False)]
)
def test_the_encoding_decides_on_the_signs(encoding: str, able: bool) -> None:
    assert speaks_unicode(io.TextIOWrapper(io.BytesIO(), encoding=encoding)) is able


def test_each_picture_is_one_block_that_ends_with_an_empty_line() -> None:
    assert _print(RICH, DEMO).endswith("\n\n")
    assert "\n\n" not in _print(RICH, DEMO)[:-1]


def test_text_and_statistics_need_no_textual() -> None:
    code = "import sys, liquake.tui.plain, liquake.tui.statistics, liquake.tui.source; print('textual' in sys.modules)"
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True)
    assert answer.stdout == "False\n"
