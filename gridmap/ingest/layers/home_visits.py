"""Layer `home_visits`: which household was visited when and by whom (入户走访); nobody's name, nothing that was said."""

import datetime as dt
from collections.abc import Mapping

from gridmap.ingest.columns import Column, Part
from gridmap.ingest.layers.layer import Layer, Taken, frame_of
from gridmap.ingest.layers.moments import happened_at
from gridmap.ingest.ledger import Ledger
from gridmap.ingest.positions import Given

PART = Part(
    name="home_visits",
    columns=(
        Column(
            target="household_code", headers=("户编号", "户号", "住户编号", "门牌编号", "household", "household_id")
        ),
        Column(
            target="happened_at",
            headers=("走访日期", "走访时间", "入户日期", "入户时间", "日期", "visited_on", "visited_at"),
        ),
        Column(target="staff_id", headers=("账号", "帐号", "走访人账号", "userid", "user_id", "account")),
    ),
)


def read_home_visits(ledgers: Mapping[str, Ledger], given: Given, zone: dt.tzinfo) -> tuple[Taken, ...]:
    """Read the visits; a date alone is its midnight, so one visit a day and household."""
    ledger = ledgers["home_visits"]
    ledger.refuse_duplicates()
    household = ledger.code("household_code")
    staff_id = ledger.code("staff_id")
    if given.context is not None and given.context.household_codes:
        unknown = ~household.isin(given.context.household_codes).to_numpy()
        ledger.refuse(unknown, "unknown_household", target="household_code")
    if given.context is not None and given.context.staff_ids:
        ledger.refuse(~staff_id.isin(given.context.staff_ids).to_numpy(), "unknown_staff", target="staff_id")
    instants = happened_at(ledger, zone)
    ledger.refuse_repeated(household, instants, target="household_code")
    columns = {"household_code": household, "staff_id": staff_id, "happened_at": instants}
    return (Taken(part="home_visits", frame=frame_of("home_visits", columns, ledger), ledger=ledger),)


LAYER = Layer(name="home_visits", parts=(PART,), read=read_home_visits)
