"""Layer `tracks`: GPS fixes of patrols (巡查轨迹), from GPX, a table, or points with a time.

They serve visits of checkpoints and lanes that nobody walked; a person's way is shown nowhere.
"""

import datetime as dt
from collections.abc import Mapping

from gridmap.ingest.columns import Column, Part
from gridmap.ingest.layers.layer import Layer, Taken, frame_of
from gridmap.ingest.layers.moments import happened_at
from gridmap.ingest.ledger import Ledger
from gridmap.ingest.positions import Given, place_points

PART = Part(
    name="tracks",
    columns=(
        Column(target="track_code", headers=("轨迹编号", "轨迹", "轨迹号", "巡查编号", "track", "track_id")),
        Column(target="staff_id", headers=("账号", "帐号", "userid", "user_id", "account")),
        Column(target="happened_at", headers=("时间", "定位时间", "轨迹时间", "time", "timestamp")),
        Column(target="accuracy_m", headers=("定位精度", "精度", "accuracy"), is_required=False),
    ),
    place="point",
)
_MAX_ACCURACY_M = 100_000


def read_tracks(ledgers: Mapping[str, Ledger], given: Given, zone: dt.tzinfo) -> tuple[Taken, ...]:
    """Read the fixes; the first of two of a track at one instant is taken."""
    ledger = ledgers["tracks"]
    ledger.refuse_duplicates()
    track_code = ledger.code("track_code")
    staff_id = ledger.code("staff_id")
    if given.context is not None and given.context.staff_ids:
        ledger.refuse(~staff_id.isin(given.context.staff_ids).to_numpy(), "unknown_staff", target="staff_id")
    instants = happened_at(ledger, zone)
    accuracy = ledger.number("accuracy_m")
    outside = accuracy.notna().to_numpy() & ~accuracy.between(0, _MAX_ACCURACY_M).to_numpy()
    ledger.refuse(outside, "out_of_range", target="accuracy_m", low=0, high=_MAX_ACCURACY_M)
    placed = place_points(ledger, given)
    ledger.refuse_repeated(track_code, instants, target="track_code")
    columns = {
        "track_code": track_code,
        "staff_id": staff_id,
        "happened_at": instants,
        "accuracy_m": accuracy,
    }
    return (Taken(part="tracks", frame=frame_of("tracks", columns, ledger, placed), ledger=ledger, placed=placed),)


LAYER = Layer(name="tracks", parts=(PART,), read=read_tracks)
