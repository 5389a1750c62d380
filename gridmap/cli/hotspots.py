"""`gridmap hotspots`: which grids are hot or cold for their households, from file to file, without a database."""

import math
import time
from pathlib import Path
from typing import Annotated, Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
import typer

from gridmap.analysis.counting import count_points, locate
from gridmap.analysis.geometry import coordinates_of
from gridmap.analysis.hotspots.find import COLD, HOT, NOTHING, TOO_FEW, HotSpots, Rules, hot_spots
from gridmap.analysis.hotspots.near import Near, touching, within_distance
from gridmap.analysis.hotspots.repeats import near_repeats
from gridmap.analysis.hotspots.trend import trends
from gridmap.cli.output import answer_json, progress, say
from gridmap.cli.points import in_metres, read_points, read_rows
from gridmap.errors import InputError
from gridmap.exports.layers import require_layer_name, write_layer
from gridmap.settings import settings
from gridmap.texts import t

_SHOWN = 20
_CANNOT_SAY = 1
_LEAST_Q = 1e-12
_NAMES = ("grid_code", "grid_id", "grid", "code", "id", "name")
_REPEAT_M, _REPEAT_DAYS = [0.0, 1.0, 101.0, 201.0, 401.0], [0.0, 8.0, 15.0, 29.0]
_MOST_REPEAT_POINTS = 20_000
_DAY = pd.Timedelta(days=1)


def hotspots(  # noqa: PLR0917  Typer takes the options by name
    grids: Annotated[Path, typer.Argument(help="Polygons with a column of households.")],
    points: Annotated[Path, typer.Argument(help="Incidents: points, or a CSV with x and y.")],
    population: Annotated[str, typer.Option(help="Column of households (or people) of each grid.")],
    out: Annotated[Path, typer.Option(help="File to write: all columns of the grids and the findings.")],
    alpha: Annotated[float, typer.Option(help="Share of false findings that is accepted.")] = 0.05,
    permutations: Annotated[int, typer.Option(help="Draws for the permutation p-values.", min=1, max=999_999)] = 9999,
    seed: Annotated[int, typer.Option(help="Of chance.", min=0)] = 0,
    when: Annotated[str | None, typer.Option(help="Column of the points' dates: adds the trend over months.")] = None,
    repeats: Annotated[bool, typer.Option("--repeats", help="Near repeats as well; needs --when.")] = False,
    within_m: Annotated[
        float | None, typer.Option(help="Neighbours: centroids within so many metres; default: grids that touch.")
    ] = None,
    min_households: Annotated[float, typer.Option(help="A grid with fewer is too few to say.")] = 10,
    min_expected: Annotated[float, typer.Option(help="Expected incidents that a judgement needs.")] = 5,
    crs: Annotated[str | None, typer.Option(help="Such as EPSG:4547, where a file does not say.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Find grids where more, or less, happens than their households let expect, corrected for many tests.

    Exit code 1: not one incident lies in a grid.
    """
    require_layer_name(out)
    rules = _rules(alpha=alpha, min_households=min_households, min_expected=min_expected)
    if repeats and when is None:
        raise InputError(t("hotspots.repeats_need_when"))
    land = _grids(grids, population=population, crs=crs)
    land, incidents = in_metres(land, _points(points, when=when, crs=crs), file=grids.name)
    began = time.perf_counter()
    rng = np.random.default_rng(seed)
    near = _near(land, within_m)
    counts = count_points(incidents, land)["n_points"]
    households = land[population].astype(float)
    found = hot_spots(counts, households, near, rules=rules, permutations=permutations, rng=rng)
    table = found.table
    answer = _as_answer(found, near, rules)
    answer["n_outside"] = len(incidents) - answer["n_points"]
    if when is not None:
        monthly = _monthly(incidents, land, when)
        table = table.join(
            trends(
                monthly, households, near, table["class"], rules=rules, min_months=settings().trend_min_months,
                persistent_share=settings().trend_persistent_share,
            )
        )  # fmt: skip
        answer["n_months"] = monthly.shape[1]
        answer["n_undated"] = int(incidents[when].isna().sum())
        answer["trends"] = table["trend"].value_counts().to_dict()
    if repeats and when is not None:
        answer["near_repeats"] = _repeats(incidents, when, permutations=min(permutations, 999), rng=rng)
    answer |= {"permutations": permutations, "seed": seed, "seconds": round(time.perf_counter() - began, 3)}
    replaced = [name for name in table if name in land]
    if replaced:
        progress(t("hotspots.replaced", columns=", ".join(f"`{name}`" for name in replaced)))
    named = next((name for name in _NAMES if name in land and land[name].is_unique), None)
    table_names = land[named].astype(str) if named else pd.Series(land.index.astype(str), index=land.index)
    answer |= {kind: table_names[table["class"] == kind].tolist() for kind in (HOT, COLD)}
    write_layer(gpd.GeoDataFrame(land.drop(columns=replaced).join(table)), out)
    if as_json:
        answer_json(_without_nan(answer))
    else:
        _tell(answer, table, table_names, out)
    if not answer["n_points"]:
        raise typer.Exit(_CANNOT_SAY)


def _rules(*, alpha: float, min_households: float, min_expected: float) -> Rules:
    try:
        return Rules(alpha=alpha, min_households=min_households, min_expected=min_expected)
    except ValueError as error:
        raise InputError(
            t("hotspots.bad_rules", alpha=alpha, min_households=min_households, min_expected=min_expected)
        ) from error


def _require_column(layer: gpd.GeoDataFrame, column: str, *, file: str) -> None:
    if column not in layer:
        known = ", ".join(f"`{header}`" for header in layer.columns if header != "geometry")
        raise InputError(t("plan.no_column", file=file, column=column, columns=known))


def _grids(file: Path, *, population: str, crs: str | None) -> gpd.GeoDataFrame:
    """Read the grids and judge their shapes and their households."""
    layer = read_rows(file, crs=crs)
    _require_column(layer, population, file=file.name)
    shapes = layer.geometry.to_numpy()
    finite = np.isfinite(shapely.bounds(shapes)).all(axis=1)
    sound = finite & (shapely.get_dimensions(shapes) == 2) & shapely.is_valid(shapes)  # noqa: PLR2004  polygons
    if not sound.all():
        raise InputError(t("hotspots.bad_shapes", file=file.name, n=int((~sound).sum()), row=int(np.argmin(sound)) + 1))
    homes = pd.to_numeric(layer[population], errors="coerce").astype(float)
    counted = np.isfinite(homes) & (homes >= 0)
    if not counted.all():
        row = int(np.argmin(counted.to_numpy()))
        raise InputError(
            t(
                "hotspots.bad_population", file=file.name, column=population, n=int((~counted).sum()), row=row + 1,
                value=layer[population].iloc[row],
            )
        )  # fmt: skip
    if not (homes > 0).any():
        raise InputError(t("hotspots.nobody", file=file.name, column=population))
    layer[population] = homes if (homes % 1).any() else homes.astype(np.int64)
    return layer


def _points(file: Path, *, when: str | None, crs: str | None) -> gpd.GeoDataFrame:
    """Read the incidents with their dates understood."""
    layer = read_points(file, crs=crs)
    if when is not None:
        _require_column(layer, when, file=file.name)
        layer[when] = _dates(layer[when], file=file.name)
    return layer


def _dates(cells: pd.Series, *, file: str) -> pd.Series:
    """Understand dates; what bears an offset is taken to the township's clock."""
    texts = cells.where(cells.notna()).astype(object).map(str, na_action="ignore")
    dates = pd.to_datetime(texts, errors="coerce", format="mixed", utc=True)
    # Without an offset a time is the township's own already.
    has_offset = texts.str.contains(r"(?:[+-]\d\d:?\d\d|Z)$", regex=True, na=False)
    local = dates.dt.tz_localize(None).where(~has_offset, dates.dt.tz_convert(settings().zone).dt.tz_localize(None))
    if local.isna().all():
        raise InputError(t("hotspots.no_dates", file=file, column=cells.name))
    return local


def _near(land: gpd.GeoDataFrame, within_m: float | None) -> Near:
    if within_m is None:
        return touching(land, tolerance_m=settings().drawn_tolerance_m)
    if not 0 < within_m < math.inf:
        raise InputError(t("hotspots.bad_distance", distance=within_m))
    return within_distance(land, distance_m=within_m)


def _monthly(incidents: gpd.GeoDataFrame, land: gpd.GeoDataFrame, when: str) -> pd.DataFrame:
    """Count incidents by grid and month, every month from the first to the last."""
    months = incidents[when].dt.to_period("M")
    counted = pd.crosstab(locate(incidents, land), months)
    span = pd.period_range(months.min(), months.max(), freq="M")
    monthly: pd.DataFrame = counted.reindex(index=land.index, columns=span, fill_value=0)
    return monthly


def _repeats(
    incidents: gpd.GeoDataFrame, when: str, *, permutations: int, rng: np.random.Generator
) -> list[dict[str, Any]]:
    xy = coordinates_of(incidents)
    known = np.isfinite(xy).all(axis=1) & incidents[when].notna().to_numpy()
    if known.sum() > _MOST_REPEAT_POINTS:
        raise InputError(t("hotspots.too_many_repeats", n=int(known.sum()), most=_MOST_REPEAT_POINTS))
    days = incidents[when][known].dt.normalize()
    table = near_repeats(
        xy[known],
        ((days - days.min()) / _DAY).to_numpy(dtype=float),
        distances_m=_REPEAT_M,
        spans_days=_REPEAT_DAYS,
        permutations=permutations,
        rng=rng,
    )
    return [{str(name): value for name, value in row.items()} for row in table.to_dict("records")]


def _as_answer(found: HotSpots, near: Near, rules: Rules) -> dict[str, Any]:
    called = found.table["class"].value_counts()
    n_points = int(found.table["n_points"].sum())
    return {
        "n_grids": len(found.table),
        "n_points": n_points,
        "n_outside": 0,
        **{
            f"n_{key}": int(called.get(kind, 0))
            for key, kind in (("hot", HOT), ("cold", COLD), ("not_significant", NOTHING), ("too_few", TOO_FEW))
        },
        "n_without_neighbours": int((near.n_near == 0).sum()),
        "alpha": rules.alpha,
        "min_households": rules.min_households,
        "min_expected": rules.min_expected,
        "global": {
            "rate": 100 * found.n_points / found.n_households,
            "moran_i": found.overall.moran_i,
            "moran_p": found.overall.moran_p,
            "dispersion": found.overall.dispersion,
            "dispersion_p": found.overall.dispersion_p,
        },
    }


def _without_nan(value: Any) -> Any:
    """Return an answer with null for what cannot be said: JSON knows no NaN."""
    if isinstance(value, dict):
        return {name: _without_nan(one) for name, one in value.items()}
    if isinstance(value, list):
        return [_without_nan(one) for one in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _q(value: float) -> str:
    return f"< {_LEAST_Q:g}" if value < _LEAST_Q else f"{value:.2g}"


def _tell(answer: dict[str, Any], table: pd.DataFrame, names: pd.Series, out: Path) -> None:
    say(t("hotspots.found", **{**answer, "rate": f"{answer['global']['rate']:.2f}"}))
    if answer["n_too_few"] == len(table):
        say(t("hotspots.sure_too_few" if answer["n_points"] else "hotspots.none_inside"))
    if answer["n_outside"]:
        say(t("hotspots.outside", n=answer["n_outside"]))
    if answer.get("n_undated"):
        say(t("hotspots.undated", n=answer["n_undated"]))
    if answer["global"]["dispersion_p"] <= answer["alpha"]:
        say(t("hotspots.dispersion", times=f"{answer['global']['dispersion']:.1f}"))
    told = table[table["class"].isin([HOT, COLD])]
    told = told.assign(q=told[["gi_q", "own_q"]].min(axis=1)).sort_values("q")
    for name, (_, row) in zip(names[told.index].head(_SHOWN), told.head(_SHOWN).iterrows(), strict=True):
        say(
            "  "
            + t(
                f"hotspots.{row['class']}", grid=name, n=int(row["n_points"]), expected=f"{row['expected']:.1f}",
                rate=f"{row['rate']:.2f}", q=_q(row["q"]),
            )
        )  # fmt: skip
    if len(told) > _SHOWN:
        say(f"  {t('plan.more', n=len(told) - _SHOWN)}")
    for trend, n in answer.get("trends", {}).items():
        say("  " + t(f"hotspots.trend_{trend.split()[0]}", n=n))
    for row in answer.get("near_repeats", []):
        span = {name: f"{row[name]:g}" for name in ("from_m", "to_m", "from_days", "to_days")}
        ratio = "—" if math.isnan(row["ratio"]) else f"{row['ratio']:.2f}"
        say("  " + t("hotspots.repeat", **span, n=row["n_pairs"], ratio=ratio, p=f"{row['p']:.3f}"))
    say(t("plan.written", file=out))
