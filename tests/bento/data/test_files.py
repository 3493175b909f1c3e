import gzip
import os
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from bento.data.files import STEMS, DataError, absence, find_file, unpacked
from bento.data.readers import count_rows, read_application, read_client, read_file, read_history
from bento.data.tables import HISTORIES, TABLES, TARGET
from bento.data.validation import check_folder

COMPETITION = "home-credit-default-risk.zip"


@pytest.fixture
def folder(synthetic_folder: Path, tmp_path: Path) -> Path:
    """All eight files as CSV, of forty clients with their histories; both application files hold the same ones."""
    folder = tmp_path / "data"
    folder.mkdir()
    applications = pl.read_parquet(synthetic_folder / "application_train.parquet").head(40)
    applications.write_csv(folder / "application_train.csv")
    applications.drop(TARGET.name).write_csv(folder / "application_test.csv")
    tables = {"application": applications}
    for name in HISTORIES:
        parent, key = TABLES[name].parent or ("", "")
        history = pl.read_parquet(synthetic_folder / f"{name}.parquet")
        tables[name] = history.join(tables[parent], on=key, how="semi", maintain_order="left")
        tables[name].write_csv(folder / f"{name}.csv")
    return folder


def _gzipped(folder: Path) -> None:
    for path in list(folder.glob("*.csv")):
        (folder / f"{path.name}.gz").write_bytes(gzip.compress(path.read_bytes()))
        path.unlink()


def _zipped_singly(folder: Path) -> None:
    for path in list(folder.glob("*.csv")):
        with zipfile.ZipFile(folder / f"{path.name}.zip", "w", zipfile.ZIP_DEFLATED) as archive:
            archive.write(path, path.name)
        path.unlink()


def _zipped_together(folder: Path, inside: str = "") -> None:
    with zipfile.ZipFile(folder / COMPETITION, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("sample_submission.csv", "SK_ID_CURR,TARGET\n1,0.5\n")
        for path in list(folder.glob("*.csv")):
            archive.write(path, inside + path.name)
            path.unlink()


def _zipped_in_a_folder(folder: Path) -> None:
    _zipped_together(folder, "home-credit-default-risk/")


def _read(folder: Path) -> list[pl.DataFrame]:
    client = 100_001
    return [
        read_application(folder, "application_train", [TARGET]),
        read_application(folder, "application_test"),
        *(read_history(folder, name) for name in HISTORIES),
        *read_client(folder, "application_train", client).values(),
    ]


@pytest.mark.parametrize("pack", [_gzipped, _zipped_singly, _zipped_together, _zipped_in_a_folder])
def test_compressed_files_are_read_as_plain_ones(folder: Path, pack: Callable[[Path], None]):
    plain, report = _read(folder), check_folder(folder)
    counts = [count_rows(folder / f"{stem}.csv") for stem in STEMS]

    pack(folder)

    assert not list(folder.glob("*.csv"))
    for frame, expected in zip(_read(folder), plain, strict=True):
        assert_frame_equal(frame, expected)
    packed_report = check_folder(folder)
    assert packed_report.faults == report.faults == []
    assert packed_report.notes == report.notes == []
    assert list(packed_report.rows.values()) == list(report.rows.values()) == counts
    paths = [find_file(folder, stem) for stem in STEMS]
    assert [path and count_rows(path) for path in paths] == counts
    assert [path and unpacked(path).name for path in paths] == [f"{stem}.csv" for stem in STEMS]


def test_a_fault_in_an_archive_names_archive_and_row(folder: Path):
    path = folder / "bureau.csv"
    lines = path.read_text().splitlines()
    path.write_text("\n".join([*lines[:4], "1,2,3", *lines[4:]]) + "\n")
    _zipped_together(folder)
    (fault,) = [fault for fault in check_folder(folder).faults if "row" in fault]
    assert fault.startswith(f"{folder / COMPETITION / 'bureau.csv'}: row 5: 3 fields instead of 17")


def test_what_is_unpacked_is_removed_when_the_process_ends(folder: Path):
    _zipped_together(folder)
    code = (
        "import sys; from pathlib import Path; from bento.data.files import find_file, unpacked\n"
        "path = unpacked(find_file(Path(sys.argv[1]), 'bureau')); assert path.stat().st_size > 1000\n"
        "assert unpacked(find_file(Path(sys.argv[1]), 'bureau')) == path; print(path)"
    )
    done = subprocess.run([sys.executable, "-c", code, folder], capture_output=True, text=True, check=True)
    assert not Path(done.stdout.strip()).exists()


def test_an_archive_that_changed_is_unpacked_again(folder: Path):
    _gzipped(folder)
    path = folder / "bureau.csv.gz"
    before = count_rows(path)
    lines = gzip.decompress(path.read_bytes()).splitlines(keepends=True)
    path.write_bytes(gzip.compress(b"".join(lines[:-1])))
    assert count_rows(path) == before - 1


def _cut(folder: Path) -> None:
    path = next(folder.glob("bureau.csv.*"), folder / COMPETITION)
    path.write_bytes(path.read_bytes()[:-2000])


def _with_damaged_content(folder: Path) -> None:
    path = next(folder.glob("bureau.csv.*"), folder / COMPETITION)
    with path.open("r+b") as file:
        file.seek(200)
        file.write(bytes(50))


def _as_if_encrypted(folder: Path) -> None:
    path = next(folder.glob("bureau.csv.*"), folder / COMPETITION)
    with zipfile.ZipFile(path) as archive:
        members = archive.infolist()
        start = archive.start_dir
    content = bytearray(path.read_bytes())
    for member in members:  # the flag of encryption, in the entry and in the directory
        content[member.header_offset + 6] |= 1
        start = content.index(b"PK\x01\x02", start)
        content[start + 8] |= 1
        start += 4
    path.write_bytes(content)


@pytest.mark.parametrize(
    ("pack", "damage", "expected"),
    [
        (_gzipped, _cut, "the archive is damaged"),
        (_gzipped, _with_damaged_content, "the archive is damaged"),
        (_zipped_singly, _cut, "is no zip archive, or only a part of one; copy or download it again"),
        (_zipped_singly, _with_damaged_content, "the archive is damaged"),
        (_zipped_singly, _as_if_encrypted, "cannot be unpacked"),
        (_zipped_together, _cut, "is no zip archive, or only a part of one; copy or download it again"),
        (_zipped_together, _as_if_encrypted, "unzip it into the same folder"),
    ],
)
def test_an_archive_that_cannot_be_read_is_one_line(
    folder: Path, pack: Callable[[Path], None], damage: Callable[[Path], None], expected: str
):
    pack(folder)
    damage(folder)
    faults = [fault for fault in check_folder(folder).faults if "archive" in fault or "unpacked" in fault]
    assert any(expected in fault for fault in faults)
    assert all("\n" not in fault for fault in faults)
    with pytest.raises(DataError, match=expected):
        read_history(folder, "bureau")


@pytest.mark.parametrize("stem", STEMS)
def test_csv_and_parquet_of_one_table_are_refused(folder: Path, stem: str):
    pl.read_csv(folder / f"{stem}.csv", infer_schema_length=None).write_parquet(folder / f"{stem}.parquet")
    expected = f"{folder}: {stem}.parquet and {stem}.csv both hold the table {stem}; keep one of them"
    assert expected in check_folder(folder).faults
    with pytest.raises(DataError) as caught:
        find_file(folder, stem)
    assert str(caught.value) == expected


def test_two_archives_of_one_table_are_refused(folder: Path):
    (folder / "bureau.csv.gz").write_bytes(gzip.compress((folder / "bureau.csv").read_bytes()))
    with zipfile.ZipFile(folder / "bureau.csv.zip", "w") as archive:
        archive.write(folder / "bureau.csv", "bureau.csv")
    (folder / "bureau.csv").unlink()
    (fault,) = [fault for fault in check_folder(folder).faults if "both hold" in fault]
    assert "bureau.csv.gz and bureau.csv.zip/bureau.csv both hold the table bureau" in fault


def test_a_plain_file_is_read_before_an_archive_and_reported(folder: Path):
    with zipfile.ZipFile(folder / COMPETITION, "w") as archive:
        archive.writestr("bureau.csv", "an older download")
    report = check_folder(folder)
    assert report.faults == []
    assert report.notes == [f"{COMPETITION}/bureau.csv: not read, for bureau.csv is beside it"]
    assert find_file(folder, "bureau") == folder / "bureau.csv"


@pytest.mark.parametrize("stem", STEMS[1:])
def test_a_missing_table_is_named_with_what_to_do(folder: Path, stem: str):
    for path in folder.glob(f"{stem}.csv"):
        path.unlink()
    report = check_folder(folder)
    (note,) = [note for note in report.notes if stem in note]
    assert f"{folder}: holds neither {stem}.csv nor {stem}.parquet; put the file there, otherwise " in note
    assert note in report.remarks


def test_missing_training_applications_are_a_fault(folder: Path):
    (folder / "application_train.csv").unlink()
    assert absence(folder, "application_train") in check_folder(folder).faults


@pytest.mark.parametrize(
    ("stem", "name", "remedy"),
    [
        ("bureau", "bureau (1).csv", "rename it to bureau.csv"),
        ("bureau", "Bureau - Copy.CSV", "rename it to bureau.csv"),
        ("bureau", "BUREAU.parquet", "rename it to bureau.parquet"),
        ("bureau", "bureau.xlsx", "unpack or export it to bureau.csv"),
        ("bureau", "bureau.csv.bz2", "unpack or export it to bureau.csv"),
        ("bureau_balance", "bureau-balance.csv", "rename it to bureau_balance.csv"),
        ("POS_CASH_balance", "pos_cash_balance.csv", "rename it to POS_CASH_balance.csv"),
        ("installments_payments", "instalments_payments.csv.gz", "rename it to installments_payments.csv.gz"),
        ("previous_application", "previous_applications.csv", "rename it to previous_application.csv"),
        ("credit_card_balance", "credit card balance.csv", "rename it to credit_card_balance.csv"),
        ("application_test", "application_test2.csv", "rename it to application_test.csv"),
        ("application_train", "application_train (2).csv", "rename it to application_train.csv"),
    ],
)
def test_a_misnamed_file_is_a_fault_that_names_its_table(folder: Path, stem: str, name: str, remedy: str):
    (folder / f"{stem}.csv").rename(folder / name)
    faults = check_folder(folder).faults
    assert f"{folder}: holds neither {stem}.csv nor {stem}.parquet; {name!r} seems to be it: {remedy}" in faults


def test_other_files_are_taken_for_no_table(folder: Path):
    for name in ("HomeCredit_columns_description.csv", "sample_submission.csv", "oracle.parquet", "synthetic.json"):
        (folder / name).write_text("anything")
    for stem in HISTORIES:
        (folder / f"{stem}.csv").unlink()
    assert check_folder(folder).faults == []


@pytest.mark.parametrize("name", ["mes données", "x (2026)", "x [2026]", "a*b?{c}", "dossier d'été"])
@pytest.mark.parametrize("parquet", [False, True])
def test_folders_of_any_name_are_read(folder: Path, tmp_path: Path, name: str, *, parquet: bool):
    expected = _read(folder)
    other = folder.rename(tmp_path / name)
    if parquet:
        for stem in STEMS:
            table = (*TABLES.get(stem, TABLES["application"]), *([TARGET] if stem == "application_train" else []))
            read_file(other / f"{stem}.csv", table).write_parquet(other / f"{stem}.parquet")
            (other / f"{stem}.csv").unlink()
    assert check_folder(other).faults == []
    for frame, expected_frame in zip(_read(other), expected, strict=True):
        assert_frame_equal(frame, expected_frame)


def test_a_folder_that_is_none_is_named(folder: Path, tmp_path: Path):
    for path, expected in (
        (tmp_path / "nowhere", "no such folder"),
        (folder / "bureau.csv", "is no folder"),
        (tmp_path / ("x" * 300), "cannot be read: File name too long"),
    ):
        for read in (check_folder, lambda path: read_application(path, "application_train")):
            with pytest.raises(DataError, match=expected):
                read(path)


@pytest.mark.skipif(not os.path.exists("/proc/self/mem"), reason="needs a file that exists and cannot be read")
@pytest.mark.parametrize("suffix", ["csv", "parquet", "csv.gz"])
@pytest.mark.parametrize("stem", STEMS)
def test_a_file_that_cannot_be_read_is_one_line(folder: Path, stem: str, suffix: str):
    (folder / f"{stem}.csv").unlink()
    (folder / f"{stem}.{suffix}").symlink_to("/proc/self/mem")
    (fault,) = [fault for fault in check_folder(folder).faults if f"{stem}.{suffix}: cannot be" in fault]
    assert "\n" not in fault
