"""Photos: decoded in the child process and written anew with nothing but their pixels; bombs and other files refused."""

import io
import struct
import zlib

import pytest
from PIL import Image, PngImagePlugin

from gridmap.errors import InputError
from gridmap.ingest.limits import Limits
from gridmap.ingest.sandbox import read_photos

LIMITS = Limits(memory_mb=1536, cpu_s=15, wall_s=30.0)


def _read(*contents: bytes, max_px: int = 200, max_pixels: int = 1_000_000):
    names = [f"照片{number}" for number in range(1, len(contents) + 1)]
    return read_photos(contents, names=names, limits=LIMITS, max_px=max_px, max_pixels=max_pixels)


def _written(image: Image.Image, kind: str, **options) -> bytes:
    written = io.BytesIO()
    image.save(written, kind, **options)
    return written.getvalue()


def _bomb(width: int, height: int) -> bytes:
    """A PNG of a few kilobytes that claims and holds a picture of many pixels."""

    def part(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    header = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    pixels = zlib.compress(b"\x00" * (width // 8 + 1) * height, 9)
    return b"\x89PNG\r\n\x1a\n" + part(b"IHDR", header) + part(b"IDAT", pixels) + part(b"IEND", b"")


SQUARE = Image.new("RGB", (30, 30), "red")


@pytest.mark.parametrize(
    "content",
    [
        _written(SQUARE, "JPEG", comment=b"secret place"),
        _written(SQUARE, "JPEG", exif=b"Exif\x00\x00MM\x00*\x00\x00\x00\x08\x00\x00secret place"),
        _written(SQUARE, "JPEG", icc_profile=b"secret place"),
        _written(SQUARE, "JPEG") + b"secret place",
        _written(SQUARE, "WEBP", exif=b"Exif\x00\x00secret place"),
        _written(SQUARE, "WEBP", xmp=b"<x>secret place</x>"),
    ],
    ids=["comment", "exif", "profile", "appended", "webp exif", "webp xmp"],
)
def test_nothing_but_the_pixels_is_kept(content: bytes):
    assert b"secret place" in content
    (photo,) = _read(content)
    kept = Image.open(io.BytesIO(photo.content))
    assert b"secret" not in photo.content
    assert (kept.format, kept.size, kept.size) == ("JPEG", (30, 30), (photo.width_px, photo.height_px))
    assert set(kept.info) <= {"jfif", "jfif_version", "jfif_unit", "jfif_density"}
    assert kept.getpixel((15, 15))[0] > 200


def test_texts_of_a_png_are_not_kept():
    notes = PngImagePlugin.PngInfo()
    notes.add_text("GPS", "secret place")
    (photo,) = _read(_written(SQUARE, "PNG", pnginfo=notes))
    assert b"secret" not in photo.content


@pytest.mark.parametrize("mode", ["1", "L", "P", "LA", "RGBA", "CMYK", "I;16"])
def test_pictures_of_every_mode_become_plain_ones(mode: str):
    kind = "JPEG" if mode == "CMYK" else "PNG"
    (photo,) = _read(_written(Image.new(mode, (20, 10)), kind))
    assert Image.open(io.BytesIO(photo.content)).mode == "RGB"


def test_what_is_transparent_becomes_white():
    (photo,) = _read(_written(Image.new("RGBA", (20, 10), (0, 0, 0, 0)), "PNG"))
    assert Image.open(io.BytesIO(photo.content)).getpixel((5, 5)) == (255, 255, 255)


def test_of_moving_pictures_the_first_is_kept():
    frames = [Image.new("RGB", (20, 20), colour) for colour in ("red", "blue")]
    (photo,) = _read(_written(frames[0], "WEBP", save_all=True, append_images=frames[1:]))
    assert Image.open(io.BytesIO(photo.content)).getpixel((5, 5))[0] > 200


def test_several_are_read_in_their_order_and_made_no_larger():
    sizes = [(30, 30), (400, 100), (100, 800)]
    photos = _read(*(_written(Image.new("RGB", size), "JPEG") for size in sizes))
    assert [(photo.width_px, photo.height_px) for photo in photos] == [(30, 30), (200, 50), (25, 200)]
    assert _read() == []


def test_a_bomb_of_pixels_is_refused_by_its_header():
    bomb = _bomb(60_000, 60_000)
    assert len(bomb) < 1_000_000
    with pytest.raises(InputError, match=r"照片2.*60000 × 60000"):
        _read(_written(SQUARE, "PNG"), bomb)


@pytest.mark.parametrize(
    "content",
    [
        b"", b"text", _written(SQUARE, "GIF"), _written(SQUARE, "TIFF"), _written(SQUARE, "BMP"), _written(SQUARE, "PDF"),
        b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 30 30\n", _written(SQUARE, "JPEG")[:200], _bomb(100, 100)[:60],
        b"\xff\xd8\xff\xe0" + bytes(100),
    ],
    ids=["empty", "text", "gif", "tiff", "bmp", "pdf", "eps", "cut jpeg", "cut png", "jpeg in name only"],
)  # fmt: skip
def test_what_is_no_photo_is_refused_by_name(content: bytes):
    with pytest.raises(InputError, match="照片1 is not a picture"):
        _read(content)
