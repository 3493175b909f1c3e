import json

import pytest

from bento.data.credit_file import CreditFile
from bento.data.readers import read_client
from bento.data.tables import HISTORIES
from research.data.credit_files import credit_files
from research.data.dataset import Data
from research.data.example_credit_files import credit_file


def test_credit_files_are_those_of_each_client_in_the_order_asked_for(data: Data):
    clients = data.test_features()["SK_ID_CURR"].to_list()[:12][::-1]

    files = list(credit_files(data.folder, clients))

    for client, file in zip(clients, files, strict=True):
        expected = json.dumps(credit_file(read_client(data.folder, "application_train", client)))
        assert file == CreditFile.model_validate_json(expected)
    assert all(any(getattr(file, name) for file in files) for name in HISTORIES)


def test_an_unknown_client_is_an_error(data: Data):
    with pytest.raises(KeyError):
        list(credit_files(data.folder, [7]))
