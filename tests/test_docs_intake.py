"""docs/intake.md names every route, field, refusal and setting of the intake, and no other field."""

import ast
import re
from pathlib import Path

import pytest
from starlette.routing import Route

from gridmap.api import intake
from gridmap.settings import Settings

PROJECT = Path(__file__).parent.parent
GUIDE = (PROJECT / "docs" / "intake.md").read_text("utf-8")
OPERATING = (PROJECT / "docs" / "operating.md").read_text("utf-8")
RAISING = [*PROJECT.glob("gridmap/actions/*.py"), *PROJECT.glob("gridmap/api/*.py")]


def _codes() -> set[str]:
    """Every word that a refusal is raised with."""
    calls = [
        node
        for file in RAISING
        for node in ast.walk(ast.parse(file.read_text("utf-8")))
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") in {"NotAccepted", "Refused", "_error"}
    ]
    words = [arg.value for call in calls for arg in call.args if isinstance(arg, ast.Constant)]
    return {word for word in words if isinstance(word, str)}


def test_every_refusal_is_explained():
    assert len(_codes()) > 25
    assert [code for code in sorted(_codes()) if f"`{code}`" not in GUIDE] == []


def test_every_route_is_explained():
    paths = [route.path for route in intake.intake_routes() if isinstance(route, Route)]
    shown = [path.replace(":int", "").replace("{photo_id}", "{id}") for path in paths if "{rest" not in path]
    assert [path for path in shown if path not in GUIDE] == []


@pytest.mark.parametrize("fields", [intake._REPORT_FIELDS, intake._CHECKIN_FIELDS, intake._STEP_FIELDS])
def test_every_field_is_explained(fields: tuple[str, ...]):
    assert [field for field in fields if f"`{field}`" not in GUIDE] == []


def test_every_setting_is_explained_with_its_default():
    ours = {name for name in Settings.__dataclass_fields__ if name.startswith(("intake_", "duplicate_"))}
    assert len(ours) == 13
    for name in ours:
        assert f"`GRIDMAP_{name.upper()}`" in OPERATING
    for name, shown in re.findall(r"\| `GRIDMAP_(INTAKE_[A-Z_]+)` \| `?([^`|]+?)`? \|", OPERATING):
        assert str(getattr(Settings(), name.lower())) == shown
