"""The page that scores a portfolio, and shows what any cut-off would grant and cost."""

import hashlib
from collections.abc import Mapping, Sequence
from functools import partial
from itertools import pairwise
from typing import Any

import streamlit as st

from ui import client, faults, messages, model_facts, numbers, portfolio, portfolio_charts, results, session
from ui.settings import Settings
from ui.texts import columns
from ui.uploads import Upload

EDGES = (0.0, 0.01, 0.02, 0.03, 0.05, 0.08, 0.12, 0.2, 0.3, 0.5)
"""Lower ends of the classes of risk."""
CUTOFFS = tuple(thousandths / 1000 for thousandths in (*range(5, 100, 5), *range(100, 300, 10), *range(300, 1001, 50)))
DEFAULT_LOSS = {"fr": "55", "en": "55"}
"""Percent of the amount that a defaulted loan loses, the assumption behind the model's costs."""


def show() -> None:
    """Show the upload, the scoring, and the results under the chosen cut-off."""
    language = session.language()
    say = partial(messages.say, language)
    st.title(say("portfolio_title"), anchor=False)
    most = messages.number(language, portfolio.MAX_CLIENTS)
    st.markdown(say("portfolio_intro", most=most))
    uploads = st.file_uploader(
        say("portfolio_upload"),
        type=["csv", "parquet", "jsonl", "json", "ndjson"],
        accept_multiple_files=True,
        key="portfolio_files",
    )
    try:
        tables = session.declared_tables(Settings())
        model = model_facts.served(session.service())
        if uploads:
            score(language, [Upload(upload.name, upload.getvalue()) for upload in uploads], tables)
    except client.NoAnswerError as fault:
        show_fault(language, fault)
        return
    except portfolio.TooManyClientsError:
        st.error(say("portfolio_too_many", most=most))
        return
    state: dict[str, Any] = st.session_state.get("portfolio", {})
    scored: list[portfolio.Scored] = state.get("scored", [])
    if scored:
        show_results(language, scored, state["clients"], model, tables)


def show_fault(language: str, fault: client.NoAnswerError) -> None:
    """Show a fault; where a line of a file is at fault, name it."""
    faults.show_fault(language, client.NoAnswerError(fault.kind, fault.status, (), fault.reason, fault.wait))
    for detail in fault.details:
        if detail.kind in ("line", "parquet"):
            st.markdown(messages.say(language, "portfolio_line", place=messages.code(detail.field)))
        else:
            st.markdown(faults.field_message(language, detail.field, messages.detail(language, detail)))


def score(language: str, uploads: Sequence[Upload], tables: client.Tables) -> None:
    """Score the uploaded files once asked to; what is scored stays, and an interrupted run goes on where it stopped."""
    say = partial(messages.say, language)
    digest = hashlib.sha256(b"".join(upload.name.encode() + upload.content for upload in uploads)).hexdigest()
    state: dict[str, Any] = st.session_state.get("portfolio", {})
    if state.get("digest") != digest:
        state = {"digest": digest, "scored": [], "clients": None}
        st.session_state["portfolio"] = state
    done: list[portfolio.Scored] = state["scored"]
    if state["clients"] is not None and len(done) >= state["clients"]:
        return
    if not st.button(say("portfolio_go_on" if done else "portfolio_score"), type="primary", key="portfolio_score"):
        return
    files = portfolio.read_portfolio(uploads, tables)
    state["clients"] = len(files)
    progress = st.progress(0.0, text=" ")
    for portion in portfolio.score(session.service(), files[len(done) :]):
        done.extend(portion)
        text = say(
            "portfolio_progress", done=messages.number(language, len(done)), all=messages.number(language, len(files))
        )
        progress.progress(len(done) / len(files), text=text)
    st.rerun()


def show_results(
    language: str,
    scored: Sequence[portfolio.Scored],
    clients: int,
    model: model_facts.Served,
    tables: client.Tables,
) -> None:
    """Show figures, distribution, costs and groups under the cut-off that the officer moves."""
    say, number = partial(messages.say, language), partial(messages.number, language)
    if len(scored) < clients:
        st.warning(say("portfolio_partial", done=number(len(scored)), all=number(clients)))
    valid = [one for one in scored if one.probability is not None]
    if len(valid) < len(scored):
        st.warning(say("portfolio_rejected", count=number(len(scored) - len(valid))))
    if not valid:
        st.error(say("portfolio_none"))
        return
    chosen = choose(language, model)
    if chosen is None:
        return
    cutoff, costs = chosen
    st.header(say("portfolio_results"), anchor=False)
    show_figures(language, valid, cutoff, costs, model.threshold)
    st.header(say("portfolio_distribution"), anchor=False)
    show_distribution(language, valid, cutoff)
    st.header(say("portfolio_costs"), anchor=False)
    show_costs(language, valid, cutoff, costs)
    st.header(say("portfolio_segments"), anchor=False)
    show_segments(language, valid, cutoff, costs, tables["application"])
    st.download_button(
        say("portfolio_download"),
        portfolio.table(scored, cutoff, costs),
        file_name="portfolio.csv",
        mime="text/csv",
        on_click="ignore",
    )


def choose(language: str, model: model_facts.Served) -> tuple[float, portfolio.Costs] | None:
    """Show cut-off and loss, and return them; None where the loss is no number that it can be."""
    say = partial(messages.say, language)
    left, right = st.columns(2)
    ratio = model.costs.false_negative / model.costs.false_positive
    cutoff = left.select_slider(
        say("portfolio_cutoff"),
        sorted({*CUTOFFS, model.threshold}),
        value=model.threshold,
        format_func=lambda share: messages.percent(language, share),
        help=say("portfolio_cutoff_help", threshold=messages.percent(language, model.threshold)),
        key="portfolio_cutoff",
    )
    written = right.text_input(
        say("portfolio_loss"),
        value=DEFAULT_LOSS[language],
        help=say("portfolio_loss_help", ratio=messages.value(language, ratio)),
        key="portfolio_loss",
    )
    try:
        percent = numbers.read_number(language, written)
    except numbers.NumberError:
        percent = None
    if percent is None or not 1 <= percent <= 100:
        st.warning(say("portfolio_wrong_loss"))
        return None
    loss = percent / 100
    return cutoff, portfolio.Costs(loss_given_default=loss, margin=loss / ratio)


def show_figures(
    language: str, scored: Sequence[portfolio.Scored], cutoff: float, costs: portfolio.Costs, threshold: float
) -> None:
    """Show the totals as a table."""
    say, number = partial(messages.say, language), partial(messages.number, language)
    total, at_threshold = (portfolio.total(scored, share, costs) for share in (cutoff, threshold))
    figures = {
        "portfolio_clients": number(total.clients),
        "portfolio_mean": messages.percent(language, total.mean_probability),
        "portfolio_approval": messages.percent(language, total.approval),
        "portfolio_cost": number(total.cost),
        "portfolio_cost_of_model": number(at_threshold.cost),
    }
    content = {say("portfolio_measure"): [say(key) for key in figures], say("portfolio_value"): list(figures.values())}
    st.table(content, hide_index=True, alt=say("portfolio_results"))
    st.caption(say("portfolio_cost_note"))


def show_distribution(language: str, scored: Sequence[portfolio.Scored], cutoff: float) -> None:
    """Show the classes of risk as a chart, and as a table."""
    say, percent = partial(messages.say, language), partial(messages.percent, language)
    edges = sorted({*EDGES, cutoff})
    counts = portfolio.histogram(scored, edges)
    ends = [say("portfolio_class_between", low=percent(low), high=percent(high)) for low, high in pairwise(edges)]
    classes = [*ends, say("portfolio_class_above", low=percent(edges[-1]))]
    figure = portfolio_charts.distribution(language, classes, counts, [edge < cutoff for edge in edges])
    st.plotly_chart(figure, theme=None, config=results.STATIC_CHART, alt=say("portfolio_chart"), key="portfolio_chart")
    content = {
        say("portfolio_class"): classes,
        say("portfolio_clients"): [messages.number(language, count) for count in counts],
    }
    st.table(content, hide_index=True, alt=say("portfolio_distribution"))


def show_costs(language: str, scored: Sequence[portfolio.Scored], cutoff: float, costs: portfolio.Costs) -> None:
    """Show the expected cost under each cut-off as a curve, with the lowest in words."""
    by_cutoff = {share: portfolio.total(scored, share, costs).cost for share in CUTOFFS}
    best = min(by_cutoff, key=by_cutoff.__getitem__)
    words = messages.say(
        language,
        "portfolio_costs_chart",
        cost=messages.number(language, by_cutoff[best]),
        cutoff=messages.percent(language, best),
    )
    figure = portfolio_charts.cost_curve(language, list(by_cutoff), list(by_cutoff.values()), cutoff)
    st.plotly_chart(figure, theme=None, config=results.STATIC_CHART, alt=words, key="portfolio_cost_chart")
    st.caption(words)


def show_segments(
    language: str,
    scored: Sequence[portfolio.Scored],
    cutoff: float,
    costs: portfolio.Costs,
    declared: Mapping[str, client.Column],
) -> None:
    """Show the totals of the groups of a segment."""
    say, number = partial(messages.say, language), partial(messages.number, language)
    segment = st.selectbox(
        say("portfolio_segment"),
        portfolio.SEGMENTS,
        format_func=lambda name: (
            say("portfolio_age") if name == "DAYS_BIRTH" else columns.name(language, "application", name)
        ),
        key="portfolio_segment",
    )
    totals = portfolio.by_segment(scored, segment, cutoff, costs)
    content = {
        say("portfolio_segment"): [group_name(language, segment, value, declared) for value in totals],
        say("portfolio_clients"): [number(total.clients) for total in totals.values()],
        say("portfolio_mean"): [messages.percent(language, total.mean_probability) for total in totals.values()],
        say("portfolio_approval"): [messages.percent(language, total.approval) for total in totals.values()],
        say("portfolio_cost"): [number(total.cost) for total in totals.values()],
    }
    st.table(content, hide_index=True, alt=say("portfolio_segments"))


def group_name(language: str, segment: str, value: str | None, declared: Mapping[str, client.Column]) -> str:
    """Return a group in words."""
    if value is None:
        return messages.say(language, "missing")
    if segment == "DAYS_BIRTH":
        return messages.say(language, f"portfolio_age_{value}")
    labels = declared[segment].labels if segment in declared else {}
    return messages.plain(messages.value(language, value, labels.get(value)))


show()
