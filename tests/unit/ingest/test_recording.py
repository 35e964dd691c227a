from __future__ import annotations

import gzip
from collections.abc import Iterable
from pathlib import Path

import pytest

from liquake.errors import RecordingError
from liquake.ingest.recording import PRICE_BASIS_UNKNOWN, is_journal, read_csv, read_span
from liquake.model import Liquidation, PriceBasis, Side

HEADER = "ts_ms,recv_ms,venue,symbol,side,price,base_amount,usd"
MS = 1_760_000_000_000
ROW = f"{MS},,okx_swap,BTC-USDT-SWAP,LONG,64000.5,0.25,16000.125"


def written(folder: Path, rows: Iterable[str], header: str = HEADER) -> Path:
    path = folder / "recording.csv"
    path.write_text("\n".join([header, *rows]) + "\n")
    return path


def one(folder: Path, row: str) -> Liquidation:
    (event,) = read_csv(written(folder, [row]))
    return event


def test_the_recorded_day_of_okx_adds_up(shared: Path) -> None:
    events = list(read_csv(shared / "data" / "okx_mar2026.csv.gz"))
    sides = [event.side for event in events]
    assert (len(events), sides.count(Side.LONG), sides.count(Side.SHORT)) == (5816, 1812, 4004)
    assert sum(event.usd or 0.0 for event in events) == pytest.approx(27_526_274.61, abs=0.005)
    bitcoin = {side: sum(e.amount or 0.0 for e in events if (e.asset, e.side) == ("BTC", side)) for side in Side}
    assert bitcoin == pytest.approx({Side.LONG: 46.7603, Side.SHORT: 79.5244}, abs=5e-5)
    assert len({event.key for event in events}) == 5816
    assert {event.venue for event in events} == {"okx"}


def test_a_row_becomes_a_liquidation(tmp_path: Path) -> None:
    event = one(tmp_path, f"{MS},{MS + 40},okx_swap,BTC-USDT-SWAP,short,64000.5,0.25,16000.125")
    assert (event.venue, event.instrument, event.asset) == ("okx", "BTC-USDT-SWAP", "BTC")
    assert (event.side, event.price, event.price_basis) == (Side.SHORT, 64000.5, PriceBasis.BANKRUPTCY)
    assert (event.amount, event.usd, event.tags) == (0.25, 16000.125, ())
    assert (event.ts_event, event.ts_recv) == (MS * 1_000_000, (MS + 40) * 1_000_000)


def test_without_a_time_of_receipt_the_venues_stands_for_it(tmp_path: Path) -> None:
    assert one(tmp_path, ROW).ts_recv == MS * 1_000_000
    (event,) = read_csv(written(tmp_path, [ROW.replace(",,", ",")], HEADER.replace("recv_ms,", "")))
    assert event.ts_recv == MS * 1_000_000


def test_columns_are_found_by_name(tmp_path: Path) -> None:
    header = "note,usd,base_amount,price,side,symbol,venue,ts_ms"
    (event,) = read_csv(written(tmp_path, [f'"a, b",6.0,3.0,2.0,LONG,ETHUSDT,bybit,{MS}'], "\ufeff" + header))
    assert (event.usd, event.amount, event.price, event.asset) == (6.0, 3.0, 2.0, "ETH")


@pytest.mark.parametrize(
    ("venue", "symbol", "name", "asset", "basis"),
    [
        ("binance_usdm", "1000PEPEUSDT", "binance", "PEPE", PriceBasis.FILL),
        ("binance", "BTCUSDT_260626", "binance", "BTC", PriceBasis.FILL),
        ("bybit", "SHIB1000USDT", "bybit", "SHIB", PriceBasis.BANKRUPTCY),
        ("bybit_inverse", "BTCUSDM26", "bybit", "BTC", PriceBasis.BANKRUPTCY),
        ("okx_futures", "ETH-USD-260626", "okx", "ETH", PriceBasis.BANKRUPTCY),
        ("hyperliquid", "kPEPE", "hyperliquid", "PEPE", PriceBasis.FILL),
        ("kraken", "PF_XBTUSD", "kraken", "BTC", PriceBasis.FILL),
        ("bitmex", "XBTUSD", "bitmex", "BTC", PriceBasis.LIMIT),
        ("bitfinex", "tBTCF0:USTF0", "bitfinex", "BTC", PriceBasis.FILL),
        ("bitmex", "XBTZ26", "bitmex", "BTC", PriceBasis.LIMIT),
        ("gate", "PEPE_USDT", "gate", "PEPE", PriceBasis.LIMIT),
        ("htx", "BTC-USDT", "htx", "BTC", PriceBasis.BANKRUPTCY),
        ("deribit", "SOL_USDC-PERPETUAL", "deribit", "SOL", PriceBasis.FILL),
        ("binance", "\u5e01\u5b89\u4eba\u751fUSDT", "binance", "\u5e01\u5b89\u4eba\u751f", PriceBasis.FILL),
    ],
)
def test_symbols_are_read_by_their_venues_grammar(
    tmp_path: Path, venue: str, symbol: str, name: str, asset: str, basis: PriceBasis
) -> None:
    event = one(tmp_path, f"{MS},,{venue},{symbol},LONG,2.0,3.0,6.0")
    assert (event.venue, event.asset, event.price_basis) == (name, asset, basis)


def test_a_market_named_after_all_of_a_token_is_of_its_coin(tmp_path: Path) -> None:
    event = one(tmp_path, f'{MS},,dydx,"TOKEN,POOL,7xyz-USD",LONG,2.0,3.0,6.0')
    assert event.asset == "TOKEN"


def test_an_unknown_venue_keeps_its_name_and_its_price_is_marked(tmp_path: Path) -> None:
    event = one(tmp_path, f"{MS},,lighthouse,BTC-PERP,LONG,2.0,3.0,6.0")
    assert (event.venue, event.price_basis, event.tags) == ("lighthouse", PriceBasis.LIMIT, (PRICE_BASIS_UNKNOWN,))


def test_an_absent_size_stays_absent(tmp_path: Path) -> None:
    event = one(tmp_path, f"{MS},,okx_swap,BTC-USDT-SWAP,LONG,2.0,,")
    assert (event.amount, event.usd) == (None, None)


def test_identical_rows_are_events_of_their_own_and_the_same_at_each_reading(tmp_path: Path) -> None:
    between = ROW.replace(f"{MS}", f"{MS + 1}")
    path = written(tmp_path, [ROW, ROW, between, ROW])
    keys = [event.key for event in read_csv(path)]
    assert len(set(keys)) == 4
    assert keys == [event.key for event in read_csv(path)]


def test_identical_rows_stay_apart_over_the_longest_delay_allowed(tmp_path: Path) -> None:
    late = [f"{MS},{MS + minutes * 60_000},{ROW.split(',', 2)[2]}" for minutes in range(0, 20, 4)]
    assert len({event.key for event in read_csv(written(tmp_path, late))}) == 5


def test_blank_lines_and_no_rows_at_all_are_fine(tmp_path: Path) -> None:
    assert len(list(read_csv(written(tmp_path, ["", ROW, ""])))) == 1
    assert list(read_csv(written(tmp_path, []))) == []


def test_compression_is_known_by_its_content(tmp_path: Path) -> None:
    path = tmp_path / "recording.csv"
    path.write_bytes(gzip.compress(f"{HEADER}\n{ROW}\n".encode()))
    assert len(list(read_csv(path))) == 1


def test_the_span_is_from_the_first_row_to_the_last(tmp_path: Path) -> None:
    rows = [ROW.replace(f"{MS}", f"{MS + minutes * 60_000}") for minutes in range(90)]
    assert read_span(written(tmp_path, rows)) == (MS * 1_000_000, (MS + 89 * 60_000) * 1_000_000)
    assert read_span(written(tmp_path, [])) is None


@pytest.mark.parametrize(
    ("row", "sentence"),
    [
        (ROW.replace("LONG", "BUY"), "line 3: side 'BUY' is not LONG or SHORT"),
        (ROW.replace("64000.5", "nan"), "line 3: price 'nan' is not a number"),
        (ROW.replace("64000.5", "0"), "line 3: price '0' is not above zero"),
        (ROW.replace("0.25", "-0.25"), "line 3: base_amount '-0.25' is below zero"),
        (ROW.replace("16000.125", "much"), "line 3: usd 'much' is not a number"),
        (ROW.replace(f"{MS}", f"{MS // 1000}"), "line 3: ts_ms '1760000000' is not a time in milliseconds"),
        (ROW.replace(f"{MS}", "yesterday"), "line 3: ts_ms 'yesterday' is not a number"),
        (ROW.replace("BTC-USDT-SWAP", "?"), "line 3: symbol '?' names no coin"),
        (ROW[:30], "line 3: 4 fields instead of 8: is the file cut off"),
        (ROW.replace(f"{MS}", f"{MS - 3_600_000}"), "line 3: 60 minutes before a row above it: sort the rows"),
    ],
)
def test_a_bad_row_is_named_by_line_and_value(tmp_path: Path, row: str, sentence: str) -> None:
    events = read_csv(written(tmp_path, [ROW, row]))
    next(events)
    with pytest.raises(RecordingError, match=sentence.replace("?", r"\?")):
        next(events)


def test_missing_columns_are_all_named_before_anything_is_read(tmp_path: Path) -> None:
    with pytest.raises(RecordingError, match=r"it lacks the columns side, usd: the first line must name ts_ms"):
        read_csv(written(tmp_path, [ROW], HEADER.replace("side", "way").replace(",usd", "")))


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("empty.csv", b"", "it lacks the columns ts_ms, venue"),
        ("noise.csv", b"\xff\xfe\x00\x9c" * 50, "it is not CSV text"),
        ("plain.csv.gz", f"{HEADER}\n{ROW}\n".encode(), "it is named .gz but is not gzip data"),
        ("header.gz", b"\x1f\x8b" + b"\x00" * 40, "its compression is damaged"),
    ],
)
def test_a_file_that_is_no_recording_is_refused_at_the_call(
    tmp_path: Path, name: str, content: bytes, sentence: str
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(RecordingError, match=sentence):
        read_csv(path)


def test_a_compressed_file_that_was_cut_gives_what_it_has_and_then_says_so(tmp_path: Path) -> None:
    path = tmp_path / "cut.csv.gz"
    rows = [ROW.replace("64000.5", f"{number}.5") for number in range(1, 20_000)]
    path.write_bytes(gzip.compress("\n".join([HEADER, *rows]).encode())[:-2000])
    events = read_csv(path)
    next(events)
    with pytest.raises(RecordingError, match="its compression is damaged"):
        list(events)


def test_a_file_that_is_not_there_is_said_in_a_sentence(tmp_path: Path) -> None:
    for read in (read_csv, read_span, is_journal):
        with pytest.raises(RecordingError, match="No such file or directory: check the path"):
            read(tmp_path / "none.csv")
    with pytest.raises(RecordingError, match="Is a directory"):
        read_csv(tmp_path)


def test_a_journal_is_known_by_its_first_bytes(tmp_path: Path) -> None:
    database = tmp_path / "anything.csv"
    database.write_bytes(b"SQLite format 3\x00" + bytes(100))
    assert is_journal(database)
    assert not is_journal(written(tmp_path, [ROW]))
