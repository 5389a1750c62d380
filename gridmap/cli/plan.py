"""`gridmap plan …`: judging and making divisions into grids, from file to file, without a database."""

from pathlib import Path
from typing import Annotated, Any

import geopandas as gpd
import typer

from gridmap.cli.output import answer_json, say
from gridmap.errors import InputError
from gridmap.ingest.features import read_any_layer
from gridmap.ingest.limits import Limits
from gridmap.planning.certificate import Certificate, Violation, certify
from gridmap.planning.neighbours import Barriers
from gridmap.planning.units import Units, make_units
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
    grids = layer[grid].where(layer[grid].astype(str).str.strip() != "")
    certificate = certify(known, grids, cap=cap)
    if as_json:
        answer_json(_as_json(certificate, cap=cap))
    else:
        _tell(certificate, cap=cap)
    if not certificate.is_ok:
        raise typer.Exit(1)


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
    if not cap > 0:
        raise InputError(t("plan.bad_cap", cap=f"{cap:g}"))


def sentence(violation: Violation, *, cap: float) -> str:
    """Return what a person reads of a breach."""
    numbers = {name: f"{value:g}" if isinstance(value, float) else value for name, value in violation.facts.items()}
    listed = ", ".join(str(unit) for unit in violation.units[:_SHOWN])
    areas = ", ".join(str(area) for area in violation.facts.get("areas", ()))
    given: dict[str, Any] = {
        **numbers,
        "grid": violation.grid,
        "unit": violation.units[0] if violation.units else "",
        "units": listed,
        "n_units": len(violation.units),
        "value": f"{violation.value:g}",
        "areas": areas,
        "cap": f"{cap:g}",
    }
    return t(f"plan.{violation.kind}", **given)


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
