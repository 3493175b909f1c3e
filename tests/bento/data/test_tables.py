from bento.data.credit_file import CreditFile
from bento.data.tables import APPLICATION, HISTORIES, TABLES


def test_the_seven_tables_hold_every_column_of_the_data():
    widths = {name: len(table.columns) for name, table in TABLES.items()}
    assert widths == {
        "application": 121,
        "bureau": 17,
        "bureau_balance": 3,
        "previous_application": 37,
        "POS_CASH_balance": 8,
        "installments_payments": 8,
        "credit_card_balance": 23,
    }


def test_column_names_are_unique_within_a_table():
    for table in TABLES.values():
        assert len(table.schema) == len(table.columns), table.name


def test_keys_and_parents_are_declared_columns():
    for table in TABLES.values():
        assert set(table.key) <= set(table.schema)
        if table.parent:
            parent, column = table.parent
            assert column in TABLES[parent].schema
            assert column in table.schema


def test_only_four_columns_are_required():
    required = [(table.name, column.name) for table in TABLES.values() for column in table if column.required]
    assert sorted(column for _, column in required) == [
        "AMT_CREDIT",
        "AMT_INCOME_TOTAL",
        "DAYS_BIRTH",
        "SK_ID_CURR",
    ]
    assert {table for table, _ in required} == {"application"}


def test_only_category_columns_have_categories():
    for table in TABLES.values():
        for column in table:
            assert bool(column.categories) == (column.kind == "category"), (table.name, column.name)


def test_gender_is_kept_for_audit_only():
    assert [column.name for column in APPLICATION if column.audit_only] == ["CODE_GENDER"]


def test_the_request_model_has_every_table_and_column():
    schema = CreditFile.model_json_schema()
    assert set(schema["properties"]) == set(TABLES)
    for name in TABLES:
        field = schema["properties"][name]
        reference = field["items"]["$ref"] if name in HISTORIES else field["$ref"]
        assert set(schema["$defs"][reference.rpartition("/")[2]]["properties"]) == set(TABLES[name].schema)
