"""Folders of files that are written as a whole: either all files are there, or nothing has changed."""

import hashlib
import shutil
from collections.abc import Mapping
from pathlib import Path
from tempfile import mkdtemp

from gridmap.errors import InputError
from gridmap.texts import t

SUMS = "SHA256SUMS"
"""The list of the files of a folder, as `sha256sum -c` reads it."""


def require_room(out: Path) -> None:
    """Check that a folder may be written: it is not there, is empty, or holds what was written before and nothing else.

    Raises
    ------
    InputError
        If it holds a file that is not on its list or was changed, or is no folder.
    """
    if not out.exists():
        return
    if not out.is_dir():
        raise InputError(t("review.error_out", out=out))
    listed = _listed(out / SUMS)
    for file in sorted(out.rglob("*")):
        name = file.relative_to(out).as_posix()
        if file.is_dir() or name == SUMS:
            continue
        if file.is_symlink() or listed.get(name) != hashlib.sha256(file.read_bytes()).hexdigest():
            raise InputError(t("review.error_out_taken", out=out, file=name))


def replace_folder(out: Path, files: Mapping[str, bytes]) -> list[Path]:
    """Write files and their list into a folder beside, and put it in the place of the one that was there.

    Parameters
    ----------
    out
        See `require_room`.
    files
        Contents by names with `/`.

    Returns
    -------
    list
        The files, in order, and the list of them.

    Raises
    ------
    InputError
        If `out` may not be replaced or cannot be written to.
    """
    require_room(out)
    sums = "".join(f"{hashlib.sha256(content).hexdigest()}  {name}\n" for name, content in files.items())
    place = out.absolute()
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        beside = Path(mkdtemp(prefix=f".{place.name}-", dir=place.parent))
        try:
            _fill(beside / "new", {**files, SUMS: sums.encode()})
            if place.exists():
                place.rename(beside / "old")
            try:
                (beside / "new").rename(place)
            except OSError:
                if (beside / "old").exists():
                    (beside / "old").rename(place)
                raise
        finally:
            shutil.rmtree(beside, ignore_errors=True)
    except OSError as error:
        raise InputError(t("review.error_out", out=out)) from error
    return [out / name for name in (*files, SUMS)]


def _fill(folder: Path, files: Mapping[str, bytes]) -> None:
    for name, content in files.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)


def _listed(sums: Path) -> dict[str, str]:
    if not sums.is_file():
        return {}
    lines = [line.split("  ", 1) for line in sums.read_text("utf-8", errors="replace").splitlines()]
    return {line[1]: line[0] for line in lines if len(line) > 1}
