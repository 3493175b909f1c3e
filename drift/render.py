"""Render the summary of a comparison, for the terminal and as an HTML page."""

from html import escape
from typing import TYPE_CHECKING

from drift.summary import ColumnSummary, Source, Summary

if TYPE_CHECKING:
    from evidently import Run

MAX_TABLE_ROWS = 15
"""Rows of the table on the terminal; drift.json and drift.html hold all columns."""

HEADER = ("column", "statistic", "score", "threshold", "missing before", "missing now", "drifted")

STYLE = """<style>
.findings { background: #fff; color: #222; font: 15px/1.5 system-ui, sans-serif; margin: 0 auto; max-width: 1200px;
  padding: 24px; }
.findings h1 { font-size: 26px; margin: 0 0 8px; }
.findings table { border-collapse: collapse; margin-top: 12px; }
.findings th, .findings td { border-bottom: 1px solid #ddd; padding: 3px 14px 3px 0; text-align: left; }
</style>"""


def text(summary: Summary) -> str:
    """Return a table of the worst columns, those that drifted first, and a line on those not compared by values."""
    columns = [column for column in summary.columns if column.drifted or column.score is not None]
    shown = columns[: min(MAX_TABLE_ROWS, max(5, summary.columns_drifted))]
    rows = [HEADER, *(_cells(column) for column in shown)]
    widths = [max(len(row[position]) for row in rows) for position in range(len(HEADER))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    more = summary.columns_drifted - len(shown)
    if more > 0:
        lines.append(f"and {more} more drifted columns")
    notes = [f"{column.column} ({column.note})" for column in summary.columns if column.note]
    if notes:
        rest = f" and {len(notes) - 3} more" if len(notes) > 3 else ""
        lines.append(f"values not compared: {', '.join(notes[:3])}{rest}")
    return "\n".join(lines)


def html(summary: Summary, run: "Run | None") -> str:
    """Return Evidently's page, headed by the source of the data, the verdict and what Evidently does not show."""
    findings = _findings(summary)
    if run is None:
        return f'<!DOCTYPE html>\n<html lang="en"><meta charset="utf-8"><body>{findings}</body></html>\n'
    page: str = run.get_html_str(as_iframe=False)
    return page.lstrip().replace("<body>", f"<body>{findings}", 1)


def source(summary: Source) -> str:
    """Return the source of the data in one line."""
    seed = "" if summary.seed is None else f", seed {summary.seed}"
    return f"data: {summary.data}, {summary.clients:,} clients{seed}"


def _findings(summary: Summary) -> str:
    reference, current, limits = summary.reference, summary.current, summary.thresholds
    listed = [column for column in summary.columns if column.drifted or column.note]
    rows = "".join(
        "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in _cells(column)) + "</tr>" for column in listed
    )
    head = "".join(f"<th>{title}</th>" for title in HEADER)
    table = f"<table><tr>{head}</tr>{rows}</table>" if listed else ""
    return f"""{STYLE}
<div class="findings">
<p><strong>{escape(source(summary))}</strong></p>
<h1>{escape(summary.sentence)}</h1>
<p>Reference: {reference.table}, {reference.rows_compared:,} of {reference.rows:,} rows.
Current: {current.table}, {current.rows_compared:,} of {current.rows:,} rows. Sampled with seed
{summary.sample.seed}.</p>
<p>Numbers: {limits.number.statistic}, threshold {limits.number.threshold:g}.
Categories: {limits.category.statistic}, threshold {limits.category.threshold:g}.
A column also drifts when its share of missing values moves by
{limits.missing_step * 100:g} points; Evidently's own counts
below leave that out, and the columns whose values it could not compare.</p>
{table}
</div>"""


def _cells(column: ColumnSummary) -> tuple[str, ...]:
    compared = column.score is not None
    causes = [cause for cause in ("values", "missing") if getattr(column, f"{cause}_drifted")]
    return (
        column.column,
        (column.statistic or "") if compared else column.note,
        f"{column.score:.3g}" if compared else "",
        f"{column.threshold:g}" if compared else "",
        f"{column.missing_reference:.1%}",
        f"{column.missing_current:.1%}",
        " and ".join(causes) or "no",
    )
