"""Choose whose file is decided on: a client of the sample, a new application, or an uploaded file."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import streamlit as st

from ui import client, desk, form, messages, session, uploads
from ui.numbers import NumberError, read_number
from ui.samples import MAX_LISTED, Filters, Sample, SampleError
from ui.settings import MAX_UPLOAD_MIB, Settings
from ui.texts import columns

MAX_UPLOAD_BYTES = MAX_UPLOAD_MIB * 2**20


@dataclass(frozen=True)
class Chosen:
    """A credit file, and the name under which its entries are kept."""

    source: str
    credit_file: client.CreditFile
    is_new: bool = False


def choose_credit_file(language: str, tables: client.Tables) -> Chosen | None:
    """Return the chosen credit file; None while there is none, after a hint at what to do.

    Raises:
        NoAnswerError: the uploaded file is not a credit file.
    """
    say = partial(messages.say, language)
    ways: dict[str, Callable[[str, client.Tables], Chosen | None]] = {
        "source_client": _choose_client,
        "source_new": lambda *_: Chosen("new", {"application": {}}, is_new=True),
        "source_file": _upload,
    }
    way = remembered(st.radio, language, "source", list(ways), say, horizontal=True)
    chosen = ways[way](language, tables)
    if chosen is None:
        st.info(say(f"{way}_hint"), icon=":material/info:")
    return chosen


def remembered(
    widget: Callable[..., Any],
    language: str,
    name: str,
    options: Sequence[Any],
    format_option: Callable[[Any], str],
    **settings: Any,
) -> Any:
    """Show a choice that survives a change of language and a reload.

    The browser identifies an option by its text, so each language has its widget, which starts from the last choice.
    """
    last = session.kept(f"choice/{name}")
    start = options.index(last) if last in options else 0
    label = messages.say(language, name)
    value = widget(label, options, start, format_func=format_option, key=f"{name}/{language}", **settings)
    session.keep(f"choice/{name}", value)
    return value


def _choose_client(language: str, tables: client.Tables) -> Chosen | None:
    settings = Settings()
    if settings.ui_clients is not None:
        return _search(language, Sample(settings.ui_clients, tables))
    examples = sorted(settings.ui_examples.glob("*.json"))
    if not examples:
        return None
    by_name = {path.name: path for path in examples}
    name = remembered(st.selectbox, language, "example", list(by_name), partial(_example_name, language))
    return Chosen(name, uploads.read_credit_file(by_name[name].read_bytes(), MAX_UPLOAD_BYTES))


def _example_name(language: str, name: str) -> str:
    """Return the name on the page of `client_100123.json`."""
    return messages.say(language, "client", number=Path(name).stem.rpartition("_")[2])


def _search(language: str, sample: Sample) -> Chosen | None:
    """Show the search for a client by number or by filters, and the list of those it finds."""
    say = partial(messages.say, language)
    number = st.text_input(say("search_number"), key="search_number", live=True, help=say("search_help"))
    try:
        filters = _filters(language, number, sample.tables["application"])
        clients = _read_once("found", (sample.version(), filters), partial(sample.search, filters))
        if not clients:
            st.warning(say("search_empty"), icon=":material/search_off:")
            return None
        if len(clients) == MAX_LISTED:
            st.caption(say("search_many", count=MAX_LISTED))
        listed = {int(row["SK_ID_CURR"]): row for row in clients}
        last = session.kept("choice/client")
        if last is not None and last not in listed and not number:
            listed = {last: {"SK_ID_CURR": last}} | listed
        name = partial(_listed, language, listed, sample.tables["application"])
        chosen = remembered(st.selectbox, language, "client_found", list(listed), name)
        session.keep("choice/client", chosen)
        read = partial(sample.credit_file, chosen)
        return Chosen(f"client_{chosen}", _read_once("client_read", (sample.version(), chosen), read))
    except SampleError as fault:
        st.error(say(fault.kind), icon=":material/error:")
    except NumberError as fault:
        st.error(say(f"field_{fault.kind}"), icon=":material/error:")
    return None


def _read_once(name: str, source: object, read: Callable[[], Any]) -> Any:
    """Return what the files hold, read again for another source only: each digit that is typed runs the page again.

    The session keeps the last content of each name, because other officers must not see it.
    """
    kept = st.session_state.get(name)
    if kept is None or kept[0] != source:
        kept = st.session_state[name] = (source, read())
    return kept[1]


def _filters(language: str, number: str, application: Mapping[str, client.Column]) -> Filters:
    """Show the filters; raise NumberError for an amount that is none."""
    say = partial(messages.say, language)
    digits = "".join(filter(str.isdigit, number or ""))
    box = st.expander(say("search_filters"), key="search_filters", on_change="rerun")
    if not box.open:
        return Filters(number=digits)
    chosen = {}
    with box:
        for name in ("NAME_INCOME_TYPE", "NAME_CONTRACT_TYPE"):
            column = application.get(name)
            chosen[name] = st.selectbox(
                columns.name(language, "application", name),
                [None, *(column.categories if column else ())],
                format_func=partial(_any_or, language, column),
                key=f"search/{language}/{name}",
            )
        low = st.text_input(say("search_min_credit"), key="search_min_credit")
        high = st.text_input(say("search_max_credit"), key="search_max_credit")
    return Filters(
        number=digits,
        income_type=chosen["NAME_INCOME_TYPE"],
        contract_type=chosen["NAME_CONTRACT_TYPE"],
        min_credit=read_number(language, low or ""),
        max_credit=read_number(language, high or ""),
    )


def _any_or(language: str, column: client.Column | None, category: str | None) -> str:
    if category is None or column is None:
        return messages.say(language, "any")
    return messages.value(language, category, column.labels.get(category))


def _listed(
    language: str, clients: Mapping[int, Mapping[str, Any]], application: Mapping[str, client.Column], number: int
) -> str:
    """Return a line of the list of clients: number, kind and amount of the loan, age."""
    row = clients[number]
    parts = [messages.say(language, "client", number=number)]
    contract = row.get("NAME_CONTRACT_TYPE")
    if contract is not None:
        parts.append(messages.value(language, contract, application["NAME_CONTRACT_TYPE"].labels.get(contract)))
    if row.get("AMT_CREDIT") is not None:
        parts.append(messages.number(language, row["AMT_CREDIT"]))
    if row.get("DAYS_BIRTH") is not None:
        age = form.shown("DAYS_BIRTH", row["DAYS_BIRTH"], application["DAYS_BIRTH"])
        parts.append(messages.say(language, "age", years=age))
    return ", ".join(parts)


def _upload(language: str, tables: client.Tables) -> Chosen | None:
    """Show the upload; the last file stays until another comes, over reloads too."""
    say = partial(messages.say, language)
    files = st.file_uploader(
        say("upload", megabytes=MAX_UPLOAD_MIB),
        type=["json", "csv"],
        key="upload",
        accept_multiple_files=True,
        max_upload_size=MAX_UPLOAD_MIB,
    )
    credit_files: dict[str, client.CreditFile]
    if files:
        sent = [uploads.Upload(file.name, file.getvalue()) for file in files]
        credit_files = uploads.read_uploads(sent, tables, MAX_UPLOAD_BYTES)
        session.keep("upload", credit_files if len(credit_files) == 1 else None)
    else:
        credit_files = session.kept("upload") or {}
        if credit_files and st.button(say("forget_upload"), icon=":material/close:"):
            session.keep("upload", None)
            return None
    if not credit_files:
        return None
    number = next(iter(credit_files))
    if len(credit_files) > 1:
        number = st.selectbox(say("client_of_upload"), list(credit_files), key=f"client_of_upload/{language}")
    credit_file = credit_files[number]
    return Chosen(f"upload_{desk.digest(credit_file)[:16]}", credit_file)
