"""Flaws and oddities of image files are told, where there are some."""
from __future__ import annotations

import os
import sys
import time
from importlib import import_module
from io import BytesIO
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from mmgh.input_error import InputError
from ..processes import SERVER
from .conftest import TOOLS

PIXELS = np.random.default_rng(0).integers(0, 255, (40, 48, 3), np.uint8)
IMAGE = Image.fromarray(PIXELS)


@pytest.fixture(scope='module')
def check(load_tool):
    return import_module('image_check')


def encoded(image: Image.Image, form: str, **options) -> bytes:
    buffer = BytesIO()
    image.save(buffer, form, **options)
    return buffer.getvalue()


JPEG = encoded(IMAGE, 'JPEG')
FLAWED = {
    'EMPTY': b'',
    'NO_IMAGE': b'<html>not found</html>',
    'BROKEN': JPEG[:len(JPEG) // 2],
}
ODD = {
    'SEVERAL': encoded(IMAGE, 'PNG', save_all=True,
                       append_images=[IMAGE.rotate(180)]),
    'TRANSPARENT': encoded(IMAGE.convert('RGBA'), 'PNG'),
    'DEEP': encoded(
        Image.fromarray(PIXELS[..., 0].astype(np.uint16) * 256), 'PNG'),
    'PRINTED': encoded(IMAGE.convert('CMYK'), 'JPEG'),
    'TINY': encoded(IMAGE.resize((48, 20)), 'PNG'),
}
PLAIN = {
    'jpg': JPEG,
    'png': encoded(IMAGE, 'PNG'),
    'bmp': encoded(IMAGE, 'BMP'),
    'gray': encoded(IMAGE.convert('L'), 'PNG'),
    'webp': encoded(IMAGE, 'WEBP'),
}


def written(folder: Path, files: dict[str, bytes]) -> list[Path]:
    paths = []
    for name, content in files.items():
        paths.append(folder / name)
        paths[-1].write_bytes(content)
    return paths


@pytest.mark.parametrize('name', FLAWED)
def test_what_cannot_be_trained_on_is_a_flaw(check, tmp_path, name):
    path, = written(tmp_path, {'a.jpg': FLAWED[name]})
    assert check.look_at(path) == check.Seen(getattr(check, name))


@pytest.mark.parametrize('name', ODD)
def test_what_one_might_not_expect_is_told(check, tmp_path, name):
    path, = written(tmp_path, {'a.png': ODD[name]})
    seen = check.look_at(path)
    assert seen.oddities == (getattr(check, name), )
    assert not seen.flaw and seen.pixels


@pytest.mark.parametrize('name', PLAIN)
def test_nothing_is_told_of_usual_images(check, tmp_path, name):
    path, = written(tmp_path, {name: PLAIN[name]})
    seen = check.look_at(path)
    assert not seen.flaw and not seen.oddities


def test_equal_pixels_are_equal_in_any_format(check, tmp_path):
    paths = written(tmp_path, {**PLAIN, 'copy': PLAIN['png']})
    digests = {path.name: check.look_at(path).pixels for path in paths}
    assert digests['png'] == digests['bmp'] == digests['copy']
    assert len(set(digests.values())) == 4


@pytest.mark.parametrize('backends, name', [
    (('cv2', ), 'OpenCV'), (('pillow', 'cv2'), 'OpenCV'),
    (('pillow', ), None)])
def test_what_reads_for_the_training_is_asked(check, tmp_path, backends,
                                              name):
    """Only Pillow reads fractions in colour."""
    path, = written(tmp_path, {'a.tif': encoded(IMAGE.convert('F'), 'TIFF')})
    seen = check.look_at(path, backends)
    assert seen.flaw == (check.UNREAD.format(name) if name else '')
    assert bool(seen.pixels) == (name is None)


def test_pillow_does_otherwise_with_16_bits(check, tmp_path):
    path, = written(tmp_path, {'a.png': ODD['DEEP']})
    mmcv = import_module('mmcv')
    read = mmcv.imfrombytes(ODD['DEEP'], flag='color', backend='pillow')
    assert set(np.unique(read)) == {0, 255}
    assert check.look_at(path, ('pillow', )).oddities == (check.WHITE, )


def test_processes_see_the_same_in_the_same_order(check, tmp_path):
    paths = written(tmp_path, {**FLAWED, **ODD, **PLAIN}) * 3
    for backends in (('cv2', ), ('pillow', )):
        assert check.look_at_all(
            paths, 'images', processes=2, backends=backends) == [
                check.look_at(path, backends) for path in paths]


def test_threads_of_opencv_that_wait_hold_nobody_up(tmp_path):
    """In a process of its own, where they are the first ones."""
    paths = written(tmp_path, PLAIN)
    process = SERVER.Process(target=_look_beside_threads, args=(paths, ))
    process.start()
    process.join(60)
    process.kill()
    process.join()
    assert process.exitcode == 0


def _look_beside_threads(paths: list[Path]) -> None:
    sys.path.insert(0, str(TOOLS))
    cv2.setNumThreads(2)
    cv2.GaussianBlur(np.zeros((2000, 2000, 3), np.uint8), (31, 31), 5)
    time.sleep(0.5)  # until its threads wait
    assert len(import_module('image_check').look_at_all(
        paths, 'images', processes=2)) == len(paths)
    assert cv2.getNumThreads() == 2
    os._exit(0)  # by a pool, Python ends a process of this kind otherwise


def test_a_process_that_ends_is_told(check, tmp_path, monkeypatch):
    """As by a decoder that fails at a file."""
    monkeypatch.setattr(check, '_begin', lambda parent: os._exit(1))
    paths = written(tmp_path, PLAIN)
    with pytest.raises(InputError, match='was killed'):
        check.look_at_all(paths, 'images', processes=2)
