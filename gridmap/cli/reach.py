"""`gridmap coverage area|gaps`: the 15-minute circle from file to file, without a database."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
import typer

from gridmap.analysis.gaps import OUTSIDE, gaps_by_grid, with_missing
from gridmap.analysis.network.areas import reached_pieces
from gridmap.analysis.network.attach import Attached, attach
from gridmap.analysis.network.build import PROBLEMS
from gridmap.analysis.network.network import Network
from gridmap.analysis.network.polygons import polygons_around
from gridmap.analysis.network.travel import travel
from gridmap.cli.output import answer_json, say
from gridmap.cli.reach_files import read_paths_network, read_places, read_walls
from gridmap.errors import InputError
from gridmap.exports.layers import require_layer_name, write_layer
from gridmap.settings import settings
from gridmap.texts import t

_SHOWN = 20
_KMH = 3.6

Paths = Annotated[
    Path,
    typer.Argument(help="Lines (also in longitude and latitude), or OpenStreetMap XML; is_bridge and kind are used."),
]
From = Annotated[Path, typer.Option("--from", help="Service points, in metres: everything is measured in their CRS.")]
Minutes = Annotated[float, typer.Option(help="Minutes on foot that still count.")]
Out = Annotated[Path, typer.Option(help="File to write (.gpkg, .geojson, .shp, .csv).")]
SpeedKmh = Annotated[float, typer.Option(help="Walking speed on the flat.")]
SpeedOf = Annotated[
    list[str] | None, typer.Option("--speed-of", help="KIND=KMH for one kind of path, 0: not walked; can be repeated.")
]
BarriersFile = Annotated[
    Path | None,
    typer.Option("--barriers", help="Water: no way from a home to its path crosses it; bridges in it do not bar."),
]
Snap = Annotated[float | None, typer.Option("--snap-m", help="Ends this near to each other or to a line meet.")]
AttachLimit = Annotated[
    float | None, typer.Option("--attach-m", help="Farther from every path than this: cannot be told.")
]
Crs = Annotated[str | None, typer.Option(help="Such as EPSG:4547, for files that do not say.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]


def area(  # noqa: PLR0917  Typer takes the options by name
    paths: Paths,
    points: From,
    minutes: Minutes,
    out: Out,
    speed_kmh: SpeedKmh = 4.5,
    speed_of: SpeedOf = None,
    households: Annotated[
        Path | None, typer.Option(help="Points, one a household; counted inside and outside.")
    ] = None,
    barriers: BarriersFile = None,
    snap_m: Snap = None,
    attach_m: AttachLimit = None,
    buffer_m: Annotated[float, typer.Option(help="Metres of ground beside a path that belong to the area.")] = 25,
    is_each: Annotated[bool, typer.Option("--each/--together", help="One area a point, or one of all.")] = False,
    has_lines: Annotated[bool, typer.Option("--lines", help="Write the reached paths instead of polygons.")] = False,
    crs: Crs = None,
    as_json: AsJson = False,
) -> None:
    """Say how much path and ground, and how many households, reach a point in time."""
    require_layer_name(out)
    _require_above_0(minutes=minutes, speed_kmh=speed_kmh, buffer_m=buffer_m)
    began = time.perf_counter()
    asked = _Asked.read(
        paths, points, minutes=minutes, speed_kmh=speed_kmh, speed_of=speed_of or (), barriers=barriers, snap_m=snap_m,
        attach_m=attach_m, crs=crs,
    )  # fmt: skip
    pieces = reached_pieces(asked.network, asked.at_points, limit_s=asked.limit_s, is_each=is_each)
    grounds = polygons_around(pieces, buffer_m=buffer_m)
    ground_m2 = float(shapely.union_all(grounds.to_numpy()).area if is_each else grounds.area.sum())
    homes = None if households is None else read_places(households, crs=crs, target=asked.points.crs)
    status = None if homes is None else asked.ways(homes, is_cut=True)["status"]
    _write_area(asked, pieces, grounds, out, minutes=minutes, has_lines=has_lines)
    total_m = reached_pieces(asked.network, asked.at_points, limit_s=asked.limit_s) if is_each else pieces
    answer = {
        **_counts(status),
        "reached_length_m": round(float(total_m["length_m"].sum()), 3),
        "area_m2": round(ground_m2, 1),
        **asked.facts(),
        "seconds": round(time.perf_counter() - began, 3),
    }
    if as_json:
        answer_json(answer)
        return
    asked.tell()
    say(
        t(
            "reach.area",
            minutes=f"{minutes:g}",
            length=f"{answer['reached_length_m'] / 1e3:.2f}",
            area=f"{ground_m2 / 1e6:.3f}",
        )
    )
    if status is not None:
        say(t("reach.homes", **_counts(status)))
    say(t("reach.written", file=out))


def gaps(  # noqa: PLR0917  Typer takes the options by name
    paths: Paths,
    points: From,
    households: Annotated[Path, typer.Option(help="Points, one a household.")],
    minutes: Minutes,
    out: Out,
    grid: Annotated[str | None, typer.Option(help="Column of the households' grid; without it all are one.")] = None,
    weight: Annotated[str | None, typer.Option(help="Column of residents; without it a household counts 1.")] = None,
    speed_kmh: SpeedKmh = 4.5,
    speed_of: SpeedOf = None,
    barriers: BarriersFile = None,
    snap_m: Snap = None,
    attach_m: AttachLimit = None,
    crs: Crs = None,
    as_json: AsJson = False,
) -> None:
    """List the households beyond the circle with what they lack, and the grids, worst first."""
    require_layer_name(out)
    _require_above_0(minutes=minutes, speed_kmh=speed_kmh)
    began = time.perf_counter()
    asked = _Asked.read(
        paths, points, minutes=minutes, speed_kmh=speed_kmh, speed_of=speed_of or (), barriers=barriers, snap_m=snap_m,
        attach_m=attach_m, crs=crs,
    )  # fmt: skip
    homes = read_places(households, crs=crs, target=asked.points.crs, columns=[*filter(None, (grid, weight))])
    weights = _weights(households, homes, weight)
    ways = with_missing(asked.ways(homes), limit_s=asked.limit_s)
    codes = homes[grid].astype(object) if grid else pd.Series(t("reach.all"), index=homes.index, dtype=object)
    by_grid = gaps_by_grid(ways, grid_codes=codes, weights=weights)
    _write_gaps(homes, ways, out)
    is_outside, is_unmatched = ways["status"].isin(OUTSIDE), ways["status"] == "unmatched"
    answer = {
        **_counts(ways["status"]),
        "weight": float(weights.sum()),
        "weight_outside": float(weights[is_outside].sum()),
        "weight_unmatched": float(weights[is_unmatched].sum()),
        "grids": _rows(by_grid) if grid else [],
        "unmatched": [_plain(name) for name in homes.index[is_unmatched]],
        **asked.facts(),
        "seconds": round(time.perf_counter() - began, 3),
    }
    if as_json:
        answer_json(answer)
        return
    asked.tell()
    say(t("reach.homes", **_counts(ways["status"])))
    _tell_grids(by_grid)
    if answer["unmatched"]:
        say(t("reach.unmatched", names=_some([str(name) for name in answer["unmatched"]])))
    say(t("reach.written", file=out))


@dataclass(frozen=True, kw_only=True, eq=False)
class _Asked:
    """What both commands stand on: the network with its faults, the points on it, the walls, the limits."""

    network: Network
    problems: gpd.GeoDataFrame
    points: gpd.GeoDataFrame
    at_points: Attached
    walls: gpd.GeoSeries | None
    limit_s: float
    attach_m: float
    speed_m_s: float

    @classmethod
    def read(
        cls,
        paths: Path,
        points: Path,
        *,
        minutes: float,
        speed_kmh: float,
        speed_of: Sequence[str],
        barriers: Path | None,
        snap_m: float | None,
        attach_m: float | None,
        crs: str | None,
    ) -> "_Asked":
        snap = settings().path_snap_m if snap_m is None else snap_m
        limit_m = settings().path_attach_m if attach_m is None else attach_m
        _require_above_0(snap_m=snap, attach_m=limit_m)
        places = read_places(points, crs=crs)
        network, problems = read_paths_network(
            paths, target=places.crs, unnamed_crs=crs, snap_m=snap, speed_m_s=speed_kmh / _KMH, speed_of=speed_of
        )
        walls = None if barriers is None else read_walls(barriers, target=places.crs, unnamed_crs=crs)
        speed_m_s = speed_kmh / _KMH
        return cls(
            network=network,
            problems=problems,
            points=places,
            at_points=attach(network, places, limit_m=limit_m, off_path_m_s=speed_m_s, barriers=walls),
            walls=walls,
            limit_s=minutes * 60,
            attach_m=limit_m,
            speed_m_s=speed_m_s,
        )

    def ways(self, homes: gpd.GeoDataFrame, *, is_cut: bool = False) -> pd.DataFrame:
        """Return the way of each household."""
        placed = attach(self.network, homes, limit_m=self.attach_m, off_path_m_s=self.speed_m_s, barriers=self.walls)
        return travel(self.network, placed, self.at_points, limit_s=self.limit_s, is_cut=is_cut)

    def facts(self) -> dict[str, Any]:
        """Return what was odd about points and paths."""
        return {
            "n_points": len(self.points),
            "n_points_unmatched": int((~self.at_points.is_matched).sum()),
            "n_components": self.network.n_components,
            "n_problems": len(self.problems),
            "problems": [
                {
                    "kind": row.kind,
                    "path": _plain(row.path),
                    "value_m": None if pd.isna(row.value_m) else round(float(row.value_m), 3),
                    "place": None if row.geometry is None else [round(row.geometry.x, 3), round(row.geometry.y, 3)],
                }
                for row in self.problems.itertuples()
            ],
        }

    def tell(self) -> None:
        """Say it in words, where there is something to say."""
        n = self.problems["kind"].value_counts()
        if len(n):
            told = [f"{t(f'reach.problem_{kind}')} {n[kind]}" for kind in PROBLEMS if kind in n]
            say(t("reach.problems", problems=", ".join(told)))
        facts = self.facts()
        if facts["n_points_unmatched"]:
            say(t("reach.points_unmatched", n=facts["n_points_unmatched"], of=facts["n_points"]))


def _require_above_0(**options: float) -> None:
    for name, value in options.items():
        if not (np.isfinite(value) and value > 0):
            raise InputError(t("reach.bad_number", option=f"--{name.replace('_', '-')}", value=f"{value:g}"))


def _weights(file: Path, homes: gpd.GeoDataFrame, column: str | None) -> pd.Series:
    if column is None:
        return pd.Series(1.0, index=homes.index)
    weights: pd.Series = pd.to_numeric(homes[column], errors="coerce").astype(float)
    wrong = np.flatnonzero(~(np.isfinite(weights) & (weights >= 0)))
    if len(wrong):
        raise InputError(t("reach.bad_weight", file=file.name, column=column, row=int(wrong[0]) + 1))
    return weights


def _counts(status: pd.Series | None) -> dict[str, int | None]:
    """Return households inside, outside and not told; None: there are none to count."""
    if status is None:
        return {"n_reached": None, "n_unreached": None, "n_unmatched": None}
    return {
        "n_reached": int((status == "reached").sum()),
        "n_unreached": int(status.isin(OUTSIDE).sum()),
        "n_unmatched": int((status == "unmatched").sum()),
    }


def _write_area(
    asked: _Asked, pieces: gpd.GeoDataFrame, grounds: gpd.GeoSeries, out: Path, *, minutes: float, has_lines: bool
) -> None:
    if has_lines:
        lines = pieces.assign(path=[_plain(path) for path in asked.network.path[pieces["edge"]]])
        write_layer(lines.drop(columns="edge").assign(minutes=minutes), out)
        return
    table = {"minutes": minutes, "area_m2": grounds.area.to_numpy()}
    columns = {"point": grounds.index.to_numpy(), **table} if "point" in pieces else table
    write_layer(gpd.GeoDataFrame(columns, geometry=grounds.to_numpy(), crs=asked.points.crs), out)


def _write_gaps(homes: gpd.GeoDataFrame, ways: pd.DataFrame, out: Path) -> None:
    """Write the households that are not inside: those without a way, then by what is missing, then those not told."""
    rank = ways["status"].map({"unreachable": 0, "beyond": 1, "unmatched": 2})
    columns = {
        "status": ways["status"],
        "walk_min": (ways["seconds"] / 60).round(2),
        "walk_m": ways["walk_m"].round(1),
        "lacks_min": (ways["missing_s"] / 60).round(2),
        "lacks_m": ways["missing_m"].round(1),
        "point": ways["point"].map(lambda label: None if label is None else str(label)),
    }
    listed = homes.assign(**columns, rank=rank)[rank.notna()]
    listed = listed.sort_values(["rank", "lacks_min"], ascending=[True, False], kind="stable")
    write_layer(listed.drop(columns="rank"), out)


def _rows(by_grid: pd.DataFrame) -> list[dict[str, Any]]:
    return [
        {"grid": _plain(name), **{str(column): _figure(str(column), value) for column, value in row.items()}}
        for name, row in by_grid.to_dict("index").items()
    ]


def _figure(column: str, value: float) -> float | int | None:
    if pd.isna(value):
        return None
    return int(value) if column.startswith("n_") else round(float(value), 4)


def _tell_grids(by_grid: pd.DataFrame) -> None:
    worst = by_grid[by_grid["n_outside"] > 0]
    for name, row in worst.head(_SHOWN).iterrows():
        most = row["most_missing_m"]
        missing = t("reach.gap_no_way") if pd.isna(most) else t("reach.gap_missing", metres=f"{most:.0f}")
        counts = {"n_outside": int(row["n_outside"]), "n_homes": int(row["n_homes"])}
        say(t("reach.gap_grid", grid=name, weight=f"{row['weight_outside']:g}", missing=missing, **counts))
    if len(worst) > _SHOWN:
        say(f"  {t('reach.more', n=len(worst) - _SHOWN)}")


def _some(names: list[str]) -> str:
    rest = len(names) - _SHOWN
    return ", ".join(names[:_SHOWN]) + (f", {t('reach.more', n=rest)}" if rest > 0 else "")


def _plain(value: Any) -> Any:
    """Return a number of numpy as one of Python, for JSON and files."""
    return value.item() if isinstance(value, np.generic) else value
