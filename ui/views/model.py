"""The page on the model: what it is, how good, what it relies on, what it costs, whom it treats how."""

import itertools
import re
from collections.abc import Sequence
from functools import partial

import streamlit as st

from ui import client, faults, messages, model_charts, model_facts, results, session
from ui.settings import Settings

MEASURES = ("auc", "gini", "ks", "brier", "refused_share")
WAYS = ("model", "accept_all", "refuse_all")
MAX_FEATURES = 15
"""Features whose weight is listed."""


def show() -> None:
    """Show the model that decides, then the results of its training."""
    language = session.language()
    say = partial(messages.say, language)
    st.title(say("model_title"), anchor=False)
    try:
        model = model_facts.served(session.service())
    except client.NoAnswerError as fault:
        faults.show_fault(language, fault)
        st.button(say("retry"), key="model_retry")
        return
    show_model(language, model)
    folder = Settings().ui_results
    try:
        trained = model_facts.results(folder)
    except model_facts.ResultsError:
        st.error(say("model_bad_results"))
        show_folder(language)
        return
    if trained is None:
        st.info(say("model_no_results"))
        show_folder(language)
        return
    if not model_facts.belongs(trained, model):
        st.warning(say("model_other"))
    clients = messages.number(language, trained.clients)
    st.caption(say(f"model_data_{'real' if trained.data == 'real' else 'synthetic'}", clients=clients))
    show_measures(language, trained)
    show_calibration(language, trained)
    show_importance(language, trained, model)
    show_costs(language, trained)
    show_fairness(language, trained)
    card = model_facts.card(folder)
    if card is not None:
        with st.expander(say("model_card")):
            st.markdown(readable_card(card))


def show_model(language: str, model: model_facts.Served) -> None:
    """Show in words what the model is and when it refuses."""
    say, percent = partial(messages.say, language), partial(messages.percent, language)
    lines = [
        say(
            "model_what",
            name=messages.plain(model.model.name),
            version=messages.plain(model.model.version),
            features=len(model.features),
            threshold=percent(model.threshold),
        )
    ]
    if model.review_band is not None:
        lines.append(say("model_band", low=percent(model.review_band.low), high=percent(model.review_band.high)))
    ratio = model.costs.false_negative / model.costs.false_positive
    lines.append(say("model_costs", ratio=messages.value(language, ratio)))
    st.markdown(" ".join(lines))


def show_folder(language: str) -> None:
    """Show, folded up, where the results are looked for."""
    with st.expander(messages.say(language, "technical")):
        st.markdown(messages.say(language, "model_technical", folder=messages.code(str(Settings().ui_results))))


def show_measures(language: str, trained: model_facts.Results) -> None:
    """Show the measures on clients that training never saw, with intervals where they were computed."""
    say = partial(messages.say, language)
    st.header(say("model_measures"), anchor=False)
    split = trained.split
    st.caption(say(f"model_split_{split}"))
    intervals = trained.intervals.get(split, {})
    names = [name for name in MEASURES if f"{split}_{name}" in trained.metrics]
    content = {
        say("model_measure"): [say(f"model_{name}") for name in names],
        say("model_value"): [_measure(language, name, trained.metrics[f"{split}_{name}"]) for name in names],
        say("model_interval"): [_range(language, name, intervals[name]) if name in intervals else "" for name in names],
        say("model_reading"): [say(f"model_{name}_reading") for name in names],
    }
    st.table(content, hide_index=True, alt=say("model_measures"))


def show_calibration(language: str, trained: model_facts.Results) -> None:
    """Show whether the probabilities are right."""
    say = partial(messages.say, language)
    slope = trained.intervals.get(trained.split, {}).get("calibration_slope")
    predicted = trained.metrics.get(f"{trained.split}_predicted_to_observed")
    curve = trained.calibration.curve
    if not curve and (slope is None or predicted is None):
        return
    st.header(say("model_calibration"), anchor=False)
    if slope is not None and predicted is not None:
        ends = {name: messages.number(language, getattr(slope, name), 2) for name in ("value", "low", "high")}
        announced = messages.number(language, 100 * predicted)
        st.markdown(say("model_calibration_text", predicted=announced, **ends))
    if curve:
        show_curve(language, curve)


def show_curve(language: str, curve: Sequence[model_facts.CalibrationGroup]) -> None:
    """Show predicted and observed risk of clients of similar risk, as a chart and as a table."""
    say, percent = partial(messages.say, language), partial(messages.percent, language)
    st.caption(say("model_curve_note"))
    st.plotly_chart(
        model_charts.calibration_chart(language, curve),
        theme=None,
        config=results.STATIC_CHART,
        alt=say("model_curve_chart"),
        key="model_curve",
    )
    st.table(
        {
            say("model_clients"): [messages.number(language, group.clients) for group in curve],
            say("model_predicted"): [percent(group.predicted) for group in curve],
            say("model_observed"): [_rate(language, group.observed) for group in curve],
        },
        hide_index=True,
        alt=say("model_calibration"),
    )


def show_importance(language: str, trained: model_facts.Results, model: model_facts.Served) -> None:
    """Show the weight of the themes, and of the features that weigh most."""
    say = partial(messages.say, language)
    st.header(say("model_importance"), anchor=False)
    if trained.explanations is None:
        st.info(say("model_no_importance"))
        return
    st.caption(say("model_importance_note"))
    themes = sorted(trained.explanations.groups, key=lambda theme: -theme.weight)
    names = [theme_name(language, theme) for theme in themes]
    weights = _shares(themes)
    st.plotly_chart(
        model_charts.importance_chart(language, names, weights),
        theme=None,
        config=results.STATIC_CHART,
        alt=say("model_importance_chart"),
        key="model_importance",
    )
    percent = partial(messages.percent, language)
    st.table(
        {say("model_theme"): names, say("model_weight"): [percent(weight) for weight in weights]},
        hide_index=True,
        alt=say("model_importance"),
    )
    meanings = {feature.feature: feature.meaning[language] for feature in model.features}
    # The results have English labels only; French ones are known of the features of the model that decides.
    named = [one for one in trained.explanations.features if language == "en" or one.feature in meanings]
    features = sorted(named, key=lambda feature: -feature.weight)[:MAX_FEATURES]
    whole = sum(theme.weight for theme in themes)
    st.table(
        {
            say("model_feature"): [messages.plain(meanings.get(one.feature, one.label)) for one in features],
            say("model_weight"): [percent(one.weight / whole) for one in features],
        },
        hide_index=True,
        alt=say("model_importance"),
    )


def show_costs(language: str, trained: model_facts.Results) -> None:
    """Show what the decisions cost, and the best threshold by the cost of a default."""
    say, percent = partial(messages.say, language), partial(messages.percent, language)
    number = partial(messages.number, language)
    st.header(say("model_cost"), anchor=False)
    ways = {way: trained.business[trained.split][way] for way in WAYS if way in trained.business.get(trained.split, {})}
    st.table(
        {
            say("model_cost_way"): [say(f"model_way_{way}") for way in ways],
            say("model_cost_per_client"): [_range_of(language, outcome.cost_per_client) for outcome in ways.values()],
            say("model_money_per_client"): [number(outcome.money_per_client) for outcome in ways.values()],
            say("model_refused_share"): [percent(outcome.refused_share) for outcome in ways.values()],
        },
        hide_index=True,
        alt=say("model_cost"),
    )
    st.caption(say("model_cost_note"))
    st.subheader(say("model_thresholds"), anchor=False)
    rows = trained.sensitivity
    st.plotly_chart(
        model_charts.threshold_chart(language, rows),
        theme=None,
        config=results.STATIC_CHART,
        alt=say("model_thresholds_chart"),
        key="model_thresholds",
    )
    st.table(
        {
            say("model_ratio"): [messages.value(language, row.ratio) for row in rows],
            say("model_threshold"): [percent(row.threshold) for row in rows],
            say("model_refused_share"): [percent(row.refused_share) for row in rows],
            say("model_cost_per_client"): [number(row.cost_per_client, 2) for row in rows],
        },
        hide_index=True,
        alt=say("model_thresholds"),
    )


def show_fairness(language: str, trained: model_facts.Results) -> None:
    """Show what the decisions come to for women and men, and by age."""
    say = partial(messages.say, language)
    st.header(say("model_fairness"), anchor=False)
    st.caption(say("model_fairness_note"))
    groups = [*trained.fairness.gender.groups, *trained.fairness.age.groups]
    rates = ("default_rate", "approval_rate", "good_clients_refused")
    st.table(
        {
            say("model_group"): [group_name(language, group.group) for group in groups],
            say("model_clients"): [messages.number(language, group.clients) for group in groups],
            **{say(f"model_{rate}"): [_rate(language, getattr(group, rate)) for group in groups] for rate in rates},
        },
        hide_index=True,
        alt=say("model_fairness"),
    )


def group_name(language: str, group: str) -> str:
    """Return a group of the fairness report in words.

    >>> [group_name("en", group) for group in ("F", "under 30", "30-39", "60 and over", "XNA")]
    ['women', 'under 30', '30 to 39', '60 and over', 'not stated']
    """
    ages = re.findall(r"\d+", group)
    if f"model_group_{group}" in messages.MESSAGES:
        return messages.say(language, f"model_group_{group}")
    if group.startswith("under") and ages:
        return messages.say(language, "model_group_under", age=ages[0])
    if group.endswith("over") and ages:
        return messages.say(language, "model_group_over", age=ages[0])
    if len(ages) == 2:
        return messages.say(language, "model_group_between", low=ages[0], high=ages[1])
    return messages.plain(group)


def theme_name(language: str, theme: model_facts.Importance) -> str:
    """Return a theme in words; one that the page has no words for is named as the results name it."""
    key = f"model_theme_{theme.group}"
    return messages.say(language, key) if key in messages.MESSAGES else messages.plain(theme.label)


def readable_card(card: str) -> str:
    r"""Return a model card for this page: without pictures and quotations, with headings below those of the page.

    Pictures are not installed here, grey quotations lack contrast, and a column without a title cannot be read aloud.

    >>> readable_card("# Card\n![a](b.png)\n> note\n\n| | AUC |\n|---|---|\n| test | 0.7 |")
    '### Card\n\nnote\n\n| Item | AUC |\n|---|---|\n| test | 0.7 |'
    """
    lines = re.sub(r"!\[[^\]]*\]\([^)]*\)", "", card).split("\n")
    for number, (line, following) in enumerate(itertools.zip_longest(lines, lines[1:], fillvalue="")):
        if re.match(r"#{1,4} ", line):
            lines[number] = f"##{line}"
        elif line.startswith("> "):
            lines[number] = line[2:]
        elif re.fullmatch(r"\|[-:| ]+\|", following):
            lines[number] = re.sub(r"\|\s*(?=\|)", "| Item ", line)
    return "\n".join(lines)


def _measure(language: str, name: str, value: float) -> str:
    return messages.percent(language, value) if name == "refused_share" else messages.number(language, value, 3)


def _range(language: str, name: str, interval: model_facts.Interval) -> str:
    ends = {end: _measure(language, name, getattr(interval, end)) for end in ("low", "high")}
    return messages.say(language, "model_from_to", **ends)


def _range_of(language: str, interval: model_facts.Interval) -> str:
    values = {name: messages.number(language, getattr(interval, name), 3) for name in ("value", "low", "high")}
    return messages.say(language, "model_with_interval", **values)


def _rate(language: str, interval: model_facts.Interval | None) -> str:
    if interval is None:
        return messages.say(language, "model_too_few")
    values = {name: messages.percent(language, getattr(interval, name)) for name in ("value", "low", "high")}
    return messages.say(language, "model_with_interval", **values)


def _shares(themes: Sequence[model_facts.Importance]) -> list[float]:
    whole = sum(theme.weight for theme in themes)
    return [theme.weight / whole for theme in themes]


show()
