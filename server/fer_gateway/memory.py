"""Memory that models leave behind, given back to the system where the C library is glibc."""

import ctypes
import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager

_TRIM_THRESHOLD, _MMAP_THRESHOLD, _ARENA_MAX = -1, -3, -8  # of `mallopt`, in <malloc.h>
_SMALL_BYTES = 64 * 1024
_LARGE_BYTES = 32 * 1024 * 1024  # the largest that glibc takes, and where its own adaptation ends


def one_heap() -> None:
    """Let all threads share one heap, from the start of a process that opens models again and again.

    glibc gives threads heaps of their own, and each model that is opened in another thread leaves gaps in
    another one: 27 MiB more after 25 swaps and still growing, against 10 after the first five and no more.
    """
    library = _glibc()
    if library is not None:
        library.mallopt(_ARENA_MAX, 1)


@contextmanager
def lean_loading() -> Iterator[None]:
    """In the block, large pieces of memory come from the system one by one and go back as soon as freed.

    Else what reading and optimising a model frees stays with the process, and in pieces between what lives.
    Afterwards they come from the heap, as glibc itself arranges it: pictures would cost page faults.
    """
    library = _glibc()
    if library is None:
        yield
        return
    library.mallopt(_MMAP_THRESHOLD, _SMALL_BYTES)
    library.mallopt(_TRIM_THRESHOLD, _SMALL_BYTES)
    try:
        yield
    finally:
        library.mallopt(_MMAP_THRESHOLD, _LARGE_BYTES)
        library.mallopt(_TRIM_THRESHOLD, 2 * _LARGE_BYTES)
        library.malloc_trim(0)


def give_back_memory() -> None:
    """Collect what holds old models, and return what is free to the system.

    Streams that have ended lie in cycles, each with the model that it last had: with eight that come and
    go, memory grew by 40 MiB a swap. And glibc keeps what is free unless it is told otherwise.
    """
    gc.collect()
    library = _glibc()
    if library is not None:
        library.malloc_trim(0)


def _glibc() -> ctypes.CDLL | None:
    library = ctypes.CDLL(None) if sys.platform == "linux" else None
    return library if hasattr(library, "mallopt") and hasattr(library, "malloc_trim") else None
