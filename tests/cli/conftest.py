"""The command line called in the test's process: one of its own for each call takes seconds."""

import subprocess
import sys
from collections.abc import Callable

import pytest
from sqlalchemy.engine import URL

from gridmap.cli.main import main
from gridmap.texts import use_language
from tests.serving import serve_from

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Run:
    """The command line called in this process, on a database."""

    def run(url: URL, *arguments: str, language: str = "en") -> subprocess.CompletedProcess[str]:
        monkeypatch.setattr(sys, "argv", ["gridmap", *arguments])
        capfd.readouterr()
        use_language(language)
        with serve_from(url, monkeypatch, LANGUAGE=language), pytest.raises(SystemExit) as left:
            main()
        said = capfd.readouterr()
        return subprocess.CompletedProcess(arguments, int(left.value.code or 0), said.out, said.err)

    return run
