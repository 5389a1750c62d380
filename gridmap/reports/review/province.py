"""The review of many townships in one run: one township a partition of GeoParquet, the same figures as of one alone.

A folder holds a folder a layer, and in each a file a township: `townships/<code>.parquet` (one row: its code, name, metric
zone, land), `incidents/<code>.parquet`, … in the stored coordinate system. Dask hands the partitions to processes of this
machine, or to a cluster that sees the folder.
"""

from collections.abc import Callable
from datetime import date, datetime, tzinfo
from pathlib import Path
from typing import Any

import dask
import dask_geopandas
import pandas as pd
from dask.callbacks import Callback

from gridmap.analysis.review.cases import DISPUTE, new_counts
from gridmap.analysis.review.frames import Rules, in_metres
from gridmap.analysis.review.month import Review, review_of, review_row
from gridmap.errors import GridmapError, InputError
from gridmap.reports.review.canonical import number
from gridmap.reports.review.township_files import TOWNSHIPS, read_booked, read_frames, read_township
from gridmap.texts import t

_META = {"township_code": object, "township": object, "part": object, "key": object, "value": float, "said": object}
FIGURE, FORM, FAULT = "figure", "form", "fault"


def review_province(
    folder: Path,
    *,
    month: date,
    known_at: datetime,
    zone: tzinfo,
    rules: Rules,
    progress: Callable[[int, int], None],
    scheduler: str = "processes",
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Measure a month of every township of a folder.

    Parameters
    ----------
    folder
        See the module.
    month
        First day of the month.
    known_at
        The instant of the review: a township exported as known later is a fault, one as known earlier is measured as of then.
    zone
        The clock.
    rules
        Numbers of policy.
    progress
        Called with the townships that are done and those there are.
    scheduler
        Of Dask: `processes`, `threads`, `synchronous`; a cluster's client takes over where there is one.

    Returns
    -------
    figures
        Index the township's code: `township`, `fault` (null; else why it has no figures), and the columns of
        `analysis.review.month.review_row` and of `township_files.read_booked`, rounded by `canonical.number`.
    form
        The county's form: index township and category: `n_new`, `n_settled`, `n_unsettled`, `n_previous`, `change`.

    Raises
    ------
    InputError
        If the folder holds no townships.
    """
    files = sorted((folder / TOWNSHIPS).glob("*.parquet"))
    if not files:
        raise InputError(t("review.error_no_townships", folder=folder))
    faults = {file: _fault_of(file, month=month, known_at=known_at, zone=zone) for file in files}
    wrong = pd.DataFrame([one for one in faults.values() if one is not None], columns=list(_META))
    files = [file for file in files if faults[file] is None]
    if not files:
        return _figures(wrong), _form(wrong)
    townships = dask_geopandas.read_parquet([str(file) for file in files], split_row_groups=False)
    rows = townships.map_partitions(
        township_rows,
        folder=str(folder),
        month=month,
        known_at=known_at,
        zone=zone,
        rules=rules,
        meta=pd.DataFrame({name: pd.Series(dtype=kind) for name, kind in _META.items()}),
        enforce_metadata=False,
    )
    with _Told(progress, len(files)), dask.config.set({"dataframe.convert-string": False}):
        long = rows.compute(scheduler=scheduler)
    long = pd.concat([long, wrong.astype({"value": float})]) if len(wrong) else long
    return _figures(long), _form(long)


def _fault_of(file: Path, *, month: date, known_at: datetime, zone: tzinfo) -> dict[str, Any] | None:
    """Return why a township cannot be measured for the month and the instant; None: it can."""
    try:
        about = read_township(file)
    except InputError as error:
        return _fault(file.stem, "", str(error))
    if about.month != f"{month:%Y-%m}":
        return _fault(about.code, about.name, t("review.error_other_month", month=about.month))
    if about.known_at > known_at:
        local = f"{about.known_at.astimezone(zone):%Y-%m-%d %H:%M}"
        return _fault(about.code, about.name, t("review.error_known_after", known_at=local))
    return None


def _fault(code: str, name: str, said: str) -> dict[str, Any]:
    return {"township_code": code, "township": name, "part": FAULT, "key": FAULT, "value": None, "said": said}


class _Told(Callback):
    """Tells how many townships are done."""

    def __init__(self, progress: Callable[[int, int], None], n_townships: int) -> None:
        super().__init__(posttask=self._after)  # type: ignore[no-untyped-call]
        self._tell, self._n_townships, self._n_done = progress, n_townships, 0

    def _after(self, key: Any, result: Any, *_: Any) -> None:
        del key
        if isinstance(result, pd.DataFrame) and "part" in result and self._n_done < self._n_townships:
            self._n_done += 1
            self._tell(self._n_done, self._n_townships)


def township_rows(
    townships: pd.DataFrame, *, folder: str, month: date, known_at: datetime, zone: tzinfo, rules: Rules
) -> pd.DataFrame:
    """Return the figures of the townships of one partition, one row a value; a township that cannot be measured says why.

    Parameters
    ----------
    townships
        A row a township.
    folder, month, known_at, zone, rules
        See `review_province`.

    Returns
    -------
    DataFrame
        `township_code`, `township`, `part` (`figure`, `form`, `fault`), `key`, `value`, `said`.
    """
    rows: list[dict[str, Any]] = []
    columns = ["township_code", "name", "metric_epsg", "has_new_plan", "known_at"]
    for code, name, epsg, has_new_plan, exported_at in townships[columns].itertuples(index=False, name=None):
        # Nothing that was recorded after the export is there: the figures are of its instant.
        known = min(known_at, datetime.fromisoformat(exported_at))
        named = {"township_code": str(code), "township": str(name)}
        try:
            frames = read_frames(Path(folder), str(code), has_new_plan=bool(has_new_plan))
            booked = read_booked(Path(folder), str(code))
            metric = in_metres(frames, epsg=int(epsg))
            review = review_of(metric, month, known_at=known, zone=zone, rules=rules)
        except GridmapError as error:
            rows.append(_fault(str(code), str(name), str(error)))
            continue
        except (ValueError, KeyError, OSError) as error:
            said = t("review.error_layers_disagree", said=f"{type(error).__name__}: {str(error)[:120]}")
            rows.append(_fault(str(code), str(name), said))
            continue
        rows += [named | row for row in _rows_of(review, booked)]
    return pd.DataFrame(rows, columns=list(_META)).astype({"value": float})


def _rows_of(review: Review, booked: pd.Series) -> list[dict[str, Any]]:
    figures = [
        {"part": FIGURE, "key": str(key), "value": number(value), "said": None}
        for row in (review_row(review), booked)
        for key, value in row.items()
    ]
    forms = []
    if review.measures["disputes.n_new"].value is not None:
        now, before = (
            new_counts(month.cases.assign(category=month.cases["category"].fillna("")), by=["category"], kind=DISPUTE)
            for month in (review.now, review.before)
        )
        is_known = review.before.measures["disputes.n_new"].value is not None
        for category in now.index.union(before.index):
            counts = {name: float(now[name].get(category, 0)) for name in now}
            counts["n_previous"] = float(before["n_new"].get(category, 0)) if is_known else float("nan")
            forms += [
                {"part": FORM, "key": name, "value": number(value), "said": str(category)}
                for name, value in counts.items()
            ]
    return figures + forms


def _figures(long: pd.DataFrame) -> pd.DataFrame:
    names = long.groupby("township_code")["township"].first()
    told = long[long["part"] == FIGURE]
    order = list(dict.fromkeys(told["key"]))
    wide = told.pivot_table(index="township_code", columns="key", values="value", dropna=False, aggfunc="first")
    wide = wide.reindex(index=names.index, columns=order)
    faults = long[long["part"] == FAULT].set_index("township_code")["said"].reindex(names.index)
    return pd.concat([names, faults.rename("fault"), wide], axis=1)


def _form(long: pd.DataFrame) -> pd.DataFrame:
    columns = ["n_new", "n_settled", "n_unsettled", "n_previous"]
    told = long[long["part"] == FORM].rename(columns={"said": "category"})
    wide = told.pivot_table(
        index=["township_code", "category"], columns="key", values="value", dropna=False, aggfunc="first"
    )
    wide = wide.reindex(columns=columns).dropna(subset="n_new")
    return wide.assign(change=wide["n_new"] - wide["n_previous"])
