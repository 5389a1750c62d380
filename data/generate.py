"""Write the sample township: `python data/generate.py [--out data/sample]`."""

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from township import (
    cases,
    checkins,
    checkpoints,
    home_visits,
    hotspots,
    incidents,
    ledgers,
    staff,
    still_files,
    tracks,
    work_files,
    writers,
)
from township.town import build_town


def generate(folder: Path) -> None:
    """Write all files of the sample into `folder`; the same bytes each time."""
    folder.mkdir(parents=True, exist_ok=True)
    town = build_town()
    still_files.write_areas(folder, town)
    still_files.write_grids(folder, town)
    still_files.write_households(folder, town)
    still_files.write_paths(folder, town)
    still_files.write_water(folder, town)
    overloaded = hotspots.overloaded_grid(town)
    points = checkpoints.make_checkpoints(town)
    people = staff.make_staff(town, overloaded=overloaded)
    rows = checkins.make_checkins(town, points, people, overloaded=overloaded)
    items = incidents.make_incidents(town)
    steps = cases.make_steps(town, items, people, overloaded=overloaded)
    work_files.write_checkpoints(folder, points)
    work_files.write_staff(folder, people)
    work_files.write_incidents(folder, town, items, steps)
    tracks.write_tracks(folder, town, points, people)
    home_visits.write_home_visits(folder, town, people, overloaded=overloaded)
    ledgers.write_ledgers(folder, town, people, items)
    writers.write_json(folder / "checkins.json", {"errcode": 0, "errmsg": "ok"}, rows=rows)


def main() -> None:
    """Read the command line and write the files."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "sample")
    generate(parser.parse_args().out)


if __name__ == "__main__":
    main()
