"""`gridmap plan …`: judging and making divisions into grids, from file to file, without a database."""

import math
from collections.abc import Hashable
from pathlib import Path
from typing import Annotated, Any

import geopandas as gpd
import numpy as np
import pandas as pd
import typer

from gridmap.cli.output import Clock, answer_json, say, solvers_kept_off_stdout
from gridmap.errors import InputError
from gridmap.exports.layers import require_layer_name, write_layer
from gridmap.ingest.features import read_any_layer
from gridmap.ingest.limits import Limits
from gridmap.planning.certificate import Certificate, certify
from gridmap.planning.compactness import polsby_popper
from gridmap.planning.neighbours import Barriers, Ints
from gridmap.planning.numbering import more_codes, west_to_east
from gridmap.planning.partition import partition
from gridmap.planning.repair import Repair, repair
from gridmap.planning.units import Units, make_units
from gridmap.reports.plan_words import sentence
from gridmap.settings import settings
from gridmap.texts import t

app = typer.Typer(help="Judge and make divisions into grids, from file to file.", no_args_is_help=True)
_SHOWN = 20
_NAMES = ("unit_code", "unit_id", "unit", "code", "id")
_BRIDGE_FLAGS, _BRIDGE_KINDS = ("is_bridge", "bridge", "桥"), ("kind", "type", "类型")
_YES, _BRIDGE_WORDS = {"1", "true", "yes", "y", "是", "t"}, {"bridge", "桥", "桥梁"}

UnitsFile = Annotated[Path, typer.Argument(help="Polygons with a weight column, or points: single households.")]
Weight = Annotated[str, typer.Option(help="Column of households.")]
Within = Annotated[str | None, typer.Option(help="Column of the area (village) that grids stay in.")]
Cap = Annotated[float, typer.Option(help="Households a grid may hold.")]
BarriersFile = Annotated[
    Path | None, typer.Option("--barriers", help="Lines or polygons that no grid crosses; rows with is_bridge join.")
]
Crs = Annotated[str | None, typer.Option(help="Such as EPSG:4547, where the file does not say.")]
Name = Annotated[str | None, typer.Option("--unit", help="Column of the units' names; default: found, else numbers.")]
Out = Annotated[Path, typer.Option(help="File to write: all columns and `grid_code` (.gpkg, .geojson, .shp, .csv).")]
TimeLimit = Annotated[float, typer.Option(help="Seconds; then the best so far is taken.", min=0.1)]
Seed = Annotated[int, typer.Option(help="Of the random turns.", min=0)]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]


@app.command("check")
def check(  # noqa: PLR0917  Typer takes the options by name
    units: UnitsFile,
    grid: Annotated[str, typer.Option(help="Column of the grid that each unit belongs to.")],
    weight: Weight,
    within: Within = None,
    cap: Cap = 100,
    barriers: BarriersFile = None,
    crs: Crs = None,
    unit: Name = None,
    as_json: AsJson = False,
) -> None:
    """Judge a plan: every breach with its units and numbers; exit code 1 when there is one."""
    layer = _layer(units, crs=crs, columns=[grid, weight, *([within] if within else [])], name=unit)
    known = _units(units, layer, weight=weight, within=within, barriers=_barriers(barriers, layer))
    _require_cap(cap)
    certificate = certify(known, _grids(layer, grid), cap=cap)
    if as_json:
        answer_json(_as_json(certificate, cap=cap))
    else:
        _tell(certificate, cap=cap)
    if not certificate.is_ok:
        raise typer.Exit(1)


@app.command("partition")
def make_partition(  # noqa: PLR0917  Typer takes the options by name
    units: UnitsFile,
    weight: Weight,
    out: Out,
    within: Within = None,
    groups: Annotated[str | None, typer.Option(help="Column of groups that stay together where they fit.")] = None,
    cap: Cap = 100,
    barriers: BarriersFile = None,
    time_limit: TimeLimit = 60,
    seed: Seed = 0,
    crs: Crs = None,
    unit: Name = None,
    as_json: AsJson = False,
) -> None:
    """Divide units into connected grids of at most the cap: as few as possible, then compact."""
    require_layer_name(out)
    _require_cap(cap)
    layer = _layer(units, crs=crs, columns=[weight, *filter(None, (within, groups))], name=unit)
    known = _units(units, layer, weight=weight, within=within, barriers=_barriers(barriers, layer))
    clock = Clock(time_limit)
    with solvers_kept_off_stdout():
        found = partition(
            known,
            cap=cap,
            groups=layer[groups] if groups else None,
            seed=seed,
            has_time=clock.has_time,
        )
    seconds = clock.seconds
    codes = _codes(known, found.grids)
    write_layer(layer.assign(grid_code=codes.to_numpy()), out)
    oversized = [str(known.names[at]) for at in found.oversized]
    answer = {
        "n_grids": found.n_grids,
        "lower_bound": found.lower_bound,
        "optimal": found.is_optimal,
        "max_weight": float(np.bincount(found.grids, weights=known.weights).max()),
        "compactness": round(float(polsby_popper(known.shapes, codes).mean()), 4),
        "oversized_units": oversized,
        "seconds": round(seconds, 3),
    }
    if as_json:
        answer_json(answer)
        return
    say(t("plan.divided", **{**answer, "largest": f"{answer['max_weight']:g}"}))
    if oversized:
        say(t("plan.divided_oversized", units=", ".join(oversized)))
    if not found.is_complete:
        say(t("plan.out_of_time"))
    say(t("plan.written", file=out))


@app.command("repair")
def make_repair(  # noqa: PLR0917  Typer takes the options by name
    units: UnitsFile,
    grid: Annotated[str, typer.Option(help="Column of the grid that each unit belongs to now.")],
    weight: Weight,
    out: Out,
    within: Within = None,
    cap: Cap = 100,
    barriers: BarriersFile = None,
    may_open: Annotated[
        bool, typer.Option("--open/--no-open", help="Open grids, as few as possible, where those there are cannot do.")
    ] = True,
    time_limit: TimeLimit = 60,
    seed: Seed = 0,
    crs: Crs = None,
    unit: Name = None,
    as_json: AsJson = False,
) -> None:
    """Bring a plan back to the rules, moving the fewest households; exit code 1 when a breach remains."""
    require_layer_name(out)
    _require_cap(cap)
    layer = _layer(units, crs=crs, columns=[grid, weight, *([within] if within else [])], name=unit)
    known = _units(units, layer, weight=weight, within=within, barriers=_barriers(barriers, layer))
    before = _grids(layer, grid)
    numbers, names = pd.factorize(before, sort=True)
    clock = Clock(time_limit)
    with solvers_kept_off_stdout():
        found = repair(
            known,
            numbers.astype(np.intp),
            cap=cap,
            may_open=may_open,
            seed=seed,
            has_time=clock.has_time,
        )
    seconds = clock.seconds
    codes = np.array([*names, *more_codes(list(names), found.n_opened), None], dtype=object)
    after = pd.Series(codes[found.grids], index=before.index)
    write_layer(layer.assign(grid_code=after.infer_objects().to_numpy()), out)
    certificate = certify(known, after, cap=cap)
    moves = _moves(known, before, after, found.moved)
    answer = {
        "ok": certificate.is_ok,
        "moved_weight": found.moved_weight,
        "moved_units": len(found.moved),
        "bound": found.bound,
        "gap": round(found.gap, 4),
        "optimal": found.is_optimal,
        "n_grids": certificate.n_grids,
        "opened_grids": [str(code) for code in codes[len(names) : -1]],
        "oversized_units": [str(known.names[at]) for at in found.oversized],
        "moves": moves,
        "remaining": [sentence(violation, cap=cap) for violation in certificate.violations],
        "why": None if found.is_legal else _why(certificate),
        "seconds": round(seconds, 3),
    }
    if as_json:
        answer_json(answer)
    else:
        _tell_repair(answer, found, out)
    if not certificate.is_ok:
        raise typer.Exit(1)


def _moves(units: Units, before: pd.Series, after: pd.Series, moved: Ints) -> list[dict[str, Any]]:
    """Return the units that go from one grid to another, one entry for each two grids."""
    source, target = (grids.iloc[moved].map(str, na_action="ignore").fillna("") for grids in (before, after))
    table = pd.DataFrame(
        {
            "from": source.to_numpy(),
            "to": target.to_numpy(),
            "unit": [str(units.names[at]) for at in moved],
            "weight": units.weights[moved],
        }
    )
    return [
        {
            "from": before_move or None,
            "to": after_move or None,
            "units": rows["unit"].tolist(),
            "weight": float(rows["weight"].sum()),
        }
        for (before_move, after_move), rows in table.groupby(["from", "to"], sort=True)
    ]


def _tell_repair(answer: dict[str, Any], found: Repair, out: Path) -> None:
    say(t("plan.repaired", **{**answer, "moved": f"{found.moved_weight:g}", "least": f"{found.bound:g}"}))
    for move in answer["moves"][:_SHOWN]:
        listed = ", ".join(move["units"][:_SHOWN])
        say(
            "  "
            + t(
                "plan.move",
                source=move["from"] or "—",
                target=move["to"] or "—",
                units=listed,
                weight=f"{move['weight']:g}",
            )
        )
    if answer["opened_grids"]:
        say(t("plan.opened", grids=", ".join(answer["opened_grids"])))
    for line in answer["remaining"][:_SHOWN]:
        say(f"  ! {line}")
    if not found.is_legal:
        say(answer["why"])
    if not found.is_complete:
        say(t("plan.out_of_time"))
    say(t("plan.written", file=out))


def _why(certificate: Certificate) -> str:
    """Say why the grids that there are cannot do: they are too few, or no way was found."""
    least, n_grids = certificate.bound.n_grids, certificate.n_grids
    reason = t("plan.too_few_grids", least=least, n_grids=n_grids) if least > n_grids else ""
    return f"{t('plan.no_legal_move')} {reason}".strip()


def _grids(layer: gpd.GeoDataFrame, column: str) -> pd.Series:
    """Return the grid of each unit; blank ones are null."""
    grids: pd.Series = layer[column].where(layer[column].astype(str).str.strip() != "")
    return grids


def _codes(units: Units, grids: Ints) -> pd.Series:
    """Return the code of each unit's grid: the area's code and a number, from west to east and north to south."""
    middles = gpd.GeoSeries(units.shapes.centroid.to_numpy(), crs=units.shapes.crs)
    frame = gpd.GeoDataFrame({"grid": grids, "area": units.areas}, geometry=middles)
    land = frame.dissolve("grid", aggfunc="first")
    codes: dict[Hashable, str] = {}
    for area, members in land.groupby("area"):
        prefix = "" if len(units.area_names) == 1 and units.area_names[0] == 0 else str(units.area_names[int(area)])
        codes |= {grid: f"{prefix}{number:03d}" for number, grid in enumerate(west_to_east(members.geometry), start=1)}
    return pd.Series(grids, index=units.shapes.index).map(codes)


def _layer(file: Path, *, crs: str | None, columns: list[str], name: str | None) -> gpd.GeoDataFrame:
    """Read the units, named by a column."""
    layer = read_any_layer(file, limits=_limits(), crs=crs)
    for column in [*columns, *([name] if name else [])]:
        if column not in layer:
            known = ", ".join(f"`{header}`" for header in layer.columns if header != "geometry")
            raise InputError(t("plan.no_column", file=file.name, column=column, columns=known))
    found = name or next((column for column in _NAMES if column in layer and layer[column].is_unique), None)
    if found is not None:
        layer.index = layer[found].astype(str).to_numpy()
    return layer


def _limits() -> Limits:
    return Limits(max_bytes=settings().max_file_mb * 2**20)


def _units(file: Path, layer: gpd.GeoDataFrame, *, weight: str, within: str | None, barriers: Barriers | None) -> Units:
    try:
        return make_units(layer, weight=weight, within=within, barriers=barriers)
    except ValueError as error:
        raise InputError(t("plan.units_wrong", file=file.name, fault=error)) from error


def _barriers(file: Path | None, layer: gpd.GeoDataFrame) -> Barriers | None:
    """Read what no grid crosses; a row that says it is a bridge joins the units at its ends."""
    if file is None:
        return None
    rows = read_any_layer(file, limits=_limits(), crs=str(layer.crs.to_wkt())).to_crs(layer.crs)
    rows = rows[rows.geometry.notna() & ~rows.geometry.is_empty]
    is_bridge = rows.geometry.isna()
    for column in rows.columns.drop("geometry"):
        words = rows[column].astype(str).str.strip().str.lower()
        if str(column).lower() in _BRIDGE_FLAGS:
            is_bridge |= words.isin(_YES)
        elif str(column).lower() in _BRIDGE_KINDS:
            is_bridge |= words.isin(_BRIDGE_WORDS)
    return Barriers(
        walls=rows.geometry[~is_bridge],
        bridges=rows.geometry[is_bridge].explode(index_parts=False),
        slip_m=settings().barrier_slip_m,
    )


def _require_cap(cap: float) -> None:
    if not 0 < cap < math.inf:
        raise InputError(t("plan.bad_cap", cap=f"{cap:g}"))


def _as_json(certificate: Certificate, *, cap: float) -> dict[str, Any]:
    return {
        "ok": certificate.is_ok,
        "n_grids": certificate.n_grids,
        "n_units": certificate.n_units,
        "total_weight": certificate.total_weight,
        "max_weight": certificate.max_weight,
        "lower_bound": certificate.bound.n_grids,
        "violations": [
            {
                "kind": violation.kind,
                "grid": None if violation.grid is None else str(violation.grid),
                "units": [str(unit) for unit in violation.units],
                "value": violation.value,
                "detail": sentence(violation, cap=cap),
                "place": list(violation.place),
            }
            for violation in certificate.violations
        ],
    }


def _tell(certificate: Certificate, *, cap: float) -> None:
    say(
        t(
            "plan.ok" if certificate.is_ok else "plan.not_ok",
            n_violations=len(certificate.violations),
            n_grids=certificate.n_grids,
            n_units=certificate.n_units,
            total=f"{certificate.total_weight:g}",
            largest=f"{certificate.max_weight:g}",
            lower_bound=certificate.bound.n_grids,
        )
    )
    for violation in certificate.violations[:_SHOWN]:
        x, y = violation.place
        say(f"  ! {sentence(violation, cap=cap)} ({x:.0f}, {y:.0f})")
    if len(certificate.violations) > _SHOWN:
        say(f"  {t('plan.more', n=len(certificate.violations) - _SHOWN)}")
