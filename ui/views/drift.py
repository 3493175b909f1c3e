"""The page on drift: the state of the alarm, and the last reports, opened inside the page."""

from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import streamlit as st

from ui import drift_runs, messages, session
from ui.settings import Settings

MAX_RUNS = 20
"""Runs that the page lists."""
MAX_DAYS = 35
"""Age in days from which the last check is called old: checks run at least once a month."""
FRAME_HEIGHT = 900


def show() -> None:
    """Show the alarm, the list of the runs, and the chosen report."""
    language = session.language()
    say = partial(messages.say, language)
    st.title(say("drift_title"), anchor=False)
    st.markdown(say("drift_intro"))
    folder = Settings().ui_drift
    try:
        runs = drift_runs.listed(folder)
    except drift_runs.RunsError:
        st.error(say("drift_bad_list"))
        show_folder(language, folder)
        return
    if not runs:
        st.info(say("drift_none"))
        show_folder(language, folder)
        return
    show_alarm(language, runs[0])
    chosen = st.radio(
        say("drift_runs"),
        range(min(len(runs), MAX_RUNS)),
        format_func=lambda number: line(language, runs[number]),
        key="drift_run",
    )
    show_run(language, runs[chosen], folder)


def show_alarm(language: str, run: drift_runs.Run) -> None:
    """Show the result of the last run, and whether it is old."""
    say, moment = partial(messages.say, language), session.moment(language, run.created)
    sign = "drift_alarm_on" if run.exit_code else "drift_alarm_off"
    (st.error if run.exit_code else st.success)(f"{say(sign, moment=moment)} {sentence(language, run)}")
    days = (datetime.now(UTC) - run.created).days
    if days > MAX_DAYS:
        st.warning(say("drift_stale", days=messages.number(language, days)))


def show_run(language: str, run: drift_runs.Run, folder: Path) -> None:
    """Show the sentence of a run and its report."""
    say, moment = partial(messages.say, language), session.moment(language, run.created)
    st.header(say("drift_open"), anchor=False)
    st.markdown(sentence(language, run))
    if run.html is None:
        st.caption(say("drift_no_page"))
        return
    try:
        content = drift_runs.report(folder, run.html)
    except drift_runs.RunsError:
        st.error(say("drift_bad_report"))
        show_folder(language, folder)
        return
    title = say("drift_frame", moment=moment)
    st.iframe(drift_runs.framed(content, title), height=FRAME_HEIGHT, alt=title)
    st.download_button(
        say("drift_download"),
        content,
        file_name=f"drift_{run.created:%Y-%m-%d}.html",
        mime="text/html",
        on_click="ignore",
    )


def show_folder(language: str, folder: Path) -> None:
    """Show, folded up, where the reports are looked for."""
    with st.expander(messages.say(language, "technical")):
        st.markdown(messages.say(language, "drift_technical", folder=messages.code(str(folder))))


def line(language: str, run: drift_runs.Run) -> str:
    """Return a run in one line."""
    say = partial(messages.say, language)
    state = say("drift_state_on" if run.exit_code else "drift_state_off")
    moment = session.moment(language, run.created)
    return say("drift_run", moment=moment, kind=say(f"drift_kind_{run.kind}"), state=state)


def sentence(language: str, run: drift_runs.Run) -> str:
    """Return the result of a run in one sentence, without markup."""
    return messages.plain(run.sentence if isinstance(run.sentence, str) else run.sentence[language])


show()
