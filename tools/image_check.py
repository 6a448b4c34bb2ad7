"""Image files, decoded one by one in parallel processes: which are no good."""
from __future__ import annotations

import hashlib
import os
import signal
import time
import warnings
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from threading import Thread
from typing import Iterator, NamedTuple, Sequence

from PIL import Image
from progress import progress_bar

from mmgh.input_error import InputError

# With what a file of each format begins: a file's name may lie.
BEGINNINGS = (b'\xff\xd8\xff', b'\x89PNG\r\n\x1a\n', b'BM', b'GIF8', b'RIFF',
              b'P2', b'P3', b'P5', b'P6', b'II*\0', b'MM\0*')
# Errors of Pillow's decoders, which have no common type.
UNDECODABLE = (OSError, SyntaxError, ValueError, EOFError, IndexError,
               Image.DecompressionBombError)
SMALL = 32
# Starting processes for fewer images would take longer than decoding them.
WORTH_PROCESSES = 200

EMPTY = 'are empty'
NO_IMAGE = 'are no images'
BROKEN = 'cannot be decoded'
UNREAD = 'cannot be read by {}, which reads them for the training'
SEVERAL = 'have several pictures in one file, of which the first counts'
TRANSPARENT = 'have transparency, which is left out'
DEEP = 'have 16 bits a channel, of which the upper 8 are kept'
WHITE = ('have 16 bits a channel, and what is above 255 becomes white: Pillow '
         'reads them for the training')
FRACTIONAL = 'have pixels of 32 bits, of which the training may see little'
PRINTED = 'have the four colours of print (CMYK), and are converted'
TINY = f'are smaller than {SMALL} pixels'


# What reads images for a training, by its name in the config.
OPENCV, PILLOW = 'cv2', 'pillow'
_NAMES = {OPENCV: 'OpenCV', PILLOW: 'Pillow'}


class Seen(NamedTuple):
    """What there is to say of an image file, as verbs for several of them."""

    flaw: str = ''
    """Why it cannot be trained on; empty if it can."""
    oddities: tuple[str, ...] = ()
    """What one might not expect of it."""
    pixels: str = ''
    """A digest, equal for equal pixels."""


def look_at(path: Path, backends: Sequence[str] = (OPENCV, )) -> Seen:
    """Decode an image file by Pillow, which is strict, and as the training
    does.

    Args:
        path (Path): The file.
        backends (Sequence[str]): What reads it for training and validation,
            as ``imdecode_backend`` of ``LoadImageFromFile``. Defaults to that
            of MMEngine's configs.
    """
    flaw = flaw_of_bytes(path)
    if flaw:
        return Seen(flaw)
    try:
        # Of large images, and of metadata that nothing reads.
        with warnings.catch_warnings(), Image.open(path) as image:
            warnings.simplefilter('ignore')
            image.load()
            oddities = tuple(_oddities(image, backends))
    except UNDECODABLE:
        return Seen(BROKEN)
    pixels = [_pixels_of_training(path, backend) for backend in backends]
    if all(pixels):
        return Seen('', oddities, pixels[0])
    failed = backends[pixels.index('')]
    return Seen(UNREAD.format(_NAMES.get(failed, failed)))


def flaw_of_bytes(path: Path) -> str:
    """Tell by its first bytes what is wrong with an image file; an empty
    string if nothing is."""
    with open(path, 'rb') as file:
        beginning = file.read(16)
    if not beginning:
        return EMPTY
    return '' if beginning.startswith(BEGINNINGS) else NO_IMAGE


def _oddities(image: Image.Image, backends: Sequence[str]) -> Iterator[str]:
    # MPO: cameras add a preview to a JPEG.
    if getattr(image, 'n_frames', 1) > 1 and image.format != 'MPO':
        yield SEVERAL
    if image.mode in ('RGBA', 'LA', 'PA') or 'transparency' in image.info:
        yield TRANSPARENT
    if image.mode.startswith('I'):
        yield WHITE if PILLOW in backends else DEEP
    if image.mode == 'F':
        yield FRACTIONAL
    if image.mode == 'CMYK':
        yield PRINTED
    if min(image.size) < SMALL:
        yield TINY


def _pixels_of_training(path: Path, backend: str) -> str:
    """Digest what LoadImageFromFile gives; an empty string if it fails."""
    # Not for --help.
    import mmcv
    try:
        image = mmcv.imfrombytes(
            path.read_bytes(), flag='color', backend=backend)
    except Exception:  # decoders name no common type
        return ''
    if image is None:
        return ''
    digest = hashlib.blake2b(repr(image.shape).encode(), digest_size=16)
    digest.update(image.tobytes())
    return digest.hexdigest()


def look_at_all(paths: Sequence[Path],
                title: str,
                processes: int | None = None,
                backends: Sequence[str] = (OPENCV, )) -> list[Seen]:
    """Decode image files with a progress bar.

    Args:
        paths (Sequence[Path]): Of N images.
        title (str): What the bar says.
        processes (int, optional): How many decode at a time. Defaults to
            None: one a CPU, or none besides this one for a few images.
        backends (Sequence[str]): See :func:`look_at`.

    Returns:
        list[Seen]: Of the N images, in their order.

    Raises:
        InputError: If decoding ends a process.
    """
    if processes is None:
        processes = len(os.sched_getaffinity(0)) if hasattr(
            os, 'sched_getaffinity') else os.cpu_count() or 1
        if len(paths) < WORTH_PROCESSES:
            processes = 1
    with progress_bar(title, len(paths)) as advance:
        seen = []
        for one in _looking(paths, processes, backends):
            seen.append(one)
            advance(1)
    return seen


def _looking(paths: Sequence[Path], processes: int,
             backends: Sequence[str]) -> Iterator[Seen]:
    look = partial(look_at, backends=tuple(backends))
    if processes == 1:
        yield from map(look, paths)
        return
    import mmcv  # noqa: F401, once for all processes
    pool = ProcessPoolExecutor(
        processes,
        get_context('fork'),
        initializer=_begin,
        initargs=(os.getpid(), ))
    try:
        with _one_thread_of_opencv(), warnings.catch_warnings():
            # Of threads in this process: those of libraries, which wait.
            warnings.simplefilter('ignore', DeprecationWarning)
            found = pool.map(look, paths, chunksize=8)
        yield from found
    except BrokenProcessPool as error:
        raise InputError(
            'Images should be decoded, but a process that did was killed: '
            'there is too little memory, or a file that its decoder fails '
            'at.') from error
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


@contextmanager
def _one_thread_of_opencv() -> Iterator[None]:
    """Let copies of this process have one.

    Threads that wait are not copied, but what they wait for is, and a copy
    that tells OpenCV to use fewer would wait for them without end.
    """
    import cv2
    before = cv2.getNumThreads()
    cv2.setNumThreads(1)
    try:
        yield
    finally:
        cv2.setNumThreads(before)


def _begin(parent: int) -> None:
    """Leave Ctrl+C, which reaches all processes of a terminal, to the first
    one, and end with that."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    Thread(target=_end_with, args=(parent, ), daemon=True).start()


def _end_with(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(1)
    os._exit(1)
