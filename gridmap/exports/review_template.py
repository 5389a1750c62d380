"""A county's own form in Word, filled: placeholders in paragraphs, cells, headers, footers, also where Word has split them."""

import io
import re
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import docx
from docx.document import Document
from docx.opc.exceptions import PackageNotFoundError
from docx.oxml.ns import qn
from docx.text.paragraph import Paragraph
from lxml.etree import XMLSyntaxError  # type: ignore[import-untyped]

from gridmap.errors import InputError
from gridmap.exports.review_charts import charts_of
from gridmap.exports.review_paper import month_words, paper_table, parts_words
from gridmap.exports.review_pictures import Picture
from gridmap.exports.review_word import MARGIN_MM, PAGE_MM, clean, put_picture, saved, table_element
from gridmap.reports.review.shape import ReviewFigure, ReviewReport, ReviewTable
from gridmap.reports.review.words import cell_words, column_title, figure_words, formula_of, known_words, number_words
from gridmap.texts import t

_PLACEHOLDER = re.compile(r"\{\{([^{}]*)\}\}")
_TEXTS, _PARAGRAPH, _TABLE, _CELL = qn("w:t"), qn("w:p"), qn("w:tbl"), qn("w:tc")
_PARTS = 3
_MOST_BYTES = 30_000_000
_TWIPS_A_MM = 1440 / 25.4
_ROOM_MM = PAGE_MM[0] - 2 * MARGIN_MM[0]


@dataclass(frozen=True, kw_only=True)
class Key:
    """A placeholder that may stand in a form.

    Parameters
    ----------
    key
        As it is written between the braces.
    title
        What it is.
    shown
        What it becomes; empty for tables and pictures.
    """

    key: str
    title: str
    shown: str = ""


def template_keys(report: ReviewReport, *, digest: str) -> list[Key]:
    """Return every placeholder that a form may hold for this report, in the order of the agenda.

    Besides, `cell:<table>/<row>/<column>` is one cell of a table: the row by its name, the column by its key or title.
    """
    months = (report.month, report.previous, report.last_year)
    charts = [(one.key.replace(".", ":", 1), one.caption, one.section) for one in charts_of(report)]
    found = [
        Key(key="township", title=t("review.key_township"), shown=report.township_name),
        *(
            Key(key=key, title=t(f"review.key_{key}"), shown=month_words(one.month))
            for key, one in zip(("month", "previous_month", "last_year_month"), months, strict=True)
        ),
        Key(key="known_at", title=t("review.paper_about_known"), shown=known_words(report)),
        Key(key="digest", title=t("review.paper_about_digest"), shown=digest),
        Key(
            key="plan",
            title=t("review.paper_about_plan"),
            shown=report.plan.name if report.plan else t("review.unknown"),
        ),
        Key(key="n_workdays", title=t("review.key_n_workdays"), shown=str(report.month.n_workdays)),
    ]
    for section in report.sections:
        for one in section.figures:
            found.extend(_figure_keys(one, report))
        found += [Key(key=f"table:{one.key}", title=t(one.title_key)) for one in section.tables if not one.is_behind]
        found += [Key(key=f"map:{one.key}", title=t(one.title_key)) for one in section.maps]
        found += [Key(key=key, title=title) for key, title, place in charts if place == section.key]
    return found


def _figure_keys(one: ReviewFigure, report: ReviewReport) -> Iterator[Key]:
    title = t(one.title_key)
    plain = "share" if one.unit == "unit.share" else "count" if one.value is None or float(one.value).is_integer() else "decimal"  # fmt: skip
    told: dict[str, str] = {
        "": figure_words(one.value, one.unit),
        ".number": t("review.unknown") if one.value is None else number_words(one.value, plain),
        ".title": title,
        ".formula": formula_of(one.formula_key, report.settings),
    }
    if one.denominator is not None:
        told[".parts"] = parts_words(one.numerator, one.denominator)
    for name, past in (("previous", one.previous), ("last_year", one.last_year)):
        if past is not None:
            told[f".{name}"] = figure_words(past.value, one.unit)
            if one.unit != "unit.share":
                told[f".{name}.adjusted"] = t("review.unknown") if past.adjusted is None else f"{past.adjusted:,.1f}"
    for ending, shown in told.items():
        yield Key(key=f"{one.key}{ending}", title=title, shown=shown)


def normal_key(written: str) -> str:
    """Return a key as it is compared: case, blanks, dots, hyphens and the `n_` of counts make no difference.

    Examples
    --------
    >>> normal_key(" Disputes.n_settled "), normal_key("table:disputes_by-team")
    ('disputes_settled', 'table:disputes_by_team')
    """
    plain = re.sub(r"[.\-\s]+", "_", written.strip().lower())
    return re.sub(r"(^|_|:)n_(?!workdays)", r"\1", plain)


def fill_template(
    template: bytes, report: ReviewReport, pictures: Sequence[Picture], *, digest: str, name: str
) -> bytes:
    """Return the form with every placeholder filled; what the county wrote stays as it is.

    Parameters
    ----------
    template
        A Word file (.docx).
    report, pictures
        As they are to be shown.
    digest
        Of the whole report.
    name
        Of the file, for what must be said.

    Raises
    ------
    InputError
        If the file is no Word file, names something that this report does not have, or has a table or picture beside other text.
    """
    document = _opened(template, name)
    keys = {normal_key(one.key): one for one in template_keys(report, digest=digest)}
    files = {normal_key(one.key if one.key.startswith("chart.") else f"map:{one.key}").replace("chart_", "chart:", 1): one for one in pictures}  # fmt: skip
    jobs = list(_jobs(document))
    unknown = [
        (written, where)
        for _, text, where in jobs
        for written in _PLACEHOLDER.findall(text)
        if normal_key(written) not in keys and _cell(written, report) is None
    ]
    if unknown:
        written, where = unknown[0]
        raise InputError(t("review.error_placeholder", key=clean(written)[:60], where=where, file=name, n=len(unknown)))
    for paragraph, text, where in jobs:
        # From the last to the first: what was put in is never read again.
        for found in reversed(list(_PLACEHOLDER.finditer(text))):
            written = found.group(1)
            key = normal_key(written)
            if key.startswith(("table:", "map:", "chart:")):
                if (text[: found.start()] + text[found.end() :]).strip():
                    raise InputError(t("review.error_beside", key=written.strip(), where=where, file=name))
                _put(document, paragraph, keys[key], report=report, picture=files.get(key), found=found)
            else:
                shown = keys[key].shown if key in keys else _cell(written, report)
                _replace(paragraph, found, clean(shown or ""))
    return saved(document, title=document.core_properties.title or report.township_name, at=report.known_at)


def _opened(template: bytes, name: str) -> Document:
    if len(template) > _MOST_BYTES:
        raise InputError(t("review.error_template", file=name))
    try:
        return docx.Document(io.BytesIO(template))
    except (PackageNotFoundError, ValueError, KeyError, zipfile.BadZipFile, XMLSyntaxError) as error:
        raise InputError(t("review.error_template", file=name)) from error


def _jobs(document: Document) -> Iterator[tuple[Paragraph, str, str]]:
    """Yield every paragraph with a placeholder, its text, and where it stands."""
    parts = [(document.part, document.element.body, "body")]
    for relation in document.part.rels.values():
        kind = relation.reltype.rsplit("/", 1)[-1]
        if kind in ("header", "footer"):
            parts.append((relation.target_part, relation.target_part.element, kind))
    for part, root, kind in parts:
        n = 0
        for element in list(root.iter(_PARAGRAPH)):
            cell = next(element.iterancestors(_CELL), None)
            n += cell is None
            text = "".join(one.text or "" for one in _texts(element))
            if _PLACEHOLDER.search(text):
                place = t(f"review.where_{kind}", n=n) if cell is None else _in_table(cell, root, kind)
                yield Paragraph(element, part), text, place


def _in_table(cell: Any, root: Any, kind: str) -> str:
    row = cell.getparent()
    table = row.getparent()
    return t(
        f"review.where_{kind}_cell",
        table=1 + list(root.iter(_TABLE)).index(table),
        row=1 + table.findall(qn("w:tr")).index(row),
        column=1 + row.findall(_CELL).index(cell),
    )


def _texts(paragraph: Any) -> list[Any]:
    """Return the pieces of text of a paragraph, without those of paragraphs inside it (text boxes)."""
    return [one for one in paragraph.iter(_TEXTS) if next(one.iterancestors(_PARAGRAPH)) is paragraph]


def _replace(paragraph: Paragraph, found: re.Match[str], shown: str) -> None:
    """Put words in the place of a placeholder, in the look of its first sign, wherever Word has split it."""
    pieces = _texts(paragraph._p)  # noqa: SLF001  python-docx sees no runs inside links and controls
    begin, end, at = found.start(), found.end(), 0
    for piece in pieces:
        text = piece.text or ""
        left, right = max(begin - at, 0), min(end - at, len(text))
        if left < len(text) and right > 0:
            piece.text = f"{text[:left]}{shown}{text[right:]}"
            piece.set(qn("xml:space"), "preserve")
            shown = ""
        at += len(text)


def _put(
    document: Document,
    paragraph: Paragraph,
    key: Key,
    *,
    report: ReviewReport,
    picture: Picture | None,
    found: re.Match[str],
) -> None:
    """Put a table or a picture where its placeholder stood; without one, the word for what is not known."""
    kind, name = key.key.split(":", 1)
    room = _room_of(paragraph)
    if kind == "table" and not report.tables[name].rows.empty:
        _replace(paragraph, found, "")
        before = paragraph._p.getprevious()  # noqa: SLF001
        if before is not None and before.tag == _TABLE:
            # Word joins two tables that nothing parts.
            paragraph._p.addprevious(paragraph._p.makeelement(_PARAGRAPH, {}))  # noqa: SLF001
        paragraph._p.addprevious(table_element(document, paper_table(report.tables[name]), room_mm=room))  # noqa: SLF001
    elif picture is not None:
        _replace(paragraph, found, "")
        put_picture(paragraph, picture.png, said=picture.caption, width_mm=room)
    else:
        _replace(paragraph, found, t("review.unknown"))


def _room_of(paragraph: Paragraph) -> float:
    """Return the millimetres there are: of the cell it stands in, else of the page."""
    cell = next(paragraph._p.iterancestors(_CELL), None)  # noqa: SLF001
    width = None if cell is None else cell.find(f"{qn('w:tcPr')}/{qn('w:tcW')}")
    if width is not None and width.get(qn("w:type")) == "dxa":
        return max(int(width.get(qn("w:w"))) / _TWIPS_A_MM - 4, 10)
    page = next((one for one in paragraph._p.getroottree().iter(qn("w:sectPr"))), None)  # noqa: SLF001
    size, margins = (None if page is None else page.find(qn(f"w:{name}")) for name in ("pgSz", "pgMar"))
    if size is None or margins is None:
        return _ROOM_MM
    inner = int(size.get(qn("w:w"))) - int(margins.get(qn("w:left"))) - int(margins.get(qn("w:right")))
    return max(inner / _TWIPS_A_MM, 20)


def _cell(written: str, report: ReviewReport) -> str | None:
    """Return the words of `cell:<table>/<row>/<column>`; None where there is no such cell."""
    kind, _, rest = written.strip().partition(":")
    parts = [part.strip() for part in rest.split("/", _PARTS - 1)]
    if kind != "cell" or len(parts) != _PARTS:
        return None
    tables = {normal_key(key): one for key, one in report.tables.items() if not one.is_behind}
    table = tables.get(normal_key(parts[0]))
    return None if table is None else _cell_of(table, parts[1], parts[2])


def _cell_of(table: ReviewTable, row_name: str, column_name: str) -> str | None:
    names: Mapping[str, Any] = {column_title(one): one for one in table.columns} | {one.key: one for one in table.columns}  # fmt: skip
    column = names.get(column_name)
    told_by = [one for one in table.columns if one.kind in ("text", "word", "day")]
    if column is None:
        return None
    for _, row in table.rows.iterrows():
        if row_name in {cell_words(one, row[one.key]) for one in told_by}:
            return cell_words(column, row[column.key])
    return None
