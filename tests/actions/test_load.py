"""Loading: whole or not at all, once, and the books balance."""

from datetime import UTC, date, datetime
from pathlib import Path

import geopandas as gpd
import openpyxl
import pytest
from sqlalchemy import Engine, text

from gridmap.actions.load import LoadOptions, load_layer
from gridmap.errors import ConflictError, InfeasibleError, InputError
from gridmap.settings import Settings
from gridmap.store.imports import read_changes, read_imports, read_quarantine
from gridmap.store.places import read_area_names, read_areas, read_grid_tree, read_grids, read_households, read_units
from gridmap.texts import use_language
from tests import tiny

NOW = datetime(2026, 11, 23, 4, tzinfo=UTC)
WORKBOOK = ["户编号", "村", "村民小组", "横坐标Y", "纵坐标X", "人口数", "独居老人"]


def _load(
    engine: Engine, layer: str, file: Path, *, dry_run: bool = False, settings: Settings | None = None, **options
):
    return load_layer(
        engine,
        layer=layer,
        files=[file],
        options=LoadOptions(**options),
        settings=settings or Settings(),
        now=NOW,
        dry_run=dry_run,
    )


@pytest.fixture
def areas_file(tmp_path: Path) -> Path:
    areas = tiny.areas().rename(
        columns={"area_code": "代码", "name": "名称", "level": "级别", "parent_code": "上级代码"}
    )
    areas["级别"] = ["乡", "社区", "村", *["组"] * 4]
    file = tmp_path / "areas.gpkg"
    areas[["代码", "名称", "级别", "上级代码", "geometry"]].to_crs(tiny.METRIC).to_file(file, driver="GPKG")
    return file


def _households_file(folder: Path, rows: list[tuple], headers: list[str] = WORKBOOK) -> Path:
    book = openpyxl.Workbook()
    book.active.append(headers)
    for row in rows:
        book.active.append(row)
    file = folder / "households.xlsx"
    book.save(file)
    return file


def _home(number: int, residents: object = 3, alone: object = 1) -> tuple:
    # The easting carries the zone number 38, as the township's own workbook does.
    return (
        f"H-{number:03d}",
        "西村",
        "一组",
        38_000_000 + tiny.EAST_M + 100 + number,
        tiny.NORTH_M + 900,
        residents,
        alone,
    )


def _grids_file(folder: Path, border_m: float) -> Path:
    shapes = [(0, 1000), (1000, 2000 + border_m), (2000 + border_m, 4000)]
    metric = [tiny._box(west, east) for west, east in shapes]
    grids = gpd.GeoDataFrame(
        {
            "网格代码": tiny.GRIDS,
            "网格名称": ["甲", "乙", "丙"],
            "村代码": [tiny.WEST_VILLAGE, tiny.WEST_VILLAGE, tiny.EAST_VILLAGE],
            "超限原因": [None, None, None],
            "批准人": [None, None, None],
        },
        geometry=metric,
        crs=tiny.METRIC,
    )
    file = folder / "grids.gpkg"
    grids.to_file(file, driver="GPKG")
    return file


def test_areas_bring_units_labels_and_the_upper_grids(engine: Engine, areas_file: Path):
    outcome = _load(engine, "areas", areas_file)
    assert (outcome.reading.n_read, outcome.n_new) == (7, 7)
    with engine.connect() as connection:
        counts = connection.execute(
            text("SELECT (SELECT count(*) FROM unit), (SELECT count(*) FROM grid), (SELECT count(*) FROM label)")
        ).one()
    assert tuple(counts) == (4, 3, 7)


def test_every_row_is_taken_changed_or_quarantined_and_the_books_say_so(tiny_engine: Engine, tmp_path: Path):
    file = _households_file(tmp_path, [_home(1), _home(2, "４"), _home(3, "约100"), _home(4, -3), _home(1)])
    outcome = _load(tiny_engine, "households", file)
    reading = outcome.reading
    assert (reading.n_read, reading.n_taken, reading.n_changed, reading.n_quarantined) == (5, 2, 1, 3)
    with tiny_engine.connect() as connection:
        record = read_imports(connection, township_code=tiny.TOWNSHIP).loc[outcome.import_id]
        refused = read_quarantine(connection, import_id=outcome.import_id)
        changes = read_changes(connection, import_id=outcome.import_id)
        homes = read_households(connection, township_code=tiny.TOWNSHIP)
    assert record[["n_read", "n_taken", "n_new", "n_quarantined"]].tolist() == [5, 2, 2, 3]
    assert sorted(refused["row_number"]) == [4, 5, 6]
    assert changes["row_number"].tolist() == [3]
    assert homes.loc["H-002", ["n_residents", "n_living_alone"]].tolist() == [4, 1]


def test_the_same_file_twice_is_once(tiny_engine: Engine, tmp_path: Path):
    file = _households_file(tmp_path, [_home(1), _home(2)])
    first = _load(tiny_engine, "households", file)
    second = _load(tiny_engine, "households", file)
    assert (first.n_new, second.n_new, second.n_updated) == (2, 0, 0)
    assert second.is_known
    assert second.import_id == first.import_id
    with tiny_engine.connect() as connection:
        assert len(read_imports(connection, township_code=tiny.TOWNSHIP)) == 1


def test_a_mended_file_updates_what_changed(tiny_engine: Engine, tmp_path: Path):
    _load(tiny_engine, "households", _households_file(tmp_path, [_home(1), _home(2, "约100")]))
    outcome = _load(tiny_engine, "households", _households_file(tmp_path, [_home(1, 5, 0), _home(2, 4)]))
    assert (outcome.n_new, outcome.n_updated) == (1, 1)
    with tiny_engine.connect() as connection:
        homes = read_households(connection, township_code=tiny.TOWNSHIP)
    assert homes.loc[["H-001", "H-002"], "n_residents"].tolist() == [5, 4]
    assert homes.loc["H-001", "n_living_alone"] == 0


def test_a_dry_run_does_everything_and_leaves_nothing(tiny_engine: Engine, tmp_path: Path):
    outcome = _load(tiny_engine, "households", _households_file(tmp_path, [_home(1)]), dry_run=True)
    assert (outcome.n_new, outcome.import_id) == (1, None)
    with tiny_engine.connect() as connection:
        assert "H-001" not in read_households(connection, township_code=tiny.TOWNSHIP).index
        assert read_imports(connection, township_code=tiny.TOWNSHIP).empty


def test_names_and_numbers_of_residents_never_reach_the_database(tiny_engine: Engine, tmp_path: Path):
    headers = [*WORKBOOK, "户主姓名", "联系电话", "身份证号"]
    secret = ("张三丰", "13812345678", "11010519491231002X")
    file = _households_file(tmp_path, [(*_home(1), *secret), (*_home(2, "约3"), *secret)], headers)
    outcome = _load(tiny_engine, "households", file)
    assert {column.header for column in outcome.reading.dropped_columns} == {"户主姓名", "联系电话", "身份证号"}
    with tiny_engine.connect() as connection:
        tables = connection.execute(
            text("SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'")
        ).scalars()
        for table in tables.all():
            dump = connection.execute(
                text(f"SELECT coalesce(string_agg(t::text, chr(10)), '') FROM \"{table}\" AS t")
            ).scalar()
            assert not [word for word in secret if word in dump], table


@pytest.fixture
def ground_engine(engine: Engine) -> Engine:
    with engine.begin() as connection:
        tiny.write_places(connection)
    return engine


def test_drawn_grids_become_the_plan_in_force(ground_engine: Engine, tmp_path: Path):
    file = _grids_file(tmp_path, border_m=1.5)
    outcome = _load(ground_engine, "grids", file, valid_from=date(2026, 11, 1))
    assert any("1.5" in note for note in outcome.notes)
    with ground_engine.connect() as connection:
        grids = read_grids(connection, township_code=tiny.TOWNSHIP, on=date(2026, 11, 1))
    assert grids["name"].tolist() == ["西村第1网格", "西村第2网格", "东村第1网格"]
    assert grids.to_crs(tiny.METRIC).area.round(-2).tolist() == [2e6, 2e6, 4e6]
    assert _load(ground_engine, "grids", file, valid_from=date(2026, 11, 5)).is_known


@pytest.mark.parametrize(
    ("border_m", "cap", "error"),
    [(50.0, 100, InfeasibleError), (0.0, 10, InputError)],
    ids=["through a unit", "over the cap"],
)
def test_grids_that_cannot_hold_leave_nothing(ground_engine: Engine, tmp_path: Path, border_m, cap, error):
    with pytest.raises(error):
        _load(ground_engine, "grids", _grids_file(tmp_path, border_m), settings=Settings(household_cap=cap))
    with ground_engine.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM plan")).scalar() == 0
        assert connection.execute(text("SELECT count(*) FROM import_record")).scalar() == 0


def test_a_later_plan_ends_the_one_before_and_an_earlier_one_is_refused(tiny_engine: Engine, tmp_path: Path):
    shapes = _grids_file(tmp_path, border_m=0.0)
    drawn = gpd.read_file(shapes)
    whole = drawn.dissolve("村代码", as_index=False)
    whole["网格代码"] = [tiny.WEST_VILLAGE + "003", tiny.EAST_VILLAGE + "001"]
    whole.to_file(tmp_path / "two.gpkg", driver="GPKG")
    use_language("en")
    with pytest.raises(ConflictError, match="later"):
        _load(tiny_engine, "grids", tmp_path / "two.gpkg", valid_from=date(2025, 12, 1))
    _load(tiny_engine, "grids", tmp_path / "two.gpkg", valid_from=date(2026, 6, 1))
    with tiny_engine.connect() as connection:
        before = read_grids(connection, township_code=tiny.TOWNSHIP, on=date(2026, 5, 31))
        after = read_grids(connection, township_code=tiny.TOWNSHIP, on=date(2026, 6, 1))
    assert (len(before), len(after)) == (3, 2)


@pytest.mark.parametrize("layer", ["households", "grids", "checkins"])
def test_without_areas_nothing_else_can_be_loaded(engine: Engine, tmp_path: Path, layer: str):
    use_language("en")
    with pytest.raises(InputError, match="Load its areas first"):
        _load(engine, layer, _households_file(tmp_path, [_home(1)]))


def test_an_unknown_layer_is_named_with_the_known_ones(tiny_engine: Engine, tmp_path: Path):
    use_language("en")
    with pytest.raises(InputError, match=r"`houses` is no layer.*households"):
        _load(tiny_engine, "houses", tmp_path)


def test_an_incident_without_a_due_time_gets_that_of_the_deadlines(tiny_engine: Engine, tmp_path: Path):
    """Nothing may lie for ever without becoming overdue; what the file says stands."""
    book = openpyxl.Workbook()
    sheets = {
        "事件": [
            ["事件编号", "类别代码", "清单年度", "紧急程度", "发生时间", "登记时间", "村", "办理期限"],
            ["S1", "M02", 2026, "一般", "2026-10-09 16:00", "2026-10-09 17:00", "西村", None],
            ["S2", "M02", 2026, "紧急", "2026-10-09 16:00", "2026-10-09 17:00", "西村", None],
            ["S3", "M02", 2026, "一般", "2026-10-09 16:00", "2026-10-09 17:00", "西村", "2026-10-11 09:00"],
        ],
        "处理过程": [["事件编号", "环节", "层级", "时间"], ["S1", "上报", "网格员", "2026-10-09 17:00"]],
        "类别": [
            ["清单年度", "类别代码", "类别名称", "大类", "是否隐私", "启用日期"],
            [2026, "M02", "邻里", "矛盾纠纷", "否", "2026-01-01"],
        ],
    }
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(row)
    book.remove(book["Sheet"])
    book.save(tmp_path / "incidents.xlsx")
    deadlines = "accept=1wd member=2wd grid=2wd village=2wd close=7wd close.urgent=1wd"
    policy = Settings(deadlines=deadlines)
    report = _load(tiny_engine, "incidents", tmp_path / "incidents.xlsx", settings=policy, datum="cgcs2000")
    assert report.reading.n_quarantined == 0
    with tiny_engine.connect() as connection:
        due = connection.execute(
            text(
                "SELECT to_char(due_at AT TIME ZONE 'Asia/Shanghai', 'MM-DD HH24:MI') FROM incident ORDER BY incident_code"
            )
        ).scalars()
        # Seven and one working days over the made-up Saturday, 10 October.
        assert due.all() == ["10-19 16:00", "10-10 16:00", "10-11 09:00"]
    again = _load(tiny_engine, "incidents", tmp_path / "incidents.xlsx", settings=policy, datum="cgcs2000")
    assert (again.n_new, again.n_updated) == (0, 0)


def _merged_file(folder: Path, *, without: tuple[str, ...] = ()) -> Path:
    """The areas after the east village joined the west one: its groups are the west's third and fourth."""
    areas = tiny.areas()
    codes = dict(zip(tiny.GROUPS[2:], (f"{tiny.WEST_VILLAGE}03", f"{tiny.WEST_VILLAGE}04"), strict=True))
    areas.loc[areas["area_code"] == tiny.WEST_VILLAGE, "geometry"] = areas.geometry.iloc[0]
    areas = areas[~areas["area_code"].isin([tiny.EAST_VILLAGE, *without])]
    moved = areas["area_code"].isin(codes)
    areas.loc[moved, "name"] = ["三组", "四组"][: moved.sum()]
    areas.loc[moved, "parent_code"] = tiny.WEST_VILLAGE
    areas["area_code"] = areas["area_code"].replace(codes)
    areas["级别"] = areas["level"].map({"township": "乡", "village": "村", "group": "组"})
    named = areas.rename(columns={"area_code": "代码", "name": "名称", "parent_code": "上级代码"})
    file = folder / "merged.gpkg"
    named[["代码", "名称", "级别", "上级代码", "geometry"]].to_crs(tiny.METRIC).to_file(file, driver="GPKG")
    return file


def test_a_village_that_joins_another_ends_and_the_next_plan_goes_over_its_land(tiny_engine: Engine, tmp_path: Path):
    day = date(2026, 10, 10)
    use_language("en")
    outcome = _load(tiny_engine, "areas", _merged_file(tmp_path), valid_from=day)
    assert any("东村" in note and "2026-10-10" in note for note in outcome.notes)
    with tiny_engine.connect() as connection:
        told = {"township_code": tiny.TOWNSHIP, "level": "village"}
        before = read_areas(connection, on=date(2026, 10, 9), **told)
        after = read_areas(connection, on=day, **told)
        assert list(read_area_names(connection, **told)) == ["西村", "东村"]
        groups = read_areas(connection, township_code=tiny.TOWNSHIP, level="group", on=date(2026, 10, 9))
        units = read_units(connection, township_code=tiny.TOWNSHIP)
        tree = read_grid_tree(connection, township_code=tiny.TOWNSHIP, on=day)
    assert (list(before["name"]), list(after["name"])) == (["西村", "东村"], ["西村"])
    assert before.to_crs(tiny.METRIC).area.round(-2).tolist() == [4e6, 4e6]
    assert after.to_crs(tiny.METRIC).area.round(-2).tolist() == [8e6]
    assert list(groups.index) == list(tiny.GROUPS)
    assert set(units["village_code"]) == {tiny.WEST_VILLAGE}
    assert len(units) == 4
    assert tiny.EAST_VILLAGE not in tree.index
    drawn = gpd.read_file(_grids_file(tmp_path, border_m=0.0))
    drawn["网格代码"] = [*tiny.GRIDS[:2], f"{tiny.WEST_VILLAGE}003"]
    drawn["村代码"] = tiny.WEST_VILLAGE
    drawn.to_file(tmp_path / "after.gpkg", driver="GPKG")
    _load(tiny_engine, "grids", tmp_path / "after.gpkg", valid_from=day)
    with tiny_engine.connect() as connection:
        old = read_grids(connection, township_code=tiny.TOWNSHIP, on=date(2026, 10, 9))
        new = read_grids(connection, township_code=tiny.TOWNSHIP, on=day)
    assert list(old.index) == list(tiny.GRIDS)
    assert list(new.index) == [*tiny.GRIDS[:2], f"{tiny.WEST_VILLAGE}003"]
    assert set(new["village_name"]) == {"西村"}


def test_a_plan_over_the_land_of_a_village_that_stands_still_leaves_a_gap(tiny_engine: Engine, tmp_path: Path):
    """The merger is of December: a plan of November still needs the east village's land."""
    _load(tiny_engine, "areas", _merged_file(tmp_path), valid_from=date(2026, 12, 1))
    drawn = gpd.read_file(_grids_file(tmp_path, border_m=0.0)).iloc[:2]
    drawn.to_file(tmp_path / "west.gpkg", driver="GPKG")
    with pytest.raises((InputError, InfeasibleError)):
        _load(tiny_engine, "grids", tmp_path / "west.gpkg", valid_from=date(2026, 11, 1))


def test_an_ended_code_is_never_used_again(tiny_engine: Engine, areas_file: Path, tmp_path: Path):
    _load(tiny_engine, "areas", _merged_file(tmp_path), valid_from=date(2026, 10, 10))
    use_language("en")
    with pytest.raises(InputError, match=f"{tiny.EAST_VILLAGE}.*2026-10-10"):
        _load(tiny_engine, "areas", areas_file)
    with pytest.raises(InfeasibleError):
        _load(tiny_engine, "grids", _grids_file(tmp_path, border_m=0.0), valid_from=date(2026, 11, 1))
    with tiny_engine.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM area WHERE valid_until IS NULL")).scalar() == 6


def test_an_area_whose_land_nobody_holds_does_not_end(tiny_engine: Engine, tmp_path: Path):
    """The county's file has no groups at all: it ends none."""
    _load(tiny_engine, "areas", _merged_file(tmp_path, without=tiny.GROUPS), valid_from=date(2026, 10, 10))
    with tiny_engine.connect() as connection:
        standing = read_areas(connection, township_code=tiny.TOWNSHIP, level="group", on=date(2026, 10, 10))
        villages = read_areas(connection, township_code=tiny.TOWNSHIP, level="village", on=date(2026, 10, 10))
    assert list(standing.index) == list(tiny.GROUPS)
    assert list(villages.index) == [tiny.WEST_VILLAGE]
