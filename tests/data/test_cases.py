"""Incidents, their steps and the lists of categories."""

import numpy as np
import pandas as pd
import pytest
import shapely

END = pd.Timestamp("2026-10-31 17:40")
TYPES = [
    word
    for line in (
        "婚姻 邻里 环境生态 建筑工程 物业管理 企业改制 司法活动 干部作风 劳资 征地拆迁 军人安置 房屋和宅基地 农村三资 农民负担 院校 民族宗教 ",
        "经济活动 山林土地 医疗 村务管理 行政执法 海事渔事 交通及生产安全 计划生育 合同履行 库区移民 其他",
    )
    for word in line.split()
]


@pytest.fixture(scope="module")
def closed_at(steps):
    return steps[steps["环节"] == "办结"].groupby("事件编号")["时间"].min()


@pytest.fixture(scope="module")
def hot_spots(disputes, water, villages):
    """Masks of the disputes in each of the three places, found from the data: by cell counts and by the canal."""
    by_name = villages.set_index("名称").geometry
    canal = water[water["名称"] == "南干渠"].geometry.iloc[0].intersection(by_name["上洲村"])
    border = by_name["石桥村"].intersection(by_name["桐木村"])
    trade = disputes[disputes["类别名称"] == "经济活动"]
    xy = trade.geometry.get_coordinates()
    market = shapely.Point(xy["x"].median(), xy["y"].median())
    return {
        "market": disputes.dwithin(market, 380) & disputes["类别名称"].isin(["邻里", "经济活动", "物业管理"]),
        "land": disputes.dwithin(border, 300) & disputes["类别名称"].isin(["山林土地", "房屋和宅基地"]),
        "canal": disputes.dwithin(canal, 200) & disputes["发生时间"].dt.month.isin([7, 8, 9]),
    }


def test_about_2400_incidents(incidents):
    assert 2_300 <= len(incidents) <= 2_500
    assert incidents["事件编号"].is_unique
    assert incidents["登记时间"].between("2025-10-01", "2026-10-31 17:40").all()
    assert (incidents["发生时间"] <= incidents["登记时间"]).all()
    assert (incidents["办理期限"] > incidents["登记时间"]).all()
    assert 0.005 < incidents["经度"].isna().mean() < 0.03


def test_all_27_dispute_types_stand_on_the_older_list(categories):
    names = categories[categories["清单年度"] == 2025].set_index("类别代码")
    assert list(names[names["大类"] == "矛盾纠纷"]["类别名称"]) == TYPES
    assert set(categories["大类"]) == {"矛盾纠纷", "隐患", "诉求", "线索"}
    assert not categories.duplicated(["清单年度", "类别代码"]).any()


def test_every_old_category_leads_to_a_new_one(categories):
    new = set(categories[categories["清单年度"] == 2026]["类别代码"])
    old = categories[categories["清单年度"] == 2025]
    successor = old["对应新代码"].fillna(old["类别代码"])
    assert set(successor) <= new
    assert successor.duplicated().sum() >= 3, "some were merged"
    assert old["对应新代码"].notna().sum() == (~old["类别代码"].isin(new)).sum()


def test_incidents_use_the_list_of_their_year(incidents, categories):
    known = set(zip(categories["清单年度"], categories["类别代码"], strict=True))
    assert set(zip(incidents["清单年度"], incidents["类别代码"], strict=True)) <= known
    assert (incidents["清单年度"] == incidents["登记时间"].dt.year).all()


def test_family_matters_are_private(categories):
    private = categories[categories["是否隐私"] == "是"]["类别名称"]
    assert set(private) == {"婚姻", "婚姻家庭", "计划生育"}


def test_steps_begin_with_a_report_and_run_forward(incidents, steps):
    assert set(steps["事件编号"]) == set(incidents["事件编号"])
    assert not steps.duplicated(["事件编号", "环节", "时间"]).any()
    first = steps.groupby("事件编号").first()
    assert (first["环节"] == "上报").all()
    assert (first["时间"] == incidents.set_index("事件编号")["登记时间"].reindex(first.index)).all()
    assert steps.groupby("事件编号")["时间"].apply(lambda at: at.is_monotonic_increasing).all()
    assert (steps["时间"] <= END).all()
    assert set(steps["层级"]) == {"网格员", "网格", "村", "乡"}
    assert set(steps["环节"]) == {"上报", "受理", "处置", "逐级上报", "派遣", "延期", "核查", "办结", "重开", "回访"}


def test_every_handler_is_in_office(steps, staff):
    postings = staff.set_index("账号")
    until = steps["经办人"].map(postings["离任日期"])
    since = steps["经办人"].map(postings["任职日期"])
    assert since.notna().all()
    assert (since <= steps["时间"]).all()
    assert (until.isna() | (steps["时间"].dt.normalize() <= until)).all()


def test_five_in_six_are_settled_inside_the_grid_and_nearly_all_in_time(incidents, steps, closed_at):
    due = incidents.set_index("事件编号")["办理期限"]
    raised = set(steps[steps["环节"] == "逐级上报"]["事件编号"])
    assert (~closed_at.index.isin(raised)).mean() == pytest.approx(0.83, abs=0.02)
    assert (closed_at <= due.reindex(closed_at.index)).mean() == pytest.approx(0.94, abs=0.012)


def test_the_wall_has_something_open_at_the_end(incidents, closed_at):
    due = incidents[~incidents["事件编号"].isin(closed_at.index)]["办理期限"]
    assert 2 <= (due < END).sum() <= 6
    assert 4 <= due.between(END, END + pd.Timedelta(hours=24)).sum() <= 9
    assert 12 <= len(due) <= 60


def test_last_day_is_lively_from_morning_to_evening(incidents):
    times = incidents[incidents["登记时间"] >= "2026-10-31"]["登记时间"]
    assert 10 <= len(times) <= 20
    assert times.min() < pd.Timestamp("2026-10-31 08:00")
    assert pd.Timestamp("2026-10-31 17:30") <= times.max() <= END


def test_people_are_mostly_content(steps):
    marks = steps["满意度"].dropna()
    assert marks.isin([1, 2, 3, 4, 5]).all()
    assert 0.88 <= (marks >= 4).mean() <= 0.96


def test_four_in_ten_disputes_lie_in_three_hot_spots(disputes, hot_spots):
    inside = np.column_stack(list(hot_spots.values()))
    assert 0.35 <= inside.any(axis=1).mean() <= 0.48
    assert {name: mask.sum() >= 120 for name, mask in hot_spots.items()} == dict.fromkeys(hot_spots, True)


def test_market_is_hot_all_year_and_the_canal_in_summer_only(disputes, hot_spots, water, villages):
    month = disputes["发生时间"].dt.month
    market = month[hot_spots["market"]].value_counts()
    assert len(market) == 12
    assert market.min() >= 8
    canal = (
        water[water["名称"] == "南干渠"].geometry.iloc[0].intersection(villages.set_index("名称").geometry["上洲村"])
    )
    near = disputes.dwithin(canal, 200)
    assert (near & month.isin([7, 8, 9])).sum() > 4 * (near & ~month.isin([7, 8, 9])).sum()


def test_three_densest_places_are_the_planted_ones(disputes, hot_spots, township):
    """A plain count of disputes within 250 m, over a raster: its three highest separate peaks are the three places."""
    west, south, east, north = township.bounds
    x, y = np.meshgrid(np.arange(west, east, 100), np.arange(south, north, 100))
    spots = shapely.points(x.ravel(), y.ravel())
    near = shapely.STRtree(disputes.geometry.to_numpy()).query(spots, predicate="dwithin", distance=250)[0]
    count = np.bincount(near, minlength=len(spots))
    peaks = []
    for k in np.argsort(-count, kind="stable"):
        if all(shapely.distance(spots[k], spots[other]) > 900 for other in peaks):
            peaks.append(k)
        if len(peaks) == 3:
            break
    middles = [shapely.centroid(shapely.multipoints(disputes.geometry[mask].to_numpy())) for mask in hot_spots.values()]
    for middle in middles:
        assert min(shapely.distance(middle, spots[k]) for k in peaks) < 450
    assert count[peaks[2]] > 3 * np.partition(count, -1)[np.flatnonzero(count)].mean()


def test_texts_vary_and_name_nobody(incidents, staff):
    text = incidents["内容"]
    assert text.nunique() > 0.8 * len(text)
    assert text.str.len().between(6, 70).all()
    assert not text.str.contains("{", regex=False).any()
    assert not any(text.str.contains(name, regex=False).any() for name in staff["姓名"])
    assert not text.str.contains(r"\d{7,}").any()
