import datetime as dt

import pytest

from tests.ingest.town import degrees, read, reasons

HEADER = "巡查点编号,名称,类型,职责,频次,经度,纬度,启用日期"
(LON, LAT), *_ = degrees([500], [500])
SOUND = f"C1,水库大坝,水库,防汛,每周2次,{LON},{LAT},2025-01-01"


def _read(tmp_path, *lines, encoding="gb18030"):
    file = tmp_path / "checkpoints.csv"
    file.write_bytes("\n".join([HEADER, *lines]).encode(encoding))
    return read("checkpoints", file, datum="cgcs2000")


def test_checkpoints_with_their_rhythm(tmp_path):
    reading = _read(tmp_path, SOUND, SOUND.replace("C1", "C2").replace("每周2次", "每月1次").replace("防汛", "服务"))
    points = reading.frames["checkpoints"]
    assert points["n_visits_due"].tolist() == [2, 1]
    assert points["per"].tolist() == ["week", "month"]
    assert points["duty"].tolist() == ["flood", "service"]
    assert points["opened_on"].tolist() == [dt.date(2025, 1, 1)] * 2
    assert points.geometry.iloc[0].x == pytest.approx(LON)
    assert (reading.encoding, reading.datum) == ("gb18030", "cgcs2000")


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        ("每周2次", "每季度1次", "not_a_rhythm"),
        ("每周2次", "经常", "not_a_rhythm"),
        ("每周2次", "每天200次", "out_of_range"),
        ("每周2次", "", "missing_value"),
        ("防汛", "做饭", "unknown_word"),
        ("水库大坝", "", "missing_value"),
        ("2025-01-01", "早就有了", "not_a_date"),
        ("C1,", "C0,", "repeated_key"),
    ],
)
def test_a_faulty_checkpoint_is_refused(tmp_path, old, new, code):
    first = SOUND.replace("C1", "C0").replace("水库大坝", "桥头")
    assert reasons(_read(tmp_path, first, SOUND.replace(old, new))) == {3: code}


def test_a_rhythm_in_other_words_is_mended_and_told(tmp_path):
    reading = _read(tmp_path, SOUND.replace("每周2次", "每天1次"))
    assert reading.frames["checkpoints"]["n_visits_due"].tolist() == [7]
    assert reading.changed["change"].tolist() == ["`频次`: `每天1次` → `7/week`"]


LONGER = HEADER + ",时段,季节,最短停留(分钟)"


def _read_longer(tmp_path, *cells):
    file = tmp_path / "checkpoints.csv"
    file.write_text(
        "\n".join([LONGER, *(f"{SOUND.replace('C1', f'C{k}')},{one}" for k, one in enumerate(cells))]), "utf-8"
    )
    return read("checkpoints", file, datum="cgcs2000")


def test_hours_season_and_stay_are_read_and_may_be_blank(tmp_path):
    points = _read_longer(tmp_path, "22:00-06:00,10-01至04-30,10", ",,", "全天,全年,5分钟").frames["checkpoints"]
    assert points["hours_from"].tolist() == [dt.time(22), None, None]
    assert points["hours_until"].tolist() == [dt.time(6), None, None]
    assert points["season_from"].tolist() == ["10-01", None, None]
    assert points["season_until"].tolist() == ["04-30", None, None]
    assert points["least_stay_minutes"].fillna(-1).tolist() == [10, -1, 5]


@pytest.mark.parametrize(
    ("cells", "code"),
    [
        ("早晚,,", "not_hours"),
        (",汛期,", "not_a_season"),
        (",,一会儿", "not_a_number"),
        (",,0", "out_of_range"),
        (",,2000", "out_of_range"),
    ],
)
def test_unclear_restrictions_refuse_their_row(tmp_path, cells, code):
    assert reasons(_read_longer(tmp_path, ",,", cells)) == {3: code}


def test_english_headers_are_known(tmp_path):
    file = tmp_path / "checkpoints.csv"
    header = LONGER.replace("时段,季节,最短停留(分钟)", "hours,season,min_stay_minutes")
    file.write_text(f"{header}\n{SOUND},08:00-18:00,04-15至10-15,10", "utf-8")
    points = read("checkpoints", file, datum="cgcs2000").frames["checkpoints"]
    assert points.loc[0, ["season_from", "least_stay_minutes"]].tolist() == ["04-15", 10]
