import pytest

from tests.ui.test_samples import TABLES
from ui.client import NoAnswerError
from ui.uploads import Upload, read_uploads

LIMIT = 10_000
APPLICATION = b"SK_ID_CURR,AMT_CREDIT,NAME_INCOME_TYPE\n700001,1000.5,Working\n700002,,\n"
BUREAU = b"\xef\xbb\xbfSK_ID_CURR;SK_ID_BUREAU;AMT_CREDIT_SUM\n700001;1;2,5\n700002;2;NaN\n\n"
BALANCE = b"SK_ID_BUREAU,MONTHS_BALANCE\n1,0\n2,-1\n"


def fault_of(*uploads: Upload) -> NoAnswerError:
    with pytest.raises(NoAnswerError) as raised:
        read_uploads(uploads, TABLES, LIMIT)
    return raised.value


def test_csv_files_hold_the_credit_files_of_their_clients():
    files = read_uploads(
        [
            Upload("bureau.csv", BUREAU),
            Upload("application_test.csv", APPLICATION),
            Upload("bureau_balance.csv", BALANCE),
        ],
        TABLES,
        LIMIT,
    )

    assert files == {
        "700001": {
            "application": {"SK_ID_CURR": 700_001, "AMT_CREDIT": 1000.5, "NAME_INCOME_TYPE": "Working"},
            "bureau": [{"SK_ID_CURR": 700_001, "SK_ID_BUREAU": 1, "AMT_CREDIT_SUM": 2.5}],
            "bureau_balance": [{"SK_ID_BUREAU": 1, "MONTHS_BALANCE": 0}],
        },
        "700002": {
            "application": {"SK_ID_CURR": 700_002},
            "bureau": [{"SK_ID_CURR": 700_002, "SK_ID_BUREAU": 2}],
            "bureau_balance": [{"SK_ID_BUREAU": 2, "MONTHS_BALANCE": -1}],
        },
    }


def test_a_json_file_is_one_credit_file():
    content = b'{"application": {"SK_ID_CURR": 5}}'

    assert read_uploads([Upload("x.json", content)], TABLES, LIMIT) == {"5": {"application": {"SK_ID_CURR": 5}}}


@pytest.mark.parametrize(
    ("uploads", "kind"),
    [
        ([Upload("application.csv", b"x" * (LIMIT + 1))], "file_too_large"),
        ([Upload("a.json", b"{}"), Upload("application.csv", APPLICATION)], "files_mixed"),
        ([Upload("bureau.csv", BUREAU)], "files_without_application"),
        ([Upload("clients.csv", APPLICATION)], "file_of_no_table"),
        ([Upload("application.csv", b"\xff\xfe")], "file_not_csv"),
        ([Upload("application.csv", b"")], "file_not_csv"),
        ([Upload("application.csv", b"SK_ID_CURR,SK_ID_CURR\n1,2\n")], "file_not_csv"),
    ],
)
def test_an_upload_that_is_no_credit_file_has_its_fault(uploads, kind):
    assert fault_of(*uploads).kind == kind


@pytest.mark.parametrize(
    ("content", "field"),
    [
        (b"SK_ID_CURR,AMT_CREDIT\n1\n", "application.2"),
        (b"SK_ID_CURR,AMT_CREDIT\n1,2\n3,much\n", "application.3.AMT_CREDIT"),
        (b"SK_ID_CURR,AMT_CREDIT\n1,450.000,5\n", "application.2"),
    ],
)
def test_a_wrong_row_is_named(content, field):
    fault = fault_of(Upload("application.csv", content))

    assert fault.kind == "file_not_csv"
    assert [detail.field for detail in fault.details] == [field]
