"""The review of a province as files: a row a township, and the county's form."""

from pathlib import Path

import pandas as pd

from gridmap.errors import InputError
from gridmap.exports.tables import harmless
from gridmap.texts import t

_FORMS = (".csv", ".parquet")


def require_form(out: Path) -> None:
    """Check that a file's name is one that can be written.

    Raises
    ------
    InputError
        If it is neither CSV nor Parquet.
    """
    if out.suffix.lower() not in _FORMS:
        raise InputError(t("review.error_form", out=out.name))


def write_province(figures: pd.DataFrame, form: pd.DataFrame, out: Path) -> list[Path]:
    """Write both tables of `reports.review.province.review_province`: `NAME.csv`, `NAME-disputes.csv`.

    Returns
    -------
    list
        The files.

    Raises
    ------
    InputError
        If the file is neither CSV nor Parquet, or cannot be written.
    """
    require_form(out)
    files = [out, out.with_name(f"{out.stem}-disputes{out.suffix}")]
    try:
        for table, file in zip((figures, form), files, strict=True):
            if out.suffix.lower() == ".parquet":
                table.to_parquet(file)
            else:
                _harmless(table.reset_index()).to_csv(file, index=False, encoding="utf-8-sig")
    except OSError as error:
        raise InputError(t("review.error_unwritable", out=out)) from error
    return files


def _harmless(table: pd.DataFrame) -> pd.DataFrame:
    """Keep what a spreadsheet would take for a formula plain text."""
    safe = table.copy()
    for name in table:
        if not pd.api.types.is_numeric_dtype(table[name]):
            safe[name] = [harmless(one) if isinstance(one, str) else one for one in table[name]]
    return safe
