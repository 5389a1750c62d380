"""The generator writes what the repository holds, every time."""

import subprocess
import sys
import zipfile

import pytest

LIMIT_BYTES = 6 * 1024 * 1024


@pytest.fixture(scope="module")
def again(tmp_path_factory, sample):
    folder = tmp_path_factory.mktemp("sample")
    subprocess.run([sys.executable, str(sample.parent / "generate.py"), "--out", str(folder)], check=True, timeout=280)
    return folder


def contents(path):
    """Bytes of a file; of a workbook the bytes of its parts, since compression differs between machines."""
    if path.suffix != ".xlsx":
        return path.read_bytes()
    with zipfile.ZipFile(path) as book:
        return {name: book.read(name) for name in book.namelist()}


def test_regenerated_files_equal_the_committed_ones(again, sample):
    assert sorted(p.name for p in again.iterdir()) == sorted(p.name for p in sample.iterdir())
    for path in sorted(sample.iterdir()):
        assert contents(path) == contents(again / path.name), path.name


def test_sample_is_small(sample):
    assert sum(path.stat().st_size for path in sample.iterdir()) <= LIMIT_BYTES
