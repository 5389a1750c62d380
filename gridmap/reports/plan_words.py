"""What a person reads of a plan's breaches."""

from collections.abc import Callable, Hashable
from typing import Any

from gridmap.planning.certificate import Violation
from gridmap.texts import t

_SHOWN = 20


def sentence(violation: Violation, *, cap: float, call: Callable[[Hashable], str] = str) -> str:
    """Return what a person reads of a breach; `call` gives the name of a grid."""
    numbers = {name: f"{value:g}" if isinstance(value, float) else value for name, value in violation.facts.items()}
    listed = ", ".join(str(unit) for unit in violation.units[:_SHOWN])
    areas = ", ".join(str(area) for area in violation.facts.get("areas", ()))
    given: dict[str, Any] = {
        **numbers,
        "grid": None if violation.grid is None else call(violation.grid),
        "unit": violation.units[0] if violation.units else "",
        "units": listed,
        "n_units": len(violation.units),
        "value": f"{violation.value:g}",
        "areas": areas,
        "cap": f"{cap:g}",
    }
    is_hole = violation.kind == "gap" and len(violation.units) == 1
    return t("plan.hole" if is_hole else f"plan.{violation.kind}", **given)
