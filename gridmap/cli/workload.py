"""`gridmap workload`: who carries more than grids like theirs, from file to file, without a database."""

import time
from pathlib import Path
from typing import Annotated, Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
import typer

from gridmap.analysis.counting import count_points
from gridmap.analysis.fair.balance import one_more_member, per_member, unevenness
from gridmap.analysis.fair.expected import Expected, expected_load, per_household
from gridmap.analysis.fair.funnel import AS_EXPECTED, HIGHER, LOWER, TOO_FEW, funnel
from gridmap.analysis.fair.shrunken import past_ratio, shrunken_ratios
from gridmap.cli.output import answer_json, progress, say
from gridmap.cli.points import in_metres, read_points, read_rows
from gridmap.errors import InputError
from gridmap.exports.layers import require_layer_name, write_layer
from gridmap.texts import t

_NAMES = ("grid_code", "grid_id", "grid", "code", "id", "name")
_SHOWN = 20
_CANNOT_SAY = 1


def workload(  # noqa: PLR0917  Typer takes the options by name
    grids: Annotated[Path, typer.Argument(help="Polygons with a column of households.")],
    households: Annotated[str, typer.Option(help="Column of households of each grid.")],
    out: Annotated[Path, typer.Option(help="File to write: all columns of the grids and the findings.")],
    incidents: Annotated[
        Path | None,
        typer.Option(help="Incidents of the span: points, or a CSV with x and y. Without: households are the load."),
    ] = None,
    visits_due: Annotated[str | None, typer.Option(help="Column of visits due in the span.")] = None,
    path_m: Annotated[str | None, typer.Option(help="Column of metres of path inside.")] = None,
    team: Annotated[str | None, typer.Option(help="Column of people in service; empty: not known.")] = None,
    before: Annotated[str | None, typer.Option(help="Column of incidents of earlier months.")] = None,
    alpha: Annotated[float, typer.Option(help="Share of false findings that is accepted.")] = 0.05,
    interval: Annotated[float, typer.Option(help="How much of the true ratios the intervals shall hold.")] = 0.9,
    crs: Annotated[str | None, typer.Option(help="Such as EPSG:4547, where a file does not say.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Compare what grids carry with what the other grids let expect; per member; where one more evens out most.

    Exit code 1: incidents were given, but not one grid can be judged.
    """
    require_layer_name(out)
    _require_question({"--alpha": alpha, "--interval": interval}, is_asked=incidents is not None or team is not None)
    points = None if incidents is None else read_points(incidents, crs=crs)
    land, points = in_metres(read_rows(grids, crs=crs), points, file=grids.name)
    homes = _amounts(land, households, file=grids.name)
    if not (homes > 0).any():
        raise InputError(t("hotspots.nobody", file=grids.name, column=households))
    factors = {
        name: per_household(_amounts(land, column, file=grids.name), homes)
        for name, column in (("terrain", path_m), ("duties", visits_due))
        if column is not None
    }
    past = None if before is None else past_ratio(_amounts(land, before, file=grids.name, whole=True), homes)
    people = _amounts(land, team, file=grids.name, whole=True, may_be_empty=True) if team is not None else None
    counts = None if points is None else _counts(points, land, file=grids.name)
    began = time.perf_counter()
    table, model = pd.DataFrame(index=land.index), None
    if counts is not None:
        table, model = _compared(counts[0], homes, factors, past, alpha=alpha, interval=interval)
    load = homes if model is None else table["expected"] * table["shrunken"]
    if people is not None:
        table["per_person"] = per_member(load, people)
        table["one_more_gain"] = one_more_member(load, people)["gain"].reindex(land.index)
    names = _names(land)
    answer = _as_answer(table, model, names, alpha=alpha) | {
        "n_outside": None if counts is None else counts[1],
        "unevenness": None if people is None else unevenness(load, people.fillna(0)),
        "seconds": round(time.perf_counter() - began, 3),
    }
    if people is not None:
        # A file of numbers has no infinity: of a grid without anybody the gain is left empty.
        table["one_more_gain"] = table["one_more_gain"].replace(np.inf, np.nan)
    replaced = [name for name in table if name in land]
    if replaced:
        progress(t("hotspots.replaced", columns=", ".join(f"`{name}`" for name in replaced)))
    write_layer(gpd.GeoDataFrame(land.drop(columns=replaced).join(table)), out)
    if as_json:
        answer_json(answer)
    else:
        _tell(answer, table, names, out)
    if model is not None and (table["class"] == TOO_FEW).all():
        raise typer.Exit(_CANNOT_SAY)


def _require_question(shares: dict[str, float], *, is_asked: bool) -> None:
    for name, value in shares.items():
        if not 0 < value < 1:
            raise InputError(t("fair.bad_share", option=name, value=value))
    if not is_asked:
        raise InputError(t("fair.nothing_asked"))


def _amounts(
    layer: gpd.GeoDataFrame, column: str, *, file: str, whole: bool = False, may_be_empty: bool = False
) -> pd.Series:
    """Return a column as numbers of at least 0; says which row is none."""
    if column not in layer:
        known = ", ".join(f"`{header}`" for header in layer.columns if header != "geometry")
        raise InputError(t("plan.no_column", file=file, column=column, columns=known))
    numbers: pd.Series = pd.to_numeric(layer[column], errors="coerce").astype(float)
    sound = np.isfinite(numbers) & (numbers >= 0)
    if whole:
        sound &= numbers % 1 == 0
    if may_be_empty:
        sound |= layer[column].isna()
    if not sound.all():
        row = int(np.argmin(sound.to_numpy()))
        raise InputError(
            t(
                "fair.bad_whole" if whole else "fair.bad_amount", file=file, column=column, n=int((~sound).sum()),
                row=row + 1, value=layer[column].iloc[row],
            )
        )  # fmt: skip
    return numbers


def _counts(points: gpd.GeoDataFrame, land: gpd.GeoDataFrame, *, file: str) -> tuple[pd.Series, int]:
    """Return the incidents in each grid, and how many lie in none."""
    shapes = land.geometry.to_numpy()
    finite = np.isfinite(shapely.bounds(shapes)).all(axis=1)
    sound = finite & (shapely.get_dimensions(shapes) == 2) & shapely.is_valid(shapes)  # noqa: PLR2004  polygons
    if not sound.all():
        raise InputError(t("hotspots.bad_shapes", file=file, n=int((~sound).sum()), row=int(np.argmin(sound)) + 1))
    counts = count_points(points, land)["n_points"]
    return counts, len(points) - int(counts.sum())


def _compared(
    counts: pd.Series,
    homes: pd.Series,
    factors: dict[str, pd.Series],
    past: pd.Series | None,
    *,
    alpha: float,
    interval: float,
) -> tuple[pd.DataFrame, Expected]:
    model = expected_load(counts, homes, factors, past=past)
    table = pd.DataFrame({"n_incidents": counts}).join(model.table["expected"])
    table = table.join(funnel(counts, table["expected"], model.table["variance"] + model.dispersion, alpha=alpha))
    return table.join(shrunken_ratios(counts, table["expected"], share=interval)), model


def _names(land: gpd.GeoDataFrame) -> pd.Series:
    named = next((name for name in _NAMES if name in land and land[name].is_unique), None)
    return land[named].astype(str) if named else pd.Series(land.index.astype(str), index=land.index)


def _as_answer(table: pd.DataFrame, model: Expected | None, names: pd.Series, *, alpha: float) -> dict[str, Any]:
    answer: dict[str, Any] = {"n_grids": len(names)}
    if model is not None:
        called = table["class"].value_counts()
        answer |= {
            "n_incidents": int(table["n_incidents"].sum()),
            **{
                f"n_{key}": int(called.get(kind, 0))
                for key, kind in (
                    ("higher", HIGHER), ("as_expected", AS_EXPECTED), ("lower", LOWER), ("too_few", TOO_FEW)
                )
            },
            "higher": names[table["class"] == HIGHER].tolist(),
            "lower": names[table["class"] == LOWER].tolist(),
            "alpha": alpha,
            "dispersion": model.dispersion,
            "effects": {str(name): float(value) for name, value in model.effects.items()},
        }  # fmt: skip
    if "per_person" in table:
        known = table["per_person"].dropna()
        best = table["one_more_gain"].dropna()
        answer |= {
            "n_without_team": int(table["per_person"].isna().sum()),
            "most_per_person": {names.loc[known.index[int(known.argmax())]]: float(known.max())}
            if len(known)
            else None,
            "one_more_member": names.loc[best.index[int(best.argmax())]] if len(best) and best.max() > 0 else None,
        }
    return answer


def _tell(answer: dict[str, Any], table: pd.DataFrame, names: pd.Series, out: Path) -> None:
    if "n_incidents" in answer:
        say(t("fair.said", **answer))
        if answer["n_outside"]:
            say(t("hotspots.outside", n=answer["n_outside"]))
        told = table[table["class"].isin([HIGHER, LOWER])].sort_values("rank").head(_SHOWN)
        for name, (_, row) in zip(names[told.index], told.iterrows(), strict=True):
            say(
                "  "
                + t(
                    f"fair.said_{row['class']}", grid=name, n=int(row["n_incidents"]), expected=f"{row['expected']:.1f}",
                    times=f"{row['shrunken']:.2f}", low=f"{row['shrunken_low']:.2f}", high=f"{row['shrunken_high']:.2f}",
                    q=f"{row['q']:.2g}",
                )
            )  # fmt: skip
    for name, value in (answer.get("most_per_person") or {}).items():
        say(t("fair.said_most", grid=name, load=f"{value:.1f}"))
    if answer.get("n_without_team"):
        say(t("fair.said_no_team", n=answer["n_without_team"]))
    if answer.get("one_more_member") is not None:
        say(t("fair.said_one_more", grid=answer["one_more_member"]))
    say(t("plan.written", file=out))
