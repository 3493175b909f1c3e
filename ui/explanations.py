"""Show what the risk of a credit file is made of, and what would change the decision."""

from collections.abc import Mapping, Sequence
from functools import partial

import streamlit as st

from ui import charts, messages
from ui.answers import Explanation, Model
from ui.results import STATIC_CHART


def show_counterfactual(language: str, explanation: Explanation) -> None:
    """Show the nearest other loans that would be granted."""
    st.subheader(messages.say(language, "counterfactual"), anchor=False)
    st.markdown(messages.plain(explanation.counterfactual.text[language]))


def show_other_version(language: str, decided: Model, explained: Model) -> None:
    """Warn where the service changed its model between the decision and its explanation."""
    if decided != explained:
        st.warning(
            messages.say(
                language,
                "explained_by_another",
                decided=messages.plain(decided.version),
                explained=messages.plain(explained.version),
            ),
            icon=":material/warning:",
        )


def show_contributions(language: str, explanation: Explanation) -> None:
    """Show the contributions by theme, one of which opens to its data, as a chart and as a table."""
    say = partial(messages.say, language)
    st.subheader(say("contributions"), anchor=False)
    groups = {group.group: group.label[language] for group in explanation.groups}
    opened = st.selectbox(
        say("open_theme"),
        [None, *groups],
        format_func=lambda group: say("no_theme") if group is None else groups[group],
        key=f"theme/{language}",
    )
    steps = charts.group_steps(language, explanation, opened)
    with st.container(key="wide_waterfall"):
        show_waterfall(language, explanation, steps, "waterfall")
    with st.expander(say("as_table"), key="as_table"):
        show_table(language, {say("column_theme"): [step.label(language) for step in steps]}, steps)
        features = charts.feature_steps(language, explanation)
        show_table(
            language,
            {
                say("column_item"): [step.name for step in features],
                say("column_client"): [step.value for step in features],
                say("column_similar"): [step.similar for step in features],
            },
            features,
        )
        st.caption(
            say(
                "similar_clients",
                clients=messages.number(language, explanation.similar_clients.clients),
                description=messages.plain(explanation.similar_clients.description[language]),
            )
        )


def show_waterfall(language: str, explanation: Explanation, steps: Sequence[charts.Step], key: str) -> None:
    """Show the chart, with its content in words as alternative text."""
    say = partial(messages.say, language)
    ends = {
        "base": say("base", position=charts.position(language, explanation.base_value)),
        "final": say("final", position=charts.position(language, explanation.log_odds)),
    }
    written = charts.multipliers(language, steps)
    listed = " ; ".join(f"{step.label(language)} {multiplier}" for step, multiplier in zip(steps, written, strict=True))
    st.plotly_chart(
        charts.waterfall(language, explanation, steps),
        theme=None,
        config=STATIC_CHART,
        alt=say("waterfall_alternative", steps=listed, **ends),
        key=key,
    )
    st.caption(say("reasons_explained"))


def show_table(language: str, columns: Mapping[str, Sequence[str]], steps: Sequence[charts.Step]) -> None:
    """Show contributions with their effect in words, beside the columns that name them."""
    say = partial(messages.say, language)
    st.table(
        {
            **{heading: [messages.plain(content) for content in column] for heading, column in columns.items()},
            say("column_effect"): [say(charts.effect(step)) for step in steps],
            say("column_contribution"): charts.multipliers(language, steps),
        },
        hide_index=True,
        alt=say("table_alternative"),
    )
