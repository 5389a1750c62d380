"""Which township is meant, and what the database knows of it for the checks of what comes in."""

from typing import Any

import geopandas as gpd
import pandas as pd
from sqlalchemy import Connection, text

from gridmap.actions.platform import platform_knowledge
from gridmap.errors import InputError
from gridmap.frames import AREA_LEVELS
from gridmap.ingest.context import TownshipContext
from gridmap.store.places import (
    Township,
    read_area_ends,
    read_areas,
    read_checkpoints,
    read_households,
    read_paths,
    read_townships,
)
from gridmap.texts import t


def chosen_township(connection: Connection, township_code: str | None) -> Township:
    """Return the township of a code, or the only one.

    Raises
    ------
    InputError
        If there is none, none of that code, or several and none was chosen.
    """
    townships = read_townships(connection)
    chosen = [town for town in townships if township_code in (None, town.code)]
    if not chosen:
        raise InputError(
            t("load.error_unknown_township", township=township_code) if township_code else t("load.error_no_township")
        )
    if len(chosen) > 1:
        codes = ", ".join(town.code for town in chosen)
        raise InputError(t("load.error_which_township", codes=codes))
    return chosen[0]


def township_context(connection: Connection, township_code: str) -> TownshipContext:
    """Return what the database knows of a township, for the checks of a file."""

    def known(sql: str) -> list[Any]:
        return [tuple(row) for row in connection.execute(text(sql), {"township": township_code})]

    levels = {
        level: read_areas(connection, township_code=township_code, level=level).assign(level=level)
        for level in AREA_LEVELS
    }
    areas = gpd.GeoDataFrame(pd.concat(levels.values()).reset_index())
    ends = read_area_ends(connection, township_code=township_code)["valid_until"]
    ended = frozenset(ends.index[ends.notna()])
    # A name that an area of today bears as well is hers.
    is_ended = areas["area_code"].isin(ended)
    is_overtaken = is_ended & areas["name"].isin(areas.loc[~is_ended, "name"])
    landmarks = {
        "households": read_households(connection, township_code=township_code),
        "paths": read_paths(connection, township_code=township_code),
        "checkpoints": read_checkpoints(connection, township_code=township_code),
    }
    return TownshipContext(
        township_code=township_code,
        areas=gpd.GeoDataFrame(areas[~is_overtaken].reset_index(drop=True)),
        ended_codes=ended,
        grid_codes=frozenset(
            code for (code,) in known("SELECT grid_code FROM grid WHERE level = 3 AND township_code = :township")
        ),
        staff_ids=frozenset(code for (code,) in known("SELECT staff_id FROM staff WHERE township_code = :township")),
        category_keys=frozenset(known("SELECT category_code, list_year FROM category")),
        household_codes=frozenset(landmarks["households"].index),
        incident_codes=frozenset(
            code for (code,) in known("SELECT incident_code FROM incident WHERE township_code = :township")
        ),
        landmarks={name: rows.geometry for name, rows in landmarks.items() if len(rows)},
        **platform_knowledge(connection, township_code=township_code),
    )
