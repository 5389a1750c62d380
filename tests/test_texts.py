"""The catalogue: both languages say the same things, and every key that is used exists."""

import ast
import string
from pathlib import Path

import pytest

from gridmap.texts import catalogue, t, use_language

PROJECT = Path(__file__).parent.parent
SOURCES = [*PROJECT.glob("gridmap/**/*.py"), *PROJECT.glob("pages/*.py"), PROJECT / "app.py"]


def _fields(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


def test_both_languages_have_the_same_keys():
    assert set(catalogue("zh")) == set(catalogue("en"))


def test_every_text_says_something_with_the_same_values_in_both_languages():
    zh, en = catalogue("zh"), catalogue("en")
    assert [key for key in zh if not (zh[key].strip() and en[key].strip())] == []
    assert [key for key in zh if _fields(zh[key]) != _fields(en[key])] == []


def _used_keys() -> list[tuple[str, str]]:
    """Every constant key that the program hands to `t`, with the file that does."""
    calls = [
        (file.name, node)
        for file in SOURCES
        if file.exists()
        for node in ast.walk(ast.parse(file.read_text("utf-8")))
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "t" and node.args
    ]
    return [(name, str(call.args[0].value)) for name, call in calls if isinstance(call.args[0], ast.Constant)]


def test_every_key_that_is_used_exists():
    assert [(file, key) for file, key in _used_keys() if key not in catalogue("zh")] == []


def _written(file: Path) -> str:
    """The code of a file without its docstrings."""
    tree = ast.parse(file.read_text("utf-8"))
    strings = [node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)]
    docs = {
        ast.get_docstring(node, clean=False)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef)
    }
    return "\n".join(text for text in strings if text not in docs)


@pytest.mark.parametrize("file", [file for file in SOURCES if "pages" in file.parts or "ui" in file.parts], ids=str)
def test_screens_hold_no_chinese_of_their_own(file: Path):
    assert not [sign for sign in _written(file) if "一" <= sign <= "鿿"]


def test_a_chosen_language_is_spoken():
    use_language("en")
    assert t("load.households") == "Households"
    use_language("zh")
    assert t("load.households") == "住户"


def test_an_unknown_language_is_refused():
    with pytest.raises(ValueError, match="language"):
        use_language("fr")
