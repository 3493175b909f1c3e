"""Steps of an officer on a page, for tests."""

from typing import Any

import pytest
from streamlit.runtime.context import ContextProxy
from streamlit.testing.v1 import AppTest

from tests.support.deadlines import timeout_s
from tests.ui.conftest import APP
from ui import messages
from ui.texts import columns


def opened_by(monkeypatch: pytest.MonkeyPatch, locale: str | None, **query: str) -> AppTest:
    """Open the page as a browser of a locale does, at an address with a query."""
    monkeypatch.setattr(ContextProxy, "locale", property(lambda _: locale))
    monkeypatch.setattr(ContextProxy, "cookies", property(lambda _: {}))
    app = AppTest.from_file(APP, default_timeout=timeout_s(20))
    for name, value in query.items():
        app.query_params[name] = value
    return app.run()


def press(page: AppTest, key: str, language: str = "fr") -> AppTest:
    label = messages.say(language, key)
    return next(button for button in page.button if button.label == label).click().run()


def field(page: AppTest, name: str, language: str = "fr") -> Any:
    label = columns.name(language, "application", name)
    return next(entry for entry in (*page.text_input, *page.selectbox) if entry.label == label)


def enter(page: AppTest, name: str, value: Any, language: str = "fr") -> AppTest:
    return field(page, name, language).set_value(value).run()


def unfold(page: AppTest, section: str, kind: str = "file") -> AppTest:
    """Open a section of the form."""
    page.session_state[f"box/{kind}/{section}"] = True
    return page.run()


def speak(page: AppTest, language: str) -> AppTest:
    return page.radio(key="language").set_value(language).run()


def notices(page: AppTest) -> tuple[Any, ...]:
    return (*page.success, *page.error, *page.warning, *page.info)


def texts(page: AppTest) -> str:
    """All that the page says, in one text, with plain spaces."""
    assert not page.exception
    elements = (*page.title, *page.header, *page.subheader, *page.markdown, *page.caption, *notices(page))
    return plain("\n".join(element.value for element in elements))


def plain(text: str) -> str:
    return text.replace("\u00a0", " ").replace("\u202f", " ")
