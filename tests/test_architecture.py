"""The order of the layers (docs/architecture.md), held by reading every import of the program."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

PROJECT = Path(__file__).parent.parent

# Each layer may import those of lower rank and its own; siblings of one rank do not know each other.
RANKS = {
    "app": 9,
    "pages": 8,
    "gridmap.ui": 7,
    "gridmap.api": 7,
    "gridmap.cli": 7,
    "gridmap.exports": 6,
    "gridmap.actions": 6,
    "gridmap.reports": 5,
    "gridmap.analysis": 4,
    "gridmap.planning": 4,
    "gridmap.store": 4,
    "gridmap.ingest": 4,
    "gridmap.maps": 4,
    "gridmap.frames": 3,
    "gridmap.workdays": 3,
    "gridmap.crs": 2,
    "gridmap.codes": 2,
    "gridmap.texts": 2,
    "gridmap.settings": 1,
    "gridmap.errors": 0,
}
ONLY_IN = {
    "streamlit": {"gridmap.ui", "pages", "app"},
    "sqlalchemy": {"gridmap.store", "gridmap.reports", "gridmap.actions", "gridmap.ui", "gridmap.api", "gridmap.cli"},
    "psycopg": {"gridmap.store", "gridmap.ui"},
    "geoalchemy2": {"gridmap.store"},
    "alembic": {"gridmap.store"},
    "pyogrio": {"gridmap.ingest"},
    "openpyxl": {"gridmap.ingest"},
    "python_calamine": {"gridmap.ingest"},
    "xlsxwriter": {"gridmap.exports"},
    "pydeck": {"gridmap.maps"},
    "folium": {"gridmap.maps"},
    "branca": {"gridmap.maps"},
    "streamlit_folium": {"gridmap.ui"},
    "matplotlib": {"gridmap.maps", "gridmap.exports"},
    "typer": {"gridmap.cli"},
    "httpx": {"gridmap.ingest"},
    "limits": {"gridmap.api"},
    "docx": {"gridmap.exports"},
    "typst": {"gridmap.exports"},
    "segno": {"gridmap.exports"},
    "dask": {"gridmap.reports"},
    "dask_geopandas": {"gridmap.reports"},
    "starlette": {"app", "gridmap.api"},
}
PURE = ("gridmap.analysis", "gridmap.planning")
CLOCK_AND_CHANCE = {"time", "random", "secrets", "pathlib", "os", "io", "tempfile"}
MAX_LINES = {"app": 60, "pages": 80}
MAX_MODULE_LINES = 400


def _modules() -> dict[str, Path]:
    files = [*PROJECT.glob("gridmap/**/*.py"), *PROJECT.glob("pages/*.py"), *PROJECT.glob("app.py")]
    found = {}
    for file in files:
        relative = file.relative_to(PROJECT).with_suffix("")
        if "migrations" not in relative.parts:
            found[".".join(part for part in relative.parts if part != "__init__")] = file
    return found


MODULES = _modules()


def layer_of(module: str) -> str | None:
    """The layer a module stands in: the longest name in RANKS that it starts with."""
    fitting = [name for name in RANKS if module == name or module.startswith(f"{name}.")]
    return max(fitting, key=len, default=None)


@cache
def _nodes(module: str) -> list[ast.AST]:
    return list(ast.walk(ast.parse(MODULES[module].read_text("utf-8"))))


def _imports(module: str) -> Iterator[str]:
    for node in _nodes(module):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


@pytest.mark.parametrize("module", sorted(set(MODULES) - {"gridmap"}))
def test_a_module_has_a_place_and_imports_point_down(module: str):
    layer = layer_of(module)
    assert layer is not None, f"{module} has no place in docs/architecture.md: mend the design and RANKS together"
    for imported in _imports(module):
        target = layer_of(imported)
        if target is None or target == layer:
            continue
        assert RANKS[target] < RANKS[layer], f"{module} imports {imported}: imports point down only"


@pytest.mark.parametrize("module", sorted(MODULES))
def test_libraries_stay_where_they_belong(module: str):
    for imported in _imports(module):
        allowed = ONLY_IN.get(imported.split(".")[0])
        assert allowed is None or layer_of(module) in allowed, f"{module} must not import {imported}"


@pytest.mark.parametrize("module", [name for name in sorted(MODULES) if layer_of(name) in PURE])
def test_analysis_knows_no_clock_file_or_chance(module: str):
    assert not {name.split(".")[0] for name in _imports(module)} & CLOCK_AND_CHANCE


@pytest.mark.parametrize("module", sorted(MODULES))
def test_modules_stay_small(module: str):
    lines = len(MODULES[module].read_text("utf-8").splitlines())
    assert lines <= MAX_LINES.get(layer_of(module) or "", MAX_MODULE_LINES)


@pytest.mark.parametrize("module", sorted(set(MODULES) - {"gridmap.settings"}))
def test_only_settings_reads_the_environment(module: str):
    names = {node.attr for node in _nodes(module) if isinstance(node, ast.Attribute)}
    # The sandbox hands on what its child needs; the command line tells Arrow, before it starts, whose memory to use.
    allowed = {"gridmap.ingest.sandbox", "gridmap.ingest.sandbox_child", "gridmap.cli.main"}
    assert module in allowed or not names & {"environ", "getenv"}


@pytest.mark.parametrize("module", [name for name in sorted(MODULES) if name.startswith("pages")])
def test_a_page_asks_for_its_role_first_and_has_no_try(module: str):
    tree = ast.parse(MODULES[module].read_text("utf-8"))
    statements = [node for node in tree.body if not isinstance(node, ast.Import | ast.ImportFrom)]
    first_call = statements[1]
    assert isinstance(first_call, ast.Expr)
    assert isinstance(first_call.value, ast.Call)
    assert getattr(first_call.value.func, "id", "") == "require_role"
    assert not [node for node in ast.walk(tree) if isinstance(node, ast.Try)]


def test_nothing_in_the_repository_names_a_registry_or_this_machine():
    forbidden = ("pypi" + ".org", "registry.npm" + "js", "/ro" + "ot/", "/wo" + "rk/", "files.python" + "hosted")
    skipped = {".git", ".venv", "var", "node_modules", ".mypy_cache", ".ruff_cache", ".pytest_cache", ".hypothesis"}
    for file in PROJECT.rglob("*"):
        if (
            not file.is_file()
            or skipped & set(file.relative_to(PROJECT).parts)
            or file.suffix in {".png", ".pyc", ".nbi", ".nbc"}
        ):
            continue
        content = file.read_bytes()
        assert not [word for word in forbidden if word.encode() in content], f"{file.name} names one of {forbidden}"
