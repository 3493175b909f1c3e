"""Render a drift report, for the terminal and as one HTML page."""

from collections.abc import Iterator
from html import escape

from bento.i18n import NARROW_SPACE, Wording, format_number
from drift.summary import ColumnResult, DriftReport, Figures, Verdict

VERDICTS: dict[Verdict, Wording] = {
    "drift": Wording(en="Drift", fr="Dérive"),
    "no drift": Wording(en="No drift", fr="Pas de dérive"),
    "could not tell": Wording(en="Could not tell", fr="Verdict impossible"),
}
MAX_ROWS = 12
"""Rows of a table on the terminal; drift.json and drift.html hold all."""
HEADER = ("", "PSI", "threshold", "missing", "now", "threshold", "middle", "now", "change of PD", "")

STYLE = """<style>
.findings { background: #fff; color: #222; font: 15px/1.5 system-ui, sans-serif; margin: 0 auto; max-width: 1200px;
  padding: 24px; }
.findings h1 { font-size: 26px; margin: 0 0 8px; }
.findings h2 { font-size: 19px; margin: 20px 0 4px; }
.findings .drift { color: #a12; } .findings .no { color: #175; }
.findings table { border-collapse: collapse; }
.findings th, .findings td { border-bottom: 1px solid #ddd; padding: 3px 12px 3px 0; text-align: left; }
</style>"""


def text(report: DriftReport) -> str:
    """Return tables of the drifted columns and features, what the model says, and what was not judged."""
    lines = [source(report)]
    for side, title in ((report.reference, "reference"), (report.current, "current")):
        lines.append(f"{title}: {side.name}, {side.rows:,} applications, {side.rows_scored:,} scored")
    for title, columns in (("columns", report.drifted_columns), ("features", report.drifted_features)):
        if columns:
            shown = columns[:MAX_ROWS]
            lines += ["", *_table([(f"drifted {title}", *HEADER[1:]), *(_cells(column) for column in shown)])]
            if len(columns) > len(shown):
                lines.append(f"and {len(columns) - len(shown)} more")
    lines += ["", *_figures_in_words(report)]
    lines += [f"not judged: {fault}" for fault in report.faults]
    lines += [f"note: {note}" for note in report.notes]
    return "\n".join(lines)


def html(report: DriftReport, evidently: str) -> str:
    """Return one page: verdict, figures, every drifted column, and Evidently's page below."""
    findings = _findings(report)
    if not evidently:
        return f'<!DOCTYPE html>\n<html lang="en"><meta charset="utf-8"><body>{findings}</body></html>\n'
    return evidently.replace("<body>", f"<body>{findings}", 1)


def in_short(report: DriftReport) -> Wording:
    """Return the verdict and what changed in one sentence."""
    verdict, drifted = VERDICTS[report.verdict], len(report.drifted_columns)
    english = f"{verdict.en}: {drifted} of {len(report.columns)} columns drifted"
    french = f"{verdict.fr}{NARROW_SPACE}: {drifted} colonnes sur {len(report.columns)} ont dérivé"
    if report.probability is not None:
        rates = (report.probability.approval_reference, report.probability.approval_current)
        before, now = (format_number(100 * rate, 1) for rate in rates)
        english += f"; approved by the model {before[0]}%, now {now[0]}%"
        french += (
            f"{NARROW_SPACE}; accordés par le modèle{NARROW_SPACE}: {before[1]}{NARROW_SPACE}%, "
            f"désormais {now[1]}{NARROW_SPACE}%"
        )
    return Wording(en=f"{english}.", fr=f"{french}.")


def source(report: DriftReport) -> str:
    """Return the source of the data in one line."""
    seed = "" if report.seed is None else f", seed {report.seed}"
    return f"data: {report.data}, {report.clients:,} clients{seed}"


def _figures_in_words(report: DriftReport) -> Iterator[str]:
    if report.probability is not None:
        pd = report.probability
        yield f"PD: mean {pd.mean_reference:.4f}, now {pd.mean_current:.4f}; PSI {_psi(pd)}"
        decided = pd.approval_as_decided
        with_rules = "" if decided is None else f"; as decided, rules included: {decided:.1%}"
        yield (
            f"approval by the model: {pd.approval_reference:.1%}, now {pd.approval_current:.1%} "
            f"(by chance ±{pd.approval_by_chance:.1%}){with_rules}"
        )
    if report.effect is not None:
        yield (
            f"drifted features, given to clients of the reference: PD changes by {report.effect.pd_change:.1%} of its "
            f"mean, {report.effect.flipped:.1%} of decisions, rank correlation {report.effect.rank_correlation:.2f}"
        )
    for title, separated in (("features", report.features_separation), ("columns", report.columns_separation)):
        if separated is not None:
            by = ", ".join(f"{name} {share:.0%}" for name, share in list(separated.gains.items())[:3])
            reason = f", by {by}" if separated.auc > separated.by_chance else ""
            yield f"separable by {title}: AUC {separated.auc:.3f} (by chance up to {separated.by_chance:.3f}){reason}"


def _psi(figures: Figures) -> str:
    if figures.psi is None or figures.threshold is None:
        return "not compared"
    return f"{figures.psi:.4f} (threshold {figures.threshold:.4f})"


def _findings(report: DriftReport) -> str:
    style = "no" if report.verdict == "no drift" else "drift"
    facts = "".join(f"<li>{escape(line)}</li>" for line in _figures_in_words(report))
    grounds = "".join(f"<li>{escape(ground)}</li>" for ground in report.grounds)
    remarks = "".join(
        f"<li>{escape(prefix + line)}</li>"
        for prefix, lines in (("Not judged: ", report.faults), ("", report.notes))
        for line in lines
    )
    tables = "".join(
        f"<h2>{escape(title)} ({len(columns)} of {total})</h2>{_html_table(columns)}"
        for title, columns, total in (
            ("Features of the model that drifted", report.drifted_features, len(report.features)),
            ("Columns of the application that drifted", report.drifted_columns, len(report.columns)),
        )
        if columns
    )
    reference, current = report.reference, report.current
    return f"""{STYLE}
<div class="findings">
<p><strong>{escape(source(report))}</strong></p>
<h1 class="{style}">{escape(report.verdict.capitalize())}</h1>
<ul>{grounds or f"<li>{escape(report.sentence)}</li>"}</ul>
<p>Reference: {escape(reference.name)}, {reference.rows:,} applications, {reference.rows_scored:,} scored.
Current: {escape(current.name)}, {current.rows:,} applications, {current.rows_scored:,} scored.
Model: {escape(report.model or "none")}.</p>
<ul>{facts}{remarks}</ul>
<p>PSI over deciles or categories of the reference. A threshold is what chance reaches at these sample sizes with a
probability of {report.false_alarms:.0%} in any of {report.comparisons} comparisons, and at least a small change.
"Change of PD": what the current distribution of the feature does to the PD of the reference's clients.</p>
{tables}
<h2>Evidently, on a sample of the columns that matter most; its own limits do not enter the verdict above</h2>
</div>"""


def _html_table(columns: list[ColumnResult]) -> str:
    head = "".join(f"<th>{title}</th>" for title in HEADER)
    rows = "".join(
        "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in _cells(column)) + "</tr>" for column in columns
    )
    return f"<table><tr>{head}</tr>{rows}</table>"


def _table(rows: list[tuple[str, ...]]) -> list[str]:
    widths = [max(len(row[position]) for row in rows) for position in range(len(rows[0]))]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]


def _cells(column: ColumnResult) -> tuple[str, ...]:
    values, missing = column.values, column.missing
    return (
        column.column,
        "" if values.psi is None else f"{values.psi:.3f}",
        "" if values.threshold is None else f"{values.threshold:.3f}",
        f"{column.missing_reference:.1%}",
        f"{column.missing_current:.1%}",
        "" if missing.threshold is None else f"PSI {missing.psi:.3f} of {missing.threshold:.3f}",
        _middle(column.middle_reference),
        _middle(column.middle_current),
        "" if column.pd_change is None else f"{column.pd_change:.1%}",
        "; ".join(_remarks(column)),
    )


def _remarks(column: ColumnResult) -> Iterator[str]:
    if column.note:
        yield column.note
    if column.new_categories:
        yield f"new: {', '.join(column.new_categories)}"
    if column.gone_categories:
        yield f"gone: {', '.join(column.gone_categories)}"
    if column.factor is not None:
        yield f"times {column.factor:.4g}"


def _middle(value: float | str | None) -> str:
    if isinstance(value, float):
        return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.5g}"
    return value or ""
