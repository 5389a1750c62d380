"""Fonts of this machine that know Chinese, for pictures."""

import re
from functools import cache
from pathlib import Path

from matplotlib.font_manager import findSystemFonts, fontManager

CHINESE_FACES = (
    "Noto Sans CJK SC",
    "Noto Sans SC",
    "Source Han Sans SC",
    "Source Han Sans CN",
    "Microsoft YaHei",
    "PingFang SC",
    "SimHei",
    "WenQuanYi Zen Hei",
    "Noto Sans CJK JP",
)
"""The first choice first; a Japanese face draws some Chinese signs otherwise, so it comes last."""
_FILES = re.compile(r"(Noto|SourceHan)Sans.*(CJK|SC|CN)|wqy|msyh|simhei|PingFang", re.IGNORECASE)


@cache
def chinese_faces() -> tuple[str, ...]:
    """Return the names of the Chinese fonts that are installed, the first choice first; empty: none is.

    Files are looked for anew: what matplotlib remembers of a machine may be older than its fonts.
    """
    known = {font.name for font in fontManager.ttflist}
    if not known & set(CHINESE_FACES):
        for file in findSystemFonts():
            if _FILES.search(Path(file).name):
                fontManager.addfont(file)
        known = {font.name for font in fontManager.ttflist}
    return tuple(name for name in CHINESE_FACES if name in known)
