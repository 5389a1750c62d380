"""What the disputes page draws of hot spots: grids by class on the map, how sure that is, the table, worst first."""

from collections.abc import Hashable
from functools import lru_cache
from typing import Any

import pandas as pd
import streamlit as st

from gridmap.maps.deck import CachedDeck
from gridmap.maps.office import CLASS_COLOURS, MapGround, class_deck
from gridmap.reports.figures import formula_words
from gridmap.reports.hotspots import CLASSES, HotspotsReport
from gridmap.settings import settings
from gridmap.store.places import Township
from gridmap.texts import t
from gridmap.ui import numbers, panels
from gridmap.ui.room import Room

_KEYS = dict(zip(CLASSES, ("hot", "nothing", "cold", "too_few"), strict=True))
_SIGNS = {"hot": "▲ ", "cold": "▼ ", "too_few": "– "}
_LEAST_P = 0.001
_MAP_PX, _TABLE_PX, _KEPT = 390, 235, 16


def sureness(report: HotspotsReport, village: str | None) -> None:
    """Say in one sentence what was found and how sure it is, or that it is unknown."""
    with st.container(key="hotspots_sure"):
        if report.unknown is not None:
            st.text(t(f"hotspots.{report.unknown}"))
            return
        counts = report.grids["class"].value_counts()
        n = {key: int(counts.get(name, 0)) for name, key in _KEYS.items()}
        found = "found" if n["hot"] + n["cold"] else "too_few" if n["too_few"] == len(report.grids) else "nothing"
        words = [
            t(
                f"hotspots.sure_{found}",
                n_hot=n["hot"],
                n_cold=n["cold"],
                alpha=numbers.percent(report.alpha),
            )
        ]
        if village is not None:
            words.append(t("hotspots.of_village"))
        st.text(" ".join(words), help=formula_words("hotspots.formula_class"))


def legend() -> None:
    """Draw the legend of the classes."""
    panels.legend(
        [
            (f"sign {_KEYS[name]}", CLASS_COLOURS[name], t(f"hotspots.class_{_KEYS[name]}"))
            for name in ("hot", "cold", "not significant", "too few to say")
        ],
        title=t("hotspots.legend"),
    )


@lru_cache(maxsize=_KEPT)
def _deck(report: HotspotsReport, village: str | None, chosen: str | None, ground: MapGround) -> CachedDeck:
    grids = report.grids
    shown = grids["class"].where(_is_shown(grids, village), None)
    return class_deck(
        ground,
        classes=[name if isinstance(name, str) else None for name in shown],
        places=list(zip(grids["longitude"], grids["latitude"], strict=True)),
        chosen=chosen,
    )


def draw_map(report: HotspotsReport, township: Township, village: str | None, chosen: str | None, room: Room) -> None:
    """Draw the map; its JSON is made once for a report, a village and a chosen grid."""
    height = room.tall(_MAP_PX)
    past = report.plan_on if report.is_past_plan else None
    ground = panels.map_ground(township, width_px=room.half_px, height_px=height, grids_on=past)
    st.pydeck_chart(_deck(report, village, chosen, ground), height=height, key="hotspots_map")


def beside_map(report: HotspotsReport) -> None:
    """Say how many incidents are not compared, and whether one draws the next."""
    words = []
    if report.n_elsewhere and report.unknown is None:
        words.append(t("hotspots.elsewhere", n=report.n_elsewhere))
    if report.repeats is not None:
        words.append(
            t(
                "hotspots.repeats",
                m=f"{report.repeats.within_m:.0f}",
                days=report.repeats.within_days,
                n=numbers.number(report.repeats.n_pairs),
                ratio=f"{report.repeats.ratio:.1f}",
                p=f"{report.repeats.p:.3f}",
            )
        )
    for sentence in words:
        st.caption(sentence)


def worst_first(report: HotspotsReport, village: str | None) -> pd.DataFrame:
    """Return the grids of a village, or all: hot, not significant, cold, too few to say; the largest excess first.

    Where the excess is not told, the most incidents come first.
    """
    rows = report.grids[_is_shown(report.grids, village)]
    rank = rows["class"].map({name: at for at, name in enumerate(CLASSES)})
    excess = rows["n_incidents"] - rows["expected"].fillna(0.0)
    order = pd.DataFrame({"rank": rank, "fewer": -excess}).sort_values(["rank", "fewer"], kind="stable").index
    return rows.loc[order]


def _is_shown(grids: pd.DataFrame, village: str | None) -> pd.Series:
    return (grids["village_code"] == village) if village else pd.Series(data=True, index=grids.index)


def table(report: HotspotsReport, village: str | None, last: str, room: Room) -> str | None:
    """Draw the table of grids and what the chosen one's finding rests on; return the chosen one's code.

    `last` is the last day of the span, in words.
    """
    if report.unknown is not None:
        st.info(t(f"hotspots.{report.unknown}"))
        return None
    rows = worst_first(report, village)
    why = st.container(key="hotspots_why")
    shown = pd.DataFrame(
        {
            "name": rows["name"],
            "class": [class_words(row) for _, row in rows.iterrows()],
            "n_incidents": rows["n_incidents"],
            **({"n_private": rows["n_private"]} if report.hides_private else rows[["expected", "rate", "q"]]),
            "trend": rows["trend"].map(_trend_words),
        }
    )
    event = st.dataframe(
        shown.style.format({"q": _small} if "q" in shown else {}),
        hide_index=True,
        placeholder=numbers.UNKNOWN,
        height=room.tall(_TABLE_PX),
        column_config=_columns(report, last),
        on_select="rerun",
        selection_mode="single-row",
        key=f"hotspots_grids_{village}",
    )
    chosen = [at for at in event.selection.rows if at < len(rows)]
    # A grid's name is somebody's words: text, where a caption would read it as Markdown.
    if report.hides_private:
        why.text(t("hotspots.for_everybody", least=settings().public_hidden_below))
    else:
        why.text(why_words(rows.iloc[chosen[0]]) if chosen else t("hotspots.choose"))
    return str(rows.index[chosen[0]]) if chosen else None


def _columns(report: HotspotsReport, last: str) -> dict[str, Any]:
    number, words = st.column_config.NumberColumn, st.column_config.TextColumn
    about_trend = t(
        "hotspots.formula_trend",
        first=f"{report.trend_first_on}",
        last=last,
        months=report.n_months,
        least=settings().trend_min_months,
    )
    return {
        "name": words(t("hotspots.grid"), pinned=True),
        "class": words(t("hotspots.class"), help=formula_words("hotspots.formula_class")),
        "n_incidents": number(
            t("hotspots.n_public" if report.hides_private else "hotspots.n_incidents"),
            help=t("hotspots.formula_n_incidents"),
            format="%d",
        ),
        "n_private": words(t("hotspots.n_private"), help=formula_words("hotspots.formula_n_private")),
        "expected": number(t("hotspots.expected"), help=t("hotspots.formula_expected"), format="%.1f"),
        "rate": number(t("hotspots.rate"), help=t("hotspots.formula_rate"), format="%.1f"),
        "q": number(t("hotspots.q"), help=formula_words("hotspots.formula_q")),
        "trend": words(t("hotspots.trend"), help=about_trend),
    }


def class_words(row: pd.Series) -> str:
    """Return the finding of a grid with its sign; of one that is only beside a hot or cold place, so."""
    key = _KEYS[row["class"]]
    if key == "too_few":
        return _SIGNS[key] + t("hotspots.too_few_short")
    beside = row["beside"]
    return (
        t(f"hotspots.beside_{beside}") if isinstance(beside, str) else _SIGNS.get(key, "") + t(f"hotspots.class_{key}")
    )


def why_words(row: pd.Series) -> str:
    """Return what the finding of a grid rests on, in one sentence."""
    if pd.isna(row["expected"]):
        return t("hotspots.why_no_households", grid=row["name"])
    chance = float(row["p"])
    values = {
        "grid": row["name"],
        "p": t("hotspots.p_below", p=numbers.percent(_LEAST_P))
        if chance < _LEAST_P
        else t("hotspots.p_about", p=numbers.percent(chance)),
    }
    beside = row["beside"]
    if row["is_alone"]:
        return t("hotspots.why_alone", n=f"{row['n_incidents']:.0f}", expected=f"{row['expected']:.1f}", **values)
    around = t(
        "hotspots.why_around",
        n_near=row["n_near"],
        n_around=f"{row['n_around']:.0f}",
        expected_around=f"{row['expected_around']:.1f}",
        **values,
    )
    return around + (t(f"hotspots.why_beside_{beside}") if isinstance(beside, str) else "")


def _trend_words(trend: Hashable) -> str:
    return t("hotspots.too_few_short") if trend == CLASSES[-1] else t(f"hotspots.word_{trend}")


def _small(q: object) -> str:
    if not isinstance(q, float) or q != q:  # noqa: PLR0124  NaN
        return numbers.UNKNOWN
    return f"<{_LEAST_P}" if q < _LEAST_P else f"{q:.3f}"
