import contextlib
import csv
import io
from pathlib import Path

import hypothesis.strategies as st
import polars as pl
import pytest
from hypothesis import given

from bento.data import csv_lines as module
from bento.data.csv_lines import MAX_ROW_BYTES, csv_lines
from bento.data.files import STEMS, DataError
from bento.data.readers import read_file
from bento.data.tables import APPLICATION, BUREAU, TABLES
from bento.data.validation import check_folder

ROWS = 30


def _lines(synthetic_folder: Path, stem: str) -> list[str]:
    stem = "application_train" if stem == "application_test" else stem
    frame = pl.read_parquet(synthetic_folder / f"{stem}.parquet").head(ROWS)
    return frame.select(column.name for column in TABLES.get(stem, APPLICATION)).write_csv().splitlines()


def _faults(folder: Path, stem: str, content: str | bytes) -> list[str]:
    """Return the lines about the file that check and reader report, which must be the same."""
    path = folder / f"{stem}.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    faults = [fault for fault in check_folder(folder, [stem]).faults if fault.startswith(str(path))]
    with pytest.raises(DataError) if faults else contextlib.nullcontext() as caught:
        read_file(path, TABLES.get(stem, APPLICATION))
    assert faults == ([str(caught.value)] if caught else [])
    assert all("\n" not in fault for fault in faults)
    return faults


def _count(folder: Path, content: bytes, fields: int) -> tuple[int, tuple[int, ...]]:
    path = folder / f"{abs(hash(content))}.csv"
    path.write_bytes(content)
    lines = csv_lines(path, fields)
    return lines.rows, lines.blank


@pytest.mark.parametrize("end", ["\n", "", "\r\n"])
@pytest.mark.parametrize("row", [2, 15, ROWS + 1])
@pytest.mark.parametrize("stem", STEMS[1:])
def test_a_row_with_other_fields_than_the_header_is_named(
    synthetic_folder: Path, tmp_path: Path, stem: str, row: int, end: str
):
    lines = _lines(synthetic_folder, stem)
    fields = len(next(csv.reader(lines)))
    written = next(csv.reader([lines[row - 1]]))
    line_end = end or "\n"
    for wrong in (written[:-1], written[: fields // 2], [*written, ""], [*written, *written]):
        row_text = io.StringIO()
        csv.writer(row_text, lineterminator="").writerow(wrong)
        changed = [*lines[: row - 1], row_text.getvalue(), *lines[row:]]

        (fault,) = _faults(tmp_path, stem, line_end.join(changed) + end)

        assert f"{stem}.csv: row {row}: {len(wrong)} fields instead of {fields};" in fault


@pytest.mark.parametrize("stem", STEMS[1:])
def test_a_sound_file_has_no_fault_with_any_line_end(synthetic_folder: Path, tmp_path: Path, stem: str):
    lines = _lines(synthetic_folder, stem)
    frames = []
    for text in ("\n".join(lines), "\n".join(lines) + "\n", "\r\n".join(lines) + "\r\n", "\ufeff" + "\n".join(lines)):
        assert not any("fields" in fault for fault in _faults(tmp_path, stem, text))
        frames.append(read_file(tmp_path / f"{stem}.csv", TABLES.get(stem, APPLICATION)))
    assert all(frame.equals(frames[0]) for frame in frames)
    assert len(frames[0]) == ROWS


def test_quoted_commas_quotes_and_line_breaks_are_no_new_field(tmp_path: Path):
    rows = [["1", 'a, "b"', "x\ny\r\nz"], ["2", "", ","], ["3", '"', "\n"]]
    text = io.StringIO(newline="")
    csv.writer(text).writerows([["id", "b", "c"], *rows])
    assert _count(tmp_path, text.getvalue().encode(), 3) == (3, ())


@given(
    rows=st.lists(st.lists(st.text('ab,"\né ', max_size=6), min_size=3, max_size=3), min_size=1, max_size=20),
    line_end=st.sampled_from(["\n", "\r\n"]),
    quoting=st.sampled_from([csv.QUOTE_ALL, csv.QUOTE_MINIMAL]),
    block_bytes=st.integers(1, 40),
    mark=st.sampled_from([b"", b"\xef\xbb\xbf"]),
)
def test_rows_are_those_of_python_s_csv_reader(
    tmp_path_factory: pytest.TempPathFactory, rows, line_end: str, quoting, block_bytes: int, mark: bytes
):
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator=line_end, quoting=quoting).writerows([["a", "b", "c"], *rows])
    content = text.getvalue()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "BLOCK_BYTES", block_bytes)
        counted = _count(tmp_path_factory.mktemp("rows"), mark + content.encode(), 3)

    expected = list(csv.reader(io.StringIO(content, newline="")))[1:]
    assert counted == (len(expected), ())
    assert expected == rows


@given(lengths=st.lists(st.integers(1, 5), min_size=1, max_size=15), block_bytes=st.integers(1, 30))
def test_the_first_wrong_row_is_named_across_blocks(
    tmp_path_factory: pytest.TempPathFactory, lengths: list[int], block_bytes: int
):
    content = "a,b,c\n" + "".join(",".join(["x"] * length) + "\n" for length in lengths)
    wrong = [(row, length) for row, length in enumerate(lengths, start=2) if length != 3]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "BLOCK_BYTES", block_bytes)
        if not wrong:
            assert _count(tmp_path_factory.mktemp("rows"), content.encode(), 3)[0] == len(lengths)
            return
        with pytest.raises(DataError) as caught:
            _count(tmp_path_factory.mktemp("rows"), content.encode(), 3)

    assert "row {}: {} fields instead of 3".format(*wrong[0]) in str(caught.value)


def test_blank_lines_are_counted_apart(tmp_path: Path):
    assert _count(tmp_path, b"a,b\n1,2\n\n  \n3,4\r\n\r\n", 2) == (2, (3, 4, 6))
    assert _count(tmp_path, b"a,b\n1,2\n\n", 2) == (1, (3,))
    assert _count(tmp_path, b"a,b\n", 2) == (0, ())


def test_a_line_of_commas_alone_is_no_blank_line(synthetic_folder: Path, tmp_path: Path):
    lines = _lines(synthetic_folder, "bureau")
    lines[4] = "," * (len(BUREAU.columns) - 1)
    (fault, *_) = [fault for fault in check_folder(_folder(tmp_path, lines)).faults if "SK_ID_BUREAU" in fault]
    assert "1 rows have no id, such as in row 5: write it, or delete the row" in fault


def _folder(folder: Path, bureau_lines: list[str]) -> Path:
    (folder / "bureau.csv").write_text("\n".join(bureau_lines) + "\n")
    return folder


@pytest.mark.parametrize("row", [2, 15, ROWS + 1])
@pytest.mark.parametrize("stem", STEMS[1:])
def test_an_open_quote_is_named_with_its_row(synthetic_folder: Path, tmp_path: Path, stem: str, row: int):
    lines = _lines(synthetic_folder, stem)
    first, *others = lines[row - 1].split(",")
    lines[row - 1] = f'"{first},' + ",".join(others)
    (fault,) = _faults(tmp_path, stem, "\n".join(lines) + "\n")
    assert f"row {row}: a quote" in fault
    assert others[-1] not in fault.partition(": row ")[2].replace(str(row), "") or not others[-1]


def test_an_open_quote_before_other_quotes_is_named(tmp_path: Path):
    content = b'a,b\n1,"x"\n2,"y\n3,"z"\n4,"w"\n'
    with pytest.raises(DataError, match="row 3: a quote is opened and not closed"):
        _count(tmp_path, content, 2)


@pytest.mark.parametrize("field", [b'5"-7" pipe', b'"5"-7" pipe"', b'"x" ', b'x""y', b' "x"'])
def test_a_quote_inside_a_field_is_named_with_its_row(tmp_path: Path, field: bytes):
    with pytest.raises(DataError, match="row 3: a quote stands inside a field"):
        _count(tmp_path, b"a,b\n1,x\n2," + field + b"\n3,y\n4,z\n", 2)


def test_a_quote_that_is_open_over_a_large_file_needs_little_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(module, "BLOCK_BYTES", 1000)
    blocks = []
    inspect = module._rows
    monkeypatch.setattr(module, "_rows", lambda block: blocks.append(len(block)) or inspect(block))
    with pytest.raises(DataError, match="row 2: a quote is opened and not closed"):
        _count(tmp_path, b'a,b\n1,"x\n' + b"2,y\n" * MAX_ROW_BYTES, 2)
    assert max(blocks) < MAX_ROW_BYTES + 2000


@pytest.mark.parametrize("size", [30, 3000])
@pytest.mark.parametrize("stem", STEMS[1:])
def test_line_ends_of_cr_alone_are_one_line(synthetic_folder: Path, tmp_path: Path, stem: str, size: int):
    lines = _lines(synthetic_folder, stem)
    content = "\r".join([lines[0], *lines[1:] * (size // ROWS)]) + "\r"
    (fault,) = _faults(tmp_path, stem, content)
    assert fault == f"{tmp_path / stem}.csv: the lines end with CR alone; save it again with line ends of LF or CRLF"


def test_a_file_is_counted_again_after_it_changed(tmp_path: Path):
    path = tmp_path / "table.csv"
    path.write_text("a,b\n1,2\n")
    assert csv_lines(path, 2).rows == 1
    path.write_text("a,b\n1,2\n3,4\n")
    assert csv_lines(path, 2).rows == 2
