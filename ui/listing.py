"""Print every text of the pages in both languages: `python -m ui.listing > docs/wording_pages.md`."""

import sys
from collections.abc import Iterable
from pathlib import Path

ROOT = str(Path(__file__).parents[1])
if ROOT not in sys.path:
    sys.path.append(ROOT)

from ui.messages import MODULES  # noqa: E402
from ui.texts import categories, columns, streamlit_words  # noqa: E402

HEAD = """# The words of the pages

Printed by `python -m ui.listing`. Words in braces are filled in. The reasons, the rules and the categories of the
application come from the service: [wording.md](wording.md).
"""


def listing() -> str:
    """Return the tables of all texts as Markdown."""
    parts = [HEAD]
    for module in MODULES:
        title = (module.__doc__ or "").partition("\n")[0].strip().rstrip(".")
        parts += [f"## {title}\n", _table((text["fr"], text["en"]) for text in module.TEXTS.values())]
    parts += ["## Columns of the application\n", _table(columns.APPLICATION.values())]
    for table, names in columns.HISTORIES.items():
        parts += [f"## Columns of {table}\n", _table(names.values())]
    words = dict.fromkeys(pair for labels in categories.CATEGORIES.values() for pair in labels.values())
    parts += ["## Categories of the histories\n", _table(words)]
    parts += ["## Words of Streamlit\n", _table((french, english) for english, french in streamlit_words.WORDS.items())]
    return "\n".join(parts)


def _table(pairs: Iterable[tuple[str, str]]) -> str:
    rows = [f"| {_cell(french)} | {_cell(english)} |" for french, english in pairs]
    return "\n".join(["| French | English |", "|---|---|", *rows, ""])


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


if __name__ == "__main__":
    sys.stdout.write(listing())
