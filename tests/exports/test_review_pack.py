"""The pack of a review: files opened again and read, figures equal to the report's, the same bytes again, all or nothing."""

import hashlib
import io
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from zoneinfo import ZoneInfo

import docx
import numpy as np
import openpyxl
import pandas as pd
import pytest
from docx.oxml.ns import qn
from PIL import Image
from sqlalchemy import Engine
from sqlalchemy.engine import URL

from gridmap.errors import InputError
from gridmap.exports.folders import SUMS, replace_folder
from gridmap.exports.review import Form, pack_files, write_pack
from gridmap.exports.review_board import BOARD, board_given
from gridmap.exports.review_book import sheet_names
from gridmap.exports.review_charts import charts_of
from gridmap.exports.review_pages import picture_files
from gridmap.exports.review_paper import MOST_ROWS, figures_table, paper_of, paper_table
from gridmap.exports.review_pictures import Picture, grid_picture, review_pictures
from gridmap.exports.review_template import fill_template, normal_key, template_keys
from gridmap.exports.review_word import review_docx
from gridmap.exports.typesetting import typeset_pages
from gridmap.maps.palette import LIGHT
from gridmap.reports.review.build import column, grid_map, table
from gridmap.reports.review.canonical import digest_of, to_record
from gridmap.reports.review.ground import ReviewGround, review_ground
from gridmap.reports.review.public import public_report
from gridmap.reports.review.report import review_report, rules_of
from gridmap.reports.review.shape import ReviewReport, Section
from gridmap.reports.review.trend import with_months
from gridmap.reports.review.words import figure_words
from gridmap.settings import Settings
from gridmap.texts import t
from tests.reviewing import database
from tests.tiny import GRIDS, TOWNSHIP, at

ZONE = ZoneInfo("Asia/Shanghai")
EVIL = '=HYPERLINK("http://x")\x07{{township}}<w:p/>&'
FIXED_PDF = b"%PDF"


@pytest.fixture(scope="module")
def busy(cluster_url: URL, template_busy: str) -> Iterator[Engine]:
    """The busy township, only read."""
    with database(cluster_url, template_busy) as engine:
        yield engine


@pytest.fixture(scope="module")
def read(busy: Engine) -> tuple[ReviewReport, ReviewGround]:
    """Its October and its land; one table names what a person could have written."""
    with busy.connect() as connection:
        report = review_report(
            connection, township_code=TOWNSHIP, month="2026-10", known_at=at(14, 12, month=11), zone=ZONE, rules=rules_of(Settings())
        )  # fmt: skip
        ground = review_ground(connection, report=report)
    rows = pd.DataFrame({"name": [EVIL, *(f"点{n}" for n in range(MOST_ROWS + 5))]})
    evil = table("gaps.points", rows, [column("name")], by=["name"])
    sections = tuple(
        replace(one, tables=(*one.tables[:1], evil)) if one.key == "gaps" else one for one in report.sections
    )
    return replace(report, sections=sections), ground


@pytest.fixture(scope="module")
def files(read: tuple[ReviewReport, ReviewGround]) -> dict[str, bytes]:
    """Its pack."""
    return pack_files(read[0], ground=read[1])


@pytest.fixture(scope="module")
def public(read: tuple[ReviewReport, ReviewGround]) -> dict[str, bytes]:
    """The pack for everybody."""
    return pack_files(read[0], ground=read[1], is_public=True)


def words_of(content: bytes) -> list[list[str]]:
    """Every row of every table of a Word file."""
    document = docx.Document(io.BytesIO(content))
    return [[cell.text for cell in row.cells] for one in document.tables for row in one.rows]


def test_the_pack_has_every_kind_of_file(files: dict[str, bytes]):
    named = {"review-2026-10.docx", "review-2026-10.xlsx", "review-2026-10.pdf", "board-2026-10-a3.pdf", "figures.json", "figures.csv"}  # fmt: skip
    assert named <= set(files)
    assert files["review-2026-10.pdf"].startswith(FIXED_PDF)
    assert "pictures/hotspots-class.png" in files
    assert "tables/disputes-county_form.csv" in files


def test_every_figure_stands_in_word_as_it_is_in_the_report(read: tuple[ReviewReport, ReviewGround], files: dict[str, bytes]):  # fmt: skip
    rows = {tuple(row[:2]) for row in words_of(files["review-2026-10.docx"])}
    for one in read[0].figures.values():
        assert (t(one.title_key), figure_words(one.value, one.unit)) in rows


def test_word_has_its_headings_in_the_order_of_the_agenda_captions_pictures_and_the_digest(
    read: tuple[ReviewReport, ReviewGround], files: dict[str, bytes]
):
    document = docx.Document(io.BytesIO(files["review-2026-10.docx"]))
    heads = [one.text for one in document.paragraphs if one.style.name == "Heading 1"]
    assert [head.split("、")[-1] for head in heads[: len(read[0].sections)]] == [t(one.title_key) for one in read[0].sections]  # fmt: skip
    captions = [one.text for one in document.paragraphs if one.style.name == "Caption"]
    assert "图 1" in " ".join(captions)
    assert "表 1" in " ".join(captions)
    assert len(document.inline_shapes) == sum(name.startswith("pictures/") for name in files)
    foot, head = document.sections[0].footer.paragraphs[0], document.sections[0].header.paragraphs[0]
    assert digest_of(to_record(read[0])) in foot.text
    assert {one.get(qn("w:instr")).strip() for one in foot._p.iter(qn("w:fldSimple"))} == {"PAGE", "NUMPAGES"}
    assert read[0].township_name in head.text
    assert "2026-11-14" in head.text


def test_word_names_a_chinese_face_for_chinese_signs(files: dict[str, bytes]):
    document = docx.Document(io.BytesIO(files["review-2026-10.docx"]))
    for name in ("Normal", "Heading 1", "Caption", "Header"):
        faces = document.styles[name].element.rPr.rFonts
        assert faces.get(qn("w:eastAsia")) in {"仿宋", "黑体", "宋体"}
        assert faces.get(qn("w:eastAsiaTheme")) is None
    styles = {one.style.name for table in document.tables[:-2] for row in table.rows for cell in row.cells for one in cell.paragraphs}  # fmt: skip
    assert styles >= {"表格文字", "表格数字", "表格表头"}
    for name in styles:
        style = document.styles[name]
        faces = (style if style.element.rPr is not None else style.base_style).element.rPr.rFonts
        assert faces.get(qn("w:eastAsia")) in {"黑体", "宋体"}


def test_word_takes_chinese_signs_for_chinese(files: dict[str, bytes]):
    document = docx.Document(io.BytesIO(files["review-2026-10.docx"]))
    languages = [
        *document.styles.element.iter(qn("w:lang")),
        *document.settings.element.iter(qn("w:themeFontLang")),
    ]
    assert {one.get(qn("w:eastAsia")) for one in languages} == {"zh-CN"}


def test_what_a_person_wrote_is_text_in_every_file(read: tuple[ReviewReport, ReviewGround], files: dict[str, bytes]):
    plain = EVIL.replace("\x07", "")
    assert [plain] in words_of(files["review-2026-10.docx"])
    book = openpyxl.load_workbook(io.BytesIO(files["review-2026-10.xlsx"]))
    sheet = book[sheet_names(read[0])["gaps.points"]]
    assert sheet["A2"].data_type == "s"
    assert sheet["A2"].value.startswith("=HYPERLINK")
    assert not [cell for page in book for row in page.iter_rows() for cell in row if cell.data_type == "f"]
    assert files["tables/gaps-points.csv"].decode("utf-8-sig").splitlines()[1].startswith("\"'=HYPER")


def test_every_table_has_a_sheet_with_its_rows_a_filter_and_a_head_that_stays(
    read: tuple[ReviewReport, ReviewGround], files: dict[str, bytes]
):
    book = openpyxl.load_workbook(io.BytesIO(files["review-2026-10.xlsx"]))
    names = sheet_names(read[0])
    assert book.sheetnames == list(names.values())
    for key, one in read[0].tables.items():
        sheet = book[names[key]]
        assert sheet.max_row == 1 + len(one.rows)
        assert sheet.auto_filter.ref
        assert sheet.freeze_panes == "B2"
        for at_column, column_of in enumerate(one.columns, start=1):
            for at_row, value in enumerate(one.rows[column_of.key], start=2):
                if column_of.kind in ("count", "decimal", "share"):
                    assert sheet.cell(at_row, at_column).value == value


def test_the_sheet_of_figures_has_their_values_and_formulas(read: tuple[ReviewReport, ReviewGround], files: dict[str, bytes]):  # fmt: skip
    book = openpyxl.load_workbook(io.BytesIO(files["review-2026-10.xlsx"]))
    rows = list(book.worksheets[0].iter_rows(min_row=2, values_only=True))
    figures = list(read[0].figures.values())
    assert [row[2] for row in rows] == ["未知" if one.value is None else one.value for one in figures]
    assert [row[4:6] for row in rows] == [(one.numerator, one.denominator) for one in figures]
    assert all(row[10] for row in rows)
    links = {one.ref: one.location for one in book.worksheets[0]._hyperlinks}
    assert {location.split("'")[1] for location in links.values()} <= set(book.sheetnames)


def test_the_table_of_months_says_what_the_figures_say(read: tuple[ReviewReport, ReviewGround]):
    rows = read[0].tables["disputes.by_month"].rows.set_index("month")
    assert list(rows.index[[0, 11, 12]]) == ["2025-10", "2026-09", "2026-10"]
    assert len(rows) == 13
    for name, key in (("n_disputes", "disputes.n_new"), ("n_cases", "cases.n_new")):
        one = read[0].figures[key]
        assert list(rows[name].iloc[[0, 11, 12]]) == [one.last_year.value, one.previous.value, one.value]


def test_a_month_in_which_nobody_reported_is_unknown_and_not_zero():
    incidents = pd.DataFrame({"kind": ["hazard", "dispute"], "happened_at": [at(1, 0), at(30, 23, 59)]})
    made = with_months(Section(key="s", title_key="t"), incidents, month=at(1).date(), zone=ZONE)
    rows = made.tables[0].rows
    assert list(rows.iloc[-1]) == ["2026-10", 1, 2]
    assert rows["n_cases"].iloc[:-1].isna().all()


def test_a_long_table_is_cut_on_paper_and_says_where_the_rest_is(read: tuple[ReviewReport, ReviewGround]):
    one = paper_table(read[0].tables["gaps.points"])
    assert len(one.rows) < MOST_ROWS
    assert str(MOST_ROWS + 6) in one.after


def test_figures_of_a_section_without_comparison_have_no_empty_columns(read: tuple[ReviewReport, ReviewGround]):
    assert len(figures_table(read[0].section("gaps")).head) == 2


def test_pictures_hold_chinese_signs_and_nothing_about_the_program(files: dict[str, bytes]):
    """Missing signs would warn, and a warning fails; besides, two titles of as many signs must not look alike."""
    pictures = {name: Image.open(io.BytesIO(content)) for name, content in files.items() if name.endswith(".png")}
    heads = [np.asarray(pictures[f"pictures/{name}.png"].convert("L"))[:90, 180:420] for name in ("coverage-visited", "coverage-doors")]  # fmt: skip
    assert (heads[0] != heads[1]).mean() > 0.02
    for one in pictures.values():
        assert not {"Software", "Creation Time", "Author"} & set(one.info)
        assert one.size[0] >= 1200


def test_a_map_shows_each_grid_in_the_colour_of_its_step(read: tuple[ReviewReport, ReviewGround], files: dict[str, bytes]):  # fmt: skip
    """The grids of the tiny township have 3, 4 and 11 of 100 households: all in the lowest step."""
    picture = Image.open(io.BytesIO(files["pictures/cap-share.png"])).convert("RGB")
    lowest = np.array([0xE3, 0xEE, 0xF5])
    share = (np.abs(np.asarray(picture).astype(int) - lowest).max(axis=2) < 6).mean()
    assert share > 0.1
    assert list(read[1].grids.index) == list(GRIDS)


def test_a_public_map_of_counts_tells_one_and_two_by_neither_number_nor_colour(read: tuple[ReviewReport, ReviewGround]):
    counts = pd.Series([1, 2, 9], index=list(GRIDS))
    shown = grid_picture(grid_map("hotspots.class", counts, "count", is_public=True), read[0], codes=GRIDS)
    assert list(shown.labels.values()) == ["<3", "<3", "9"]
    assert shown.step_of[GRIDS[0]] == shown.step_of[GRIDS[1]] != shown.step_of[GRIDS[2]]


def test_a_grid_of_which_nothing_is_known_is_hatched_and_not_the_lowest_step(read: tuple[ReviewReport, ReviewGround]):
    values = pd.Series([0.2, None, 0.99], index=list(GRIDS), dtype=object)
    shown = grid_picture(grid_map("coverage.visited", values, "share", is_bad_high=False), read[0], codes=GRIDS)
    steps = [shown.steps[shown.step_of[code]] for code in GRIDS]
    assert [one.is_hatched for one in steps] == [False, True, False]
    assert [one.label for one in steps] == ["50% 以下", "未知", "95% 及以上"]
    assert shown.labels[GRIDS[1]] == ""


def test_the_same_report_gives_the_same_bytes(read: tuple[ReviewReport, ReviewGround], files: dict[str, bytes]):
    assert pack_files(read[0], ground=read[1]) == files


_AGAIN = """
import hashlib, pickle, sys
from gridmap.exports.review import pack_files
report, ground = pickle.loads(sys.stdin.buffer.read())
for name, content in pack_files(report, ground=ground).items():
    print(hashlib.sha256(content).hexdigest(), name)
"""


def test_another_process_gives_the_same_bytes(read: tuple[ReviewReport, ReviewGround], files: dict[str, bytes]):
    import pickle

    sent = pickle.dumps((read[0], read[1]))
    environment = {**os.environ, "PYTHONHASHSEED": "4711", "TZ": "America/Lima"}
    done = subprocess.run([sys.executable, "-c", _AGAIN], input=sent, capture_output=True, check=True, env=environment)
    told = dict(line.split(" ", 1)[::-1] for line in done.stdout.decode().splitlines())
    assert told == {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}


# ---- what everybody may see


def test_a_public_pack_holds_no_single_case_and_no_small_count(
    read: tuple[ReviewReport, ReviewGround], public: dict[str, bytes]
):
    shown = public_report(read[0])
    assert {name for name in public if name.startswith("tables/")} == {
        f"tables/{key.replace('.', '-')}.csv" for key in shown.tables
    }
    rows = words_of(public["review-2026-10-public.docx"])
    codes = set(read[0].tables["disputes.rows"].rows["incident_code"])
    written = " ".join(cell for row in rows for cell in row)
    assert codes
    for content in (written, public["figures.json"].decode(), public["figures.csv"].decode()):
        assert not [code for code in codes if code in content]
    assert t(read[0].figures["disputes.n_new"].title_key) not in written
    form = paper_table(shown.tables["disputes.by_category"])
    assert any("<3" in row for row in form.rows)
    assert list(form.rows[-1]) in rows


def test_a_public_pack_has_no_picture_of_private_matters(public: dict[str, bytes], files: dict[str, bytes]):
    pictures = {name for name in public if name.startswith("pictures/")}
    assert pictures < {name for name in files if name.startswith("pictures/")}
    assert not [name for name in pictures if "chart" in name or "workload" in name]


def test_the_sheet_of_the_board_is_public_also_in_the_meetings_pack(public: dict[str, bytes], files: dict[str, bytes]):
    assert public["board-2026-10-a3.pdf"] == files["board-2026-10-a3.pdf"]


@pytest.mark.parametrize("n", [4, 30, 45])
def test_the_sheet_of_the_board_is_one_page_whatever_the_month_brings(
    read: tuple[ReviewReport, ReviewGround], files: dict[str, bytes], n: int
):
    shown = public_report(read[0])
    one = shown.tables["disputes.by_category"]
    rows = pd.DataFrame({key: [f"类型{at}" if key == "category" else "12-14" for at in range(n)] for key in one.rows})
    sections = tuple(
        replace(each, tables=tuple(replace(own, rows=rows) if own.key == one.key else own for own in each.tables))
        for each in shown.sections
    )
    keys = ("coverage.visited", "coverage.doors", "coverage.days", "cap.share")
    pictures = [Picture(key=key, section="coverage", caption="图", png=files[f"pictures/{key.replace('.', '-')}.png"]) for key in keys]  # fmt: skip
    given = board_given(replace(shown, sections=sections), pictures, digest="d" * 64)
    assert len(typeset_pages(BOARD, given, ppi=20, pictures=picture_files(pictures))) == 1


def test_the_board_shows_no_row_in_which_nothing_happened(read: tuple[ReviewReport, ReviewGround]):
    shown = public_report(read[0])
    one = shown.tables["disputes.by_category"]
    told = {"海事渔事": "0", "医疗": "<3", "合计": "0"}
    rows = pd.DataFrame({key: list(told) if key == "category" else list(told.values()) for key in one.rows})
    sections = tuple(
        replace(each, tables=tuple(replace(own, rows=rows) if own.key == one.key else own for own in each.tables))
        for each in shown.sections
    )
    given = board_given(replace(shown, sections=sections), (), digest="d" * 64)
    table = next(each for each in given["tables"] if each["key"] == one.key)
    assert one.has_total
    assert [row[0] for row in table["rows"]] == ["医疗", "合计"]


def test_a_paper_for_everybody_is_not_signed_and_says_what_is_hidden(read: tuple[ReviewReport, ReviewGround]):
    paper = paper_of(public_report(read[0]), [], digest="d", is_public=True)
    assert paper.signers == ()
    assert "<3" in paper.warning


@pytest.mark.parametrize("kind", ["higher", "lower", "as_expected", "too_few"])
def test_the_funnel_of_the_workload_marks_each_class_its_own_way(read: tuple[ReviewReport, ReviewGround], kind: str):
    shown = {name: _funnel_colours(read[0], name) for name in ("as_expected", kind)}
    alarm, good = (int(colour[1:], 16) for colour in (LIGHT.alarm, LIGHT.good))
    assert (alarm in shown[kind]) == (kind == "higher")
    assert (good in shown[kind]) == (kind == "lower")
    assert alarm not in shown["as_expected"]


def _funnel_colours(report: ReviewReport, kind: str) -> set[int]:
    """The colours of the picture of two grids of a class, as 0xRRGGBB."""
    rows = pd.DataFrame({"grid": ["东网格", "西网格"], "class": kind, "n_new": [9, 1], "expected": [3.0, 4.0], "low_95": 0.2, "high_95": 2.0})  # fmt: skip
    load = table("workload.grids", rows, [column("grid"), column("class", "word", words="review.load_"), column("n_new", "count"), *(column(one, "decimal") for one in ("expected", "low_95", "high_95"))], by=["grid"])  # fmt: skip
    sections = tuple(replace(one, tables=(load,)) if one.key == "workload" else one for one in report.sections)
    (chart,) = [one for one in charts_of(replace(report, sections=sections)) if one.key == "chart.workload"]
    assert chart.section == "workload"
    picture = Image.open(io.BytesIO(chart.draw())).convert("RGB")
    return {red << 16 | green << 8 | blue for _, (red, green, blue) in picture.getcolors(2**20) or ()}


# ---- all or nothing


def test_a_pack_is_written_with_its_sums_and_replaces_its_own(read: tuple[ReviewReport, ReviewGround], tmp_path: Path):
    out = tmp_path / "new" / "pack"
    written = write_pack(read[0], out)
    assert {file.relative_to(out).as_posix() for file in out.rglob("*") if file.is_file()} == {file.relative_to(out).as_posix() for file in written}  # fmt: skip
    for line in (out / SUMS).read_text("utf-8").splitlines():
        said, name = line.split("  ", 1)
        assert hashlib.sha256((out / name).read_bytes()).hexdigest() == said
    assert replace_folder(out, {"a.txt": b"1"}) == [out / "a.txt", out / SUMS]
    assert [file.name for file in out.iterdir()] == ["a.txt", SUMS] or len(list(out.iterdir())) == 2
    assert [one.name for one in out.parent.iterdir()] == ["pack"]


@pytest.mark.parametrize("change", ["another", "edited"])
def test_a_folder_with_other_or_edited_files_is_left_alone(tmp_path: Path, change: str):
    out = tmp_path / "pack"
    replace_folder(out, {"a.txt": b"1", "b/c.txt": b"2"})
    touched = out / ("mine.docx" if change == "another" else "b/c.txt")
    touched.write_bytes(b"by hand")
    with pytest.raises(InputError, match=touched.name):
        replace_folder(out, {"a.txt": b"3"})
    assert (out / "a.txt").read_bytes() == b"1"
    assert touched.read_bytes() == b"by hand"


def test_a_file_where_the_folder_should_be_is_refused(tmp_path: Path):
    (tmp_path / "pack").write_bytes(b"")
    with pytest.raises(InputError, match="pack"):
        replace_folder(tmp_path / "pack", {"a.txt": b"1"})


def test_a_pack_that_cannot_be_finished_leaves_nothing(read: tuple[ReviewReport, ReviewGround], tmp_path: Path):
    with pytest.raises(InputError):
        write_pack(read[0], tmp_path / "pack", form=Form(name="form.docx", content=b"no Word file"))
    assert list(tmp_path.iterdir()) == []


# ---- a county's form


def form(*paragraphs: tuple[str, ...], cell: str = "", head: str = "") -> bytes:
    """A Word file: paragraphs of runs, a table of one cell, a header."""
    document = docx.Document()
    for runs in paragraphs:
        paragraph = document.add_paragraph()
        for run in runs:
            paragraph.add_run(run).bold = True
    document.add_table(1, 2).cell(0, 1).text = cell
    document.sections[0].header.paragraphs[0].text = head
    out = io.BytesIO()
    document.save(out)
    return out.getvalue()


def filled(read: tuple[ReviewReport, ReviewGround], template: bytes, *, report: ReviewReport | None = None) -> docx.document.Document:  # fmt: skip
    """The form, filled without pictures."""
    content = fill_template(template, report or read[0], [], digest="0" * 64, name="form.docx")
    return docx.Document(io.BytesIO(content))


def test_placeholders_are_filled_in_paragraphs_cells_and_headers(read: tuple[ReviewReport, ReviewGround]):
    document = filled(read, form(("{{township}}，{{ disputes.n_new }}。",), cell="{{cap.n_grids.number}}", head="{{month}}"))  # fmt: skip
    assert document.paragraphs[0].text == f"{read[0].township_name}，2 件。"
    assert document.tables[0].cell(0, 1).text == "3"
    assert document.sections[0].header.paragraphs[0].text == "2026 年 10 月"


def test_a_placeholder_that_word_has_split_is_filled_in_the_look_of_its_first_sign(read: tuple[ReviewReport, ReviewGround]):  # fmt: skip
    document = filled(
        read,
        form(
            ("新发{", "{dis", "putes.n_", "new}", "}，前"),
            (
                "{{township}}{{tow",
                "nship}}",
            ),
        ),
    )
    first = document.paragraphs[0]
    assert first.text == "新发2 件，前"
    assert first.runs[0].text == "新发2 件"
    assert document.paragraphs[1].text == read[0].township_name * 2


def test_what_fills_a_placeholder_is_never_read_as_one(read: tuple[ReviewReport, ReviewGround]):
    named = replace(read[0], township_name="{{digest}}")
    document = filled(read, form(("{{township}} {{digest}}",)), report=named)
    assert document.paragraphs[0].text == "{{digest}} " + "0" * 64


def test_a_table_and_a_picture_take_the_place_of_their_placeholders(
    read: tuple[ReviewReport, ReviewGround], files: dict[str, bytes]
):
    template = form(("{{table:disputes_by_category}}",), ("{{map:cap.share}}",), cell="{{chart:months}}")
    content = pack_files(read[0], ground=read[1], form=Form(name="county.docx", content=template))[
        "county-2026-10.docx"
    ]
    document = docx.Document(io.BytesIO(content))
    one = paper_table(read[0].tables["disputes.by_category"])
    assert [cell.text for cell in document.tables[0].rows[0].cells] == list(one.head)
    assert len(document.inline_shapes) == 2
    assert "{{" not in document.element.xml


def test_a_table_that_follows_a_table_of_the_form_is_parted_from_it(read: tuple[ReviewReport, ReviewGround]):
    """Word joins two tables with nothing between them into one."""
    template = docx.Document()
    template.add_table(1, 1)
    template.add_paragraph("{{table:disputes.by_category}}")
    out = io.BytesIO()
    template.save(out)
    kinds = [element.tag.split("}")[1] for element in filled(read, out.getvalue()).element.body]
    assert kinds == ["tbl", "p", "tbl", "p", "sectPr"]


def test_one_cell_of_a_table_can_be_asked_for(read: tuple[ReviewReport, ReviewGround]):
    document = filled(
        read, form(("{{cell:disputes.by_category/合计/n_new}}", "{{cell:disputes.by_category/合计/新发}}"))
    )
    assert document.paragraphs[0].text == "22"


@pytest.mark.parametrize(
    ("template", "where"),
    [
        (form(("{{township}} {{disputes.nothing}}",)), "正文第 1 段"),
        (form(("",), cell="{{table:disputes.nothing}}"), "正文第 1 个表格第 1 行第 2 格"),
        (form(("",), head="{{cell:disputes.by_category/不在/n_new}}"), "页眉"),
    ],
)
def test_an_unknown_placeholder_is_named_with_its_place(
    read: tuple[ReviewReport, ReviewGround], template: bytes, where: str
):
    with pytest.raises(InputError, match=where) as raised:
        filled(read, template)
    assert "不在" in str(raised.value) or "disputes.nothing" in str(raised.value)


def test_a_table_beside_other_text_is_refused(read: tuple[ReviewReport, ReviewGround]):
    with pytest.raises(InputError, match="单独"):
        filled(read, form(("见 {{table:disputes.by_category}}",)))


def test_a_public_report_fills_no_private_figure(read: tuple[ReviewReport, ReviewGround]):
    with pytest.raises(InputError, match=r"disputes\.n_new"):
        filled(read, form(("{{disputes.n_new}}",)), report=public_report(read[0]))


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04broken", b"plain text"])
def test_a_form_that_is_no_word_file_is_refused(read: tuple[ReviewReport, ReviewGround], content: bytes):
    with pytest.raises(InputError, match=r"form\.docx"):
        filled(read, content)


def test_every_key_that_is_listed_can_be_filled(read: tuple[ReviewReport, ReviewGround]):
    keys = [one.key for one in template_keys(read[0], digest="d")]
    assert len({normal_key(key) for key in keys}) == len(keys)
    document = filled(read, form(*((f"{{{{{key}}}}}",) for key in keys)))
    assert "{{" not in "".join(one.text for one in document.paragraphs)


def test_a_month_without_data_is_written_as_unknown(busy: Engine):
    with busy.connect() as connection:
        report = review_report(connection, township_code=TOWNSHIP, month="2026-04", known_at=at(14, 12, month=11), zone=ZONE, rules=rules_of(Settings()))  # fmt: skip
        ground = review_ground(connection, report=report)
    pictures = review_pictures(report, ground)
    written = review_docx(paper_of(report, pictures, digest="d", is_public=False), pictures, at=report.known_at)
    rows = {tuple(row[:2]) for row in words_of(written)}
    assert (t("review.figure_disputes_n_new"), "未知") in rows
    assert not [one.key for one in pictures if one.key.startswith("chart")]


def test_two_sheets_never_have_one_name(read: tuple[ReviewReport, ReviewGround]):
    long = "review.table_disputes_by_village_and_category"
    tables = tuple(replace(read[0].tables["gaps.points"], key=f"t.{n}", title_key=long) for n in range(12))
    names = sheet_names(replace(read[0], sections=(Section(key="s", title_key="review.section_gaps", tables=tables),)))
    assert len({name.casefold() for name in names.values()}) == len(names)
    assert max(len(name) for name in names.values()) <= 31
