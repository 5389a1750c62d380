"""The paper of a review as Word: Chinese fonts, headings, tables, captions, fields; the same paper gives the same bytes."""

import io
import zipfile
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Literal
from xml.sax.saxutils import escape, quoteattr

import docx
from docx.document import Document
from docx.enum.section import WD_ORIENT
from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.oxml import parse_xml
from docx.oxml.ns import nsdecls, qn
from docx.shared import Mm, Pt, RGBColor

from gridmap.exports.review_paper import Block, Paper, PaperTable, pictures_by_key
from gridmap.exports.review_pictures import Picture
from gridmap.texts import catalogue, language, t

LATIN, BODY, HEAD, SMALL = "Times New Roman", "仿宋", "黑体", "宋体"
"""The faces of official papers (GB/T 9704); where one is missing, Word takes the nearest."""
PAGE_MM, MARGIN_MM = (210, 297), (20, 22)
_ZIP_DAY = (1980, 1, 1, 0, 0, 0)
_SMALL_PT, _TINY_PT, _MANY = 8.5, 7.5, 9
_PICTURE_SHARE = 0.85
_TWIPS_A_MM = 1440 / 25.4
_MOST_STRETCH, _MM_A_SIGN, _PAD_MM = 1.4, 1.55, 3.0
_BAND, _EDGE, _QUIET = "F2F5F8", "14212E", "5B6F80"
_STYLE = "GridmapTable"


def review_docx(paper: Paper, pictures: Sequence[Picture], *, at: datetime) -> bytes:
    """Return the paper as a Word file.

    Parameters
    ----------
    paper, pictures
        From `paper_of` and `review_pictures`.
    at
        The instant that the review is known on: the only time the file tells.
    """
    document = docx.Document()
    _dress(document)
    section = document.sections[0]
    _set_page(section, across=False)
    _write_margins(section, paper)
    files = pictures_by_key(pictures)
    _first_page(document, paper)
    for block in paper.blocks:
        _write_block(document, block, files)
    if paper.signers:
        _signatures(document, paper.signers)
    document.add_page_break()  # type: ignore[no-untyped-call]
    document.add_heading(paper.formulas.caption, level=1)
    add_table(document, paper.formulas, room_mm=_room(across=False))
    return saved(document, title=f"{paper.title} {paper.month}", at=at)


def saved(document: Document, *, title: str, at: datetime) -> bytes:
    """Return the file with no time in it but `at`, and its parts in one order."""
    core = document.core_properties
    core.title, core.author, core.last_modified_by = clean(title), "gridmap", "gridmap"
    core.created = core.modified = at.astimezone(UTC).replace(microsecond=0, tzinfo=None)
    core.revision = 1
    written, out = io.BytesIO(), io.BytesIO()
    document.save(written)
    with zipfile.ZipFile(written) as source, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as target:
        names = sorted(source.namelist(), key=lambda name: (name != "[Content_Types].xml", name))
        for name in names:
            entry = zipfile.ZipInfo(name, _ZIP_DAY)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.create_system = 0
            target.writestr(entry, source.read(name))
    return out.getvalue()


def clean(said: str) -> str:
    """Return text without the signs that XML cannot hold."""
    return "".join(sign for sign in said if sign in "\t\n" or (ord(sign) >= 32 and sign not in "\ufffe\uffff" and not 0xD800 <= ord(sign) < 0xE000))  # noqa: PLR2004  control signs, surrogates  # fmt: skip


def _dress(document: Document) -> None:
    """Give the styles the faces of official papers, for Chinese as well as Latin signs."""
    for name, face, size, colour in (
        ("Normal", BODY, 11, _EDGE),
        ("Title", HEAD, 20, _EDGE),
        ("Heading 1", HEAD, 14, "1F6F64"),
        ("Caption", HEAD, 9.5, _EDGE),
        ("Header", SMALL, 8, _QUIET),
        ("Footer", SMALL, 7, _QUIET),
    ):
        style = document.styles[name]
        style.font.name, style.font.size, style.font.color.rgb = LATIN, Pt(size), RGBColor.from_string(colour)
        style.font.bold = style.font.italic = False
        faces = style.element.get_or_add_rPr().get_or_add_rFonts()
        for theme in ("asciiTheme", "hAnsiTheme", "eastAsiaTheme", "cstheme"):
            faces.attrib.pop(qn(f"w:{theme}"), None)
        for sign in ("ascii", "hAnsi", "cs"):
            faces.set(qn(f"w:{sign}"), LATIN)
        faces.set(qn("w:eastAsia"), face)
    document.styles["Heading 1"].paragraph_format.space_before = Pt(16)
    document.styles["Heading 1"].paragraph_format.space_after = Pt(6)
    document.styles["Caption"].paragraph_format.space_before = Pt(8)
    document.styles["Caption"].paragraph_format.space_after = Pt(3)
    _speak(document)
    border = document.styles["Title"].element.pPr.find(qn("w:pBdr"))
    if border is not None:
        document.styles["Title"].element.pPr.remove(border)


def _speak(document: Document) -> None:
    """Tell Word the language of Chinese signs: without it lines may begin with a comma, and all is underlined as misspelt."""
    for element in (
        *document.styles.element.iter(qn("w:lang")),
        *document.settings.element.iter(qn("w:themeFontLang")),
    ):
        element.set(qn("w:eastAsia"), "zh-CN")


def _set_page(section: Any, *, across: bool) -> None:
    wide, high = PAGE_MM[::-1] if across else PAGE_MM
    section.orientation = WD_ORIENT.LANDSCAPE if across else WD_ORIENT.PORTRAIT
    section.page_width, section.page_height = Mm(wide), Mm(high)
    section.left_margin = section.right_margin = Mm(MARGIN_MM[0])
    section.top_margin = section.bottom_margin = Mm(MARGIN_MM[1])


def _room(*, across: bool) -> float:
    return PAGE_MM[1 if across else 0] - 2 * MARGIN_MM[0]


def _write_margins(section: Any, paper: Paper) -> None:
    section.header.paragraphs[0].text = clean(paper.header)
    foot = section.footer.paragraphs[0]
    foot.text = clean(f"{paper.footer}　")
    before, between, after = _around(catalogue(language())["review.paper_page"])
    foot.add_run(before)
    _field(foot, "PAGE", "1")
    foot.add_run(between)
    _field(foot, "NUMPAGES", "1")
    foot.add_run(after)


def _around(words: str) -> tuple[str, str, str]:
    before, rest = words.split("{page}", 1)
    between, after = rest.split("{pages}", 1)
    return before, between, after


def _field(paragraph: Any, code: str, shown: str) -> None:
    """Add a field that Word counts itself; until then it shows what is given."""
    field = parse_xml(f'<w:fldSimple {nsdecls("w")} w:instr={quoteattr(f" {code} ")}><w:r><w:t>{escape(shown)}</w:t></w:r></w:fldSimple>')  # fmt: skip
    paragraph._p.append(field)  # noqa: SLF001  python-docx has no fields


def _first_page(document: Document, paper: Paper) -> None:
    title = document.add_paragraph(clean(paper.title), style="Title")
    title.alignment = WD_ALIGN_PARAGRAPH.CENTER
    month = document.add_paragraph()
    month.alignment = WD_ALIGN_PARAGRAPH.CENTER
    run = month.add_run(clean(paper.month))
    run.font.size = Pt(15)
    run.font.color.rgb = RGBColor.from_string("1F6F64")
    if paper.warning:
        run = document.add_paragraph().add_run(clean(paper.warning))
        run.font.color.rgb = RGBColor.from_string("B4532A")
    if paper.key_figures:
        head = (t("review.paper_key_figures"), t("review.file_value"), "")
        rows = tuple((title, value, before) for title, value, before in paper.key_figures)
        add_table(document, _plain("key_figures", head, rows, (22, 16, 24)), room_mm=_room(across=False))
    document.add_paragraph()
    add_table(
        document, _plain("about", (t("review.paper_about"), ""), paper.about, (16, 66)), room_mm=_room(across=False)
    )


def _plain(key: str, head: tuple[str, ...], rows: Sequence[tuple[str, ...]], widths: tuple[int, ...]) -> PaperTable:
    return PaperTable(
        key=key, caption="", head=head, rows=tuple(rows), is_number=tuple(False for _ in head), widths=widths
    )


def _write_block(document: Document, block: Block, files: Mapping[str, bytes]) -> None:
    if block.kind == "heading":
        document.add_heading(clean(block.text), level=1)
    elif block.kind == "note":
        run = document.add_paragraph().add_run(clean(block.text))
        run.font.size = Pt(9)
        run.font.color.rgb = RGBColor.from_string(_QUIET)
    elif block.kind == "picture":
        paragraph = document.add_paragraph()
        paragraph.alignment = WD_ALIGN_PARAGRAPH.CENTER
        paragraph.paragraph_format.keep_with_next = True
        put_picture(paragraph, files[block.picture], said=block.text, width_mm=_room(across=False) * _PICTURE_SHARE)
        document.add_paragraph(clean(block.text), style="Caption").alignment = WD_ALIGN_PARAGRAPH.CENTER
    elif block.table is not None:
        across = block.table.is_wide
        if across:
            _set_page(document.add_section(), across=True)
        add_table(document, block.table, room_mm=_room(across=across))
        if across:
            _set_page(document.add_section(), across=False)


def put_picture(paragraph: Any, png: bytes, *, said: str, width_mm: float) -> None:
    """Add a picture to a paragraph, with words for who cannot see it."""
    shape = paragraph.add_run().add_picture(io.BytesIO(png), width=Mm(width_mm))
    shape._inline.docPr.set("descr", clean(said))  # noqa: SLF001  python-docx has no words for pictures


def add_table(document: Document, table: PaperTable, *, room_mm: float) -> None:
    """Add a table with its caption and the sentence after it."""
    if table.caption:
        caption = document.add_paragraph(clean(table.caption), style="Caption")
        caption.alignment = WD_ALIGN_PARAGRAPH.CENTER
        caption.paragraph_format.keep_with_next = True
    body = document.element.body
    body.insert(len(body) - 1, table_element(document, table, room_mm=room_mm))
    after = document.add_paragraph()
    after.paragraph_format.space_after = Pt(2)
    run = after.add_run(clean(table.after))
    run.font.size = Pt(8)
    run.font.color.rgb = RGBColor.from_string(_QUIET)


def table_element(document: Document, table: PaperTable, *, room_mm: float) -> Any:
    """Return a table as an element of a Word file: three rules, its head repeated on each page, rows never broken.

    Its text has styles of its own, so that one change in Word changes every table; a form that has them keeps its own.

    Parameters
    ----------
    document
        That it is for.
    table
        What it shows.
    room_mm
        How wide it may be; one with little in it is narrower.
    """
    _add_table_styles(document)
    natural = [width * _MM_A_SIGN + _PAD_MM for width in table.widths]
    stretch = min(room_mm / sum(natural), _MOST_STRETCH)
    widths = [round(width * stretch * _TWIPS_A_MM) for width in natural]
    size = f'<w:rPr><w:sz w:val="{round(_TINY_PT * 2)}"/></w:rPr>' if len(table.head) > _MANY else ""
    last = len(table.rows) - 1
    rows = [_row(table.head, widths, table.is_number, size=size, look="Head")]
    for at, row in enumerate(table.rows):
        look: Literal["Total", "Text"] = "Total" if table.has_total and at == last else "Text"
        rows.append(_row(row, widths, table.is_number, size=size, look=look, is_banded=at % 2 == 1))
    columns = "".join(f'<w:gridCol w:w="{width}"/>' for width in widths)
    rules = "".join(f'<w:{side} w:val="single" w:sz="8" w:space="0" w:color="{_EDGE}"/>' for side in ("top", "bottom"))
    margins = "".join(f'<w:{side} w:w="{w}" w:type="dxa"/>' for side, w in (("top", 20), ("left", 60), ("bottom", 20), ("right", 60)))  # fmt: skip
    return parse_xml(
        f'<w:tbl {nsdecls("w")}><w:tblPr><w:tblW w:w="{sum(widths)}" w:type="dxa"/><w:jc w:val="center"/>'
        f'<w:tblBorders>{rules}</w:tblBorders><w:tblLayout w:type="fixed"/><w:tblCellMar>{margins}</w:tblCellMar>'
        f"</w:tblPr><w:tblGrid>{columns}</w:tblGrid>{''.join(rows)}</w:tbl>"
    )


def _row(
    cells: Sequence[str],
    widths: Sequence[int],
    is_number: Sequence[bool],
    *,
    size: str,
    look: Literal["Text", "Head", "Total"],
    is_banded: bool = False,
) -> str:
    is_head = look == "Head"
    kept = "<w:cantSplit/><w:tblHeader/>" if is_head else "<w:cantSplit/>"
    rule = f'<w:tcBorders><w:bottom w:val="single" w:sz="4" w:space="0" w:color="{_EDGE}"/></w:tcBorders>' if is_head else ""  # fmt: skip
    band = f'<w:shd w:val="clear" w:color="auto" w:fill="{_BAND}"/>' if is_banded else ""
    told = []
    for said, width, is_right in zip(cells, widths, is_number, strict=True):
        style = f"{_STYLE}{look}{'Number' if is_right else ''}"
        lines = '</w:t><w:br/><w:t xml:space="preserve">'.join(escape(line) for line in clean(said).split("\n"))
        told.append(
            f'<w:tc><w:tcPr><w:tcW w:w="{width}" w:type="dxa"/>{rule}{band}<w:vAlign w:val="center"/></w:tcPr>'
            f'<w:p><w:pPr><w:pStyle w:val="{style}"/></w:pPr><w:r>{size}<w:t xml:space="preserve">{lines}</w:t></w:r></w:p></w:tc>'
        )
    return f"<w:tr><w:trPr>{kept}</w:trPr>{''.join(told)}</w:tr>"


def _add_table_styles(document: Document) -> None:
    known = {one.style_id for one in document.styles}
    for look, face, colour, weight in (("Text", SMALL, _EDGE, ""), ("Head", HEAD, _QUIET, ""), ("Total", HEAD, _EDGE, "<w:b/>")):  # fmt: skip
        name = f"{_STYLE}{look}"
        dress = (
            '<w:qFormat/><w:pPr><w:spacing w:before="0" w:after="0" w:line="240" w:lineRule="auto"/></w:pPr>'
            f'<w:rPr><w:rFonts w:ascii="{LATIN}" w:hAnsi="{LATIN}" w:cs="{LATIN}" w:eastAsia="{face}"/>{weight}'
            f'<w:color w:val="{colour}"/><w:sz w:val="{round(_SMALL_PT * 2)}"/></w:rPr>'
        )
        styles = {
            name: dress,
            f"{name}Number": f'<w:basedOn w:val="{name}"/><w:qFormat/><w:pPr><w:jc w:val="right"/></w:pPr>',
        }
        for style, inner in styles.items():
            if style not in known:
                title = t(f"review.word_{style.removeprefix(_STYLE).lower()}")
                document.styles.element.append(
                    parse_xml(
                        f'<w:style {nsdecls("w")} w:type="paragraph" w:customStyle="1" w:styleId="{style}">'
                        f"<w:name w:val={quoteattr(title)}/>{inner}</w:style>"
                    )
                )


def _signatures(document: Document, signers: Sequence[str]) -> None:
    document.add_heading(t("review.paper_sign"), level=1)
    table = document.add_table(rows=len(signers), cols=3, style="Table Grid")
    for row, role in zip(table.rows, signers, strict=True):
        row.height = Mm(13)
        said = (role, t("review.paper_sign_name"), t("review.paper_sign_date"))
        for cell, words in zip(row.cells, said, strict=True):
            cell.text = clean(words)
