"""Files that a user, a bad disk or an attacker may hand to the driver: whole ones of every kind, and damaged ones."""

import io
import zipfile
from collections.abc import Iterator

import numpy as np
from PIL import Image


def whole_files() -> dict[str, bytes]:
    """Return a small file of every kind that the driver reads, by name."""
    random = np.random.default_rng(0)
    pictures = {
        "RGB": Image.fromarray(random.integers(0, 256, (12, 9, 3), dtype=np.uint8)),
        "L": Image.fromarray(random.integers(0, 256, (12, 9), dtype=np.uint8)),
        "I;16": Image.fromarray(random.integers(0, 1 << 16, (12, 9), dtype=np.uint16)),
    }
    pictures["P"] = pictures["RGB"].quantize(16)
    pictures["RGBA"] = pictures["RGB"].convert("RGBA")
    pictures["1"] = pictures["L"].convert("1")
    wanted = [
        *(("png", mode, {}) for mode in pictures),
        *(("jpg", mode, {}) for mode in ("RGB", "L")),
        *(("bmp", mode, {}) for mode in ("RGB", "L", "P", "1")),
        *(("gif", mode, {}) for mode in ("P", "L")),
        *(("tif", mode, {}) for mode in ("RGB", "I;16", "1")),
        *(("tif", "RGB", {"compression": method}) for method in ("tiff_lzw", "tiff_adobe_deflate", "packbits", "jpeg")),
        *(("webp", mode, {}) for mode in ("RGB", "RGBA")),
        ("webp", "RGB", {"lossless": True}),
        ("ppm", "RGB", {}),
        ("pgm", "L", {}),
    ]
    files = {}
    for number, (kind, mode, options) in enumerate(wanted):
        stream = io.BytesIO()
        name = {"jpg": "JPEG", "tif": "TIFF", "pgm": "PPM"}.get(kind, kind.upper())
        pictures[mode].save(stream, name, **options)
        files[f"{number}.{kind}"] = stream.getvalue()
    arrays = random.integers(0, 256, (5, 8, 6), dtype=np.uint8)
    for name, write in (("a.npy", np.save), ("b.npz", np.savez), ("c.npz", np.savez_compressed)):
        stream = io.BytesIO()
        write(stream, arrays) if write is np.save else write(stream, images=arrays, labels=np.arange(5))
        files[name] = stream.getvalue()
    for method in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA):
        stream = io.BytesIO()
        with zipfile.ZipFile(stream, "w", method) as archive:
            archive.writestr("x.png", files["0.png"] * 4)
            archive.writestr("y.bmp", files["8.bmp"])
        files[f"z{method}.zip"] = stream.getvalue()
    return files


def damaged(content: bytes, random: np.random.Generator) -> bytes:
    """Return the content after one to three of: a cut, changed bytes, extreme numbers, a part twice, a part less."""
    for _ in range(random.integers(1, 4)):
        if not content:
            break
        changed = bytearray(content)
        at = int(random.integers(0, min(len(content), 200 if random.random() < 0.5 else len(content))))
        kind = random.integers(0, 5)
        if kind == 0:
            del changed[at:]
        elif kind == 1:
            changed[at] = int(random.integers(0, 256))
        elif kind == 2:
            extreme = (b"\0", b"\xff", b"\x7f", b"\x80", b"9")[random.integers(0, 5)]
            count = int(2 ** random.integers(0, 4))
            changed[at : at + count] = extreme * count
        elif kind == 3:
            changed[at:at] = changed[at : at + int(random.integers(1, 40))]
        else:
            del changed[at : at + int(random.integers(1, 40))]
        content = bytes(changed)
    return content


def damaged_files(count: int, seed: int) -> Iterator[tuple[str, bytes]]:
    """`count` damaged files, each as the end of its name and its content; every kind in turn."""
    random = np.random.default_rng(seed)
    whole = list(whole_files().items())
    for number in range(count):
        name, content = whole[number % len(whole)]
        yield f"{number}_{name}", damaged(content, random)
