"""Which of the tables of a file is which part of a layer."""

from collections.abc import Mapping, Sequence

from gridmap.errors import InputError
from gridmap.ingest.columns import Part, Recognised, recognise, require_recognised
from gridmap.ingest.layers.layer import Layer
from gridmap.ingest.tables import RawTable
from gridmap.texts import t


def choose_tables(
    tables: Sequence[RawTable],
    layer: Layer,
    *,
    mapping: Mapping[str, str] | None,
    sheet: str | None,
    file: str,
) -> tuple[dict[str, tuple[RawTable, Recognised]], list[RawTable]]:
    """Find the one table of each part; the first part of the layer must be there.

    Returns
    -------
    tuple
        Part name → its table and how its headers fit; and the tables that nothing was found for.

    Raises
    ------
    InputError
        If there is no such sheet, two tables fit one part, the main table is missing, or another one nearly fits.
    """
    if sheet is not None:
        names = [table.name or "-" for table in tables]
        tables = [table for table in tables if table.name == sheet]
        if not tables:
            raise InputError(t("ingest.error_sheet", file=file, sheet=sheet, found=", ".join(names)))
    best = [_best_fit(table, layer.parts, mapping) for table in tables]
    chosen: dict[str, tuple[RawTable, Recognised]] = {}
    for part in layer.parts:
        fitting = [
            (table, fit) for table, fit in zip(tables, best, strict=True) if fit.part is part and not fit.missing
        ]
        visible = [pair for pair in fitting if pair[0].is_visible] or fitting
        if len(visible) > 1:
            named = ", ".join(f"`{table.name or table.file}`" for table, _ in visible)
            raise InputError(t("ingest.error_two_sheets", file=file, sheets=named))
        if visible:
            chosen[part.name] = visible[0]
    _require_parts(tables, best, layer, chosen)
    for table, fit in chosen.values():
        require_recognised(fit, file=_label(table), headers=table.headers)
    used = [table for table, _ in chosen.values()]
    return chosen, [table for table in tables if not any(table is other for other in used)]


def _best_fit(table: RawTable, parts: Sequence[Part], mapping: Mapping[str, str] | None) -> Recognised:
    """Return the fit to the part of which the table misses least and has most."""
    has_geometry = table.geometries is not None
    fits = [recognise(part, table.headers, mapping=mapping, has_geometry=has_geometry) for part in parts]
    return max(fits, key=lambda fit: (not fit.missing, len(fit.header_of) - len(fit.missing), -parts.index(fit.part)))


def _require_parts(
    tables: Sequence[RawTable], fits: Sequence[Recognised], layer: Layer, chosen: Mapping[str, object]
) -> None:
    """Refuse when the main table is missing, or when another one nearly fits: half a layer is not taken silently."""
    nearly = [
        (table, fit)
        for table, fit in zip(tables, fits, strict=True)
        if fit.missing and table.is_visible and fit.part.name not in chosen and len(fit.header_of) > len(fit.missing)
    ]
    if layer.parts[0].name in chosen and not nearly:
        return
    pairs = nearly or list(zip(tables, fits, strict=True))
    table, fit = max(pairs, key=lambda pair: len(pair[1].header_of))
    if fit.missing:
        require_recognised(fit, file=_label(table), headers=table.headers)
    raise InputError(t("ingest.error_main_part", file=table.file, part=layer.parts[0].name))


def _label(table: RawTable) -> str:
    return table.file if table.name is None else f"{table.file} [{table.name}]"
