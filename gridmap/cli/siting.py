"""`gridmap coverage site`: where more points cover the most, from file to file: so many, or as few as reach a share."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
import typer

from gridmap.analysis.siting.choose import Siting
from gridmap.analysis.siting.cover import MOST_PAIRS, Floats, Ints, n_within
from gridmap.analysis.siting.places import choose_places
from gridmap.cli.output import Clock, answer_json, say, solvers_kept_off_stdout
from gridmap.cli.siting_others import Other, Question, answer_other
from gridmap.crs import CHINA_BOX
from gridmap.errors import CrsError, InputError
from gridmap.exports.layers import require_layer_name, write_layer
from gridmap.ingest.features import read_any_layer
from gridmap.ingest.limits import Limits
from gridmap.settings import settings
from gridmap.texts import t

_NAMES = ("name", "code", "id", "site", "名称", "编号")
# A radius so many times the extent of all demand: metres are not meant, but degrees.
_DEGREES_ACROSS = 10
_LON, _LAT = 180, 90


def site(  # noqa: PLR0917  Typer takes the options by name
    demand: Annotated[Path, typer.Argument(help="Points in a projected CRS, or a table with x and y in metres.")],
    radius_m: Annotated[float, typer.Option(help="Metres in a straight line; a distance that is equal covers.")],
    count: Annotated[int | None, typer.Option(help="How many points more.")] = None,
    share: Annotated[
        float | None, typer.Option(help="Instead: the fewest points with which this share is covered.")
    ] = None,
    capacity: Annotated[
        float | None, typer.Option(help="What one new point bears; each demand goes to one point.")
    ] = None,
    times: Annotated[int, typer.Option(help="By how many points demand must be covered to count: 2 is a backup.")] = 1,
    weight: Annotated[str | None, typer.Option(help="Column of households; default: each row counts one.")] = None,
    candidates: Annotated[Path | None, typer.Option(help="Where points may stand; default: at any demand.")] = None,
    existing: Annotated[Path | None, typer.Option(help="Points that stay.")] = None,
    time_limit: Annotated[float, typer.Option(help="Seconds; then the best so far comes with its bound.")] = 60,
    out: Annotated[Path | None, typer.Option(help="File of the chosen points (.gpkg, .geojson, .shp, .csv).")] = None,
    crs: Annotated[str | None, typer.Option(help="Such as EPSG:4547, where a file does not say.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Choose where more points cover the most, with proof, and say what each next one buys."""
    _require_numbers(radius_m, time_limit)
    _require_one_question(count=count, share=share, capacity=capacity, times=times)
    if out is not None:
        require_layer_name(out)
    asked = _Asked.read(demand, candidates=candidates, existing=existing, crs=crs)
    weights = _weights(asked.demand, weight, file=demand.name)
    _require_metres(asked.demand, radius_m=radius_m, file=demand.name)
    if count is not None and not 1 <= count <= len(asked.candidates):
        raise InputError(t("siting.bad_count", n=len(asked.candidates), count=count))
    _require_pairs_to_hold(asked, radius_m=radius_m)
    clock = Clock(time_limit)
    if count is None or capacity is not None or times > 1:
        with solvers_kept_off_stdout():
            other = answer_other(
                Question(
                    demand_xy=_coordinates(asked.demand),
                    weights=weights,
                    candidates_xy=_coordinates(asked.candidates),
                    existing_xy=_coordinates(asked.existing),
                    radius_m=radius_m,
                ),
                count=count,
                share=share,
                capacity=capacity,
                times=times,
                seconds_left=clock.seconds_left,
            )
        _tell_other(other, asked.candidates, out=out, seconds=clock.seconds, as_json=as_json)
        return
    with solvers_kept_off_stdout():
        found = choose_places(
            _coordinates(asked.demand),
            weights,
            candidates_xy=_coordinates(asked.candidates),
            existing_xy=_coordinates(asked.existing),
            radius_m=radius_m,
            n_sites=count,
            seconds_left=clock.seconds_left,
        )
    seconds = time_limit - found.seconds_left
    curve_seconds = clock.seconds - seconds
    answer = _as_json(found, asked.candidates, seconds=seconds, curve_seconds=curve_seconds)
    if out is not None:
        chosen = asked.candidates.iloc[found.sites]
        write_layer(chosen.assign(rank=np.arange(1, count + 1), gain=found.gains), out)
    if as_json:
        answer_json(answer)
    else:
        _tell(answer, out)


def _require_one_question(*, count: int | None, share: float | None, capacity: float | None, times: int) -> None:
    """Refuse options that do not go together."""
    if (count is None) == (share is None):
        raise InputError(t("siting.count_or_share"))
    if share is not None and not 0 < share <= 1:
        raise InputError(t("siting.bad_share", share=share))
    if capacity is not None and not (np.isfinite(capacity) and capacity > 0):
        raise InputError(t("siting.bad_capacity", capacity=capacity))
    if times < 1:
        raise InputError(t("siting.bad_times", times=times))
    if (share is not None) + (capacity is not None) + (times > 1) > 1:
        raise InputError(t("siting.one_question"))


@dataclass(frozen=True, kw_only=True, eq=False)
class _Asked:
    """The layers of a question, in one coordinate system or all without one."""

    demand: gpd.GeoDataFrame
    candidates: gpd.GeoDataFrame
    existing: gpd.GeoDataFrame

    @classmethod
    def read(cls, demand: Path, *, candidates: Path | None, existing: Path | None, crs: str | None) -> "_Asked":
        homes = _points(demand, crs=crs)
        others = {
            name: _fitted(_points(file, crs=crs), homes, file=file, homes_file=demand)
            for name, file in (("candidates", candidates), ("existing", existing))
            if file is not None
        }
        places = others.get("candidates", homes)
        for file, layer in ((demand, homes), (candidates or demand, places)):
            if layer.empty:
                raise InputError(t("siting.empty", file=file.name))
        return cls(demand=homes, candidates=places, existing=others.get("existing", homes.iloc[:0]))


def _points(file: Path, *, crs: str | None) -> gpd.GeoDataFrame:
    limits = Limits(max_bytes=settings().max_file_mb * 2**20)
    layer = read_any_layer(file, limits=limits, crs=crs, plain_metres=True)
    shapes = layer.geometry
    is_point = (shapes.geom_type == "Point") & ~shapes.is_empty
    is_point &= np.isfinite(shapely.bounds(shapes.to_numpy())).all(axis=1)
    if not is_point.all():
        row = layer.index[~is_point][0]
        raise InputError(t("siting.no_points", file=file.name, n=int((~is_point).sum()), row=row))
    return layer


def _fitted(layer: gpd.GeoDataFrame, homes: gpd.GeoDataFrame, *, file: Path, homes_file: Path) -> gpd.GeoDataFrame:
    if (layer.crs is None) != (homes.crs is None):
        said, silent = (file, homes_file) if homes.crs is None else (homes_file, file)
        raise CrsError(t("siting.crs_differs", file=said.name, other=silent.name))
    return layer if layer.crs is None else layer.to_crs(homes.crs)


def _coordinates(layer: gpd.GeoDataFrame) -> Floats:
    xy: Floats = shapely.get_coordinates(layer.geometry.to_numpy())
    return xy


def _weights(layer: gpd.GeoDataFrame, column: str | None, *, file: str) -> Floats:
    if column is None:
        return np.ones(len(layer))
    if column not in layer or column == layer.geometry.name:
        known = ", ".join(f"`{header}`" for header in layer.columns if header != layer.geometry.name)
        raise InputError(t("siting.no_column", file=file, column=column, columns=known))
    weights: Floats = pd.to_numeric(layer[column], errors="coerce").to_numpy(dtype=float, na_value=np.nan)
    wrong = np.flatnonzero(~(np.isfinite(weights) & (weights >= 0)))
    if len(wrong):
        row, value = layer.index[wrong[0]], layer[column].iloc[wrong[0]]
        raise InputError(t("siting.bad_weights", file=file, column=column, n=len(wrong), row=row, value=value))
    return weights


def _require_numbers(radius_m: float, time_limit: float) -> None:
    if not (np.isfinite(radius_m) and radius_m > 0):
        raise InputError(t("siting.bad_radius", radius=radius_m))
    if not (np.isfinite(time_limit) and time_limit > 0):
        raise InputError(t("siting.bad_time", seconds=time_limit))


def _require_metres(layer: gpd.GeoDataFrame, *, radius_m: float, file: str) -> None:
    """Refuse longitudes and latitudes: in the China box, or so close together that the radius holds them all many times."""
    xy = _coordinates(layer)
    low, high = xy.min(axis=0), xy.max(axis=0)
    if (xy == np.floor(xy)).all() or not (np.abs(xy) <= _LON).all():
        return
    west, south, east, north = CHINA_BOX
    in_china = any(
        west <= low[lon] and high[lon] <= east and south <= low[lat] and high[lat] <= north
        for lon, lat in ((0, 1), (1, 0))
    )
    across = float(np.hypot(*(high - low)))
    is_tiny = (np.abs(xy).max(axis=0) <= _LAT).any() and 0 < across * _DEGREES_ACROSS < radius_m
    if in_china or is_tiny:
        raise CrsError(t("siting.degrees", file=file, x=xy[0, 0], y=xy[0, 1]))


def _require_pairs_to_hold(asked: _Asked, *, radius_m: float) -> None:
    """Refuse what would fill the memory and be over the time before anything is asked."""
    homes_xy = _coordinates(asked.demand)
    n_pairs = max(n_within(homes_xy, _coordinates(to), radius_m=radius_m) for to in (asked.candidates, asked.existing))
    if n_pairs > MOST_PAIRS:
        raise InputError(t("siting.too_many_pairs", n=f"{n_pairs:,}", most=f"{MOST_PAIRS:,}", radius=f"{radius_m:g}"))


def _plain(number: float) -> float:
    """Return a whole number as one: 5461, not 5461.0."""
    return int(number) if number == int(number) else number


def _sites_as_json(candidates: gpd.GeoDataFrame, sites: Ints, gains: Floats) -> list[dict[str, Any]]:
    xy = _coordinates(candidates)
    column = next((header for header in candidates if str(header).lower() in _NAMES), None)
    names = candidates.index if column is None else candidates[column]
    return [
        {
            "name": str(names.iloc[at] if column is not None else names[at]),
            "index": int(at),
            "x": float(xy[at, 0]),
            "y": float(xy[at, 1]),
            "gain": _plain(float(gain)),
        }
        for at, gain in zip(sites, gains, strict=True)
    ]


def _tell_other(found: Other, candidates: gpd.GeoDataFrame, *, out: Path | None, seconds: float, as_json: bool) -> None:
    """Answer one of the other questions; exit code 1 where the share cannot be reached."""
    answer: dict[str, Any] = {
        "question": found.question,
        "covered": _plain(found.covered),
        "total": _plain(found.total),
        "share": found.covered / found.total if found.total else None,
        "optimal": found.is_optimal,
        "bound": None if found.bound is None else _plain(found.bound),
        "gap": found.gap,
        "possible": found.is_possible,
        "sites": _sites_as_json(candidates, found.sites, found.gains),
        "seconds": round(seconds, 4),
    }
    if out is not None:
        write_layer(candidates.iloc[found.sites].assign(gain=found.gains), out)
    if as_json:
        answer_json(answer)
    else:
        proof = (
            t("siting.proven_other")
            if found.is_optimal
            else t(f"siting.bounded_{found.question}", bound=answer["bound"])
        )
        share = "—" if answer["share"] is None else f"{answer['share']:.1%}"
        words = {"n": len(found.sites), "covered": answer["covered"], "total": answer["total"], "share": share}
        say(t(f"siting.answer_{found.question}" if found.is_possible else "siting.impossible", **words, proof=proof))
        for number, one in enumerate(answer["sites"], start=1):
            at = {"x": f"{one['x']:.1f}", "y": f"{one['y']:.1f}", "gain": f"{one['gain']:,.10g}"}
            say(f"  {t('siting.site', number=number, name=one['name'], **at)}")
        if out is not None:
            say(t("siting.written", file=out))
    if not found.is_possible:
        raise typer.Exit(1)


def _as_json(found: Siting, candidates: gpd.GeoDataFrame, *, seconds: float, curve_seconds: float) -> dict[str, Any]:
    return {
        "covered": _plain(found.covered),
        "total": _plain(found.total),
        "share": found.covered / found.total if found.total else None,
        "optimal": found.is_optimal,
        "bound": _plain(found.bound),
        "gap": found.gap,
        "sites": _sites_as_json(candidates, found.sites, found.gains),
        "curve": [
            {
                "count": step.n_sites,
                "covered": _plain(step.covered),
                "bound": _plain(step.bound),
                "optimal": step.is_optimal,
            }
            for step in found.curve
        ],
        "seconds": round(seconds, 4),
        "curve_seconds": round(curve_seconds, 4),
    }


def _tell(answer: dict[str, Any], out: Path | None) -> None:
    proof = (
        t("siting.proven")
        if answer["optimal"]
        else t("siting.bounded", bound=f"{answer['bound']:,.10g}", gap=f"{answer['gap']:.2%}")
    )
    share = "—" if answer["share"] is None else f"{answer['share']:.1%}"
    say(
        t(
            "siting.answer",
            n=len(answer["sites"]),
            covered=f"{answer['covered']:,.10g}",
            total=f"{answer['total']:,.10g}",
            share=share,
            before=f"{answer['curve'][0]['covered']:,.10g}",
            proof=proof,
            seconds=round(answer["seconds"] + answer["curve_seconds"], 2),
        )
    )
    for number, one in enumerate(answer["sites"], start=1):
        at = {"x": f"{one['x']:.1f}", "y": f"{one['y']:.1f}", "gain": f"{one['gain']:,.10g}"}
        say(f"  {t('siting.site', number=number, name=one['name'], **at)}")
    steps = " → ".join(f"{step['covered']:,.10g}{'' if step['optimal'] else '*'}" for step in answer["curve"])
    say(t("siting.curve", steps=steps))
    if out is not None:
        say(t("siting.written", file=out))
