"""A tar archive, compressed with Zstandard by the library that dpkg needs anyway, readable by its owner alone."""

import ctypes
import io
import os
import tarfile

LIBRARY = "libzstd.so.1"
LEVEL = 9


def compress(data):
    """One Zstandard frame, RFC 8878."""
    library = ctypes.CDLL(LIBRARY)
    library.ZSTD_compressBound.restype = library.ZSTD_compress.restype = ctypes.c_size_t
    library.ZSTD_compressBound.argtypes = [ctypes.c_size_t]
    library.ZSTD_compress.argtypes = [ctypes.c_char_p, ctypes.c_size_t, ctypes.c_char_p, ctypes.c_size_t, ctypes.c_int]
    bound = library.ZSTD_compressBound(len(data))
    buffer = ctypes.create_string_buffer(bound)
    size = library.ZSTD_compress(buffer, bound, data, len(data), LEVEL)
    library.ZSTD_isError.argtypes = [ctypes.c_size_t]
    if library.ZSTD_isError(size):
        raise OSError("libzstd could not compress the archive")
    return buffer.raw[:size]


def pack(files, folder, at):
    """The archive of {path: text} below `folder`, as of the instant `at` (seconds)."""
    held = io.BytesIO()
    with tarfile.open(fileobj=held, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for path, text in sorted(files.items()):
            data = (text.rstrip("\n") + "\n").encode()
            about = tarfile.TarInfo(f"{folder}/{path}")
            about.size, about.mode, about.mtime = len(data), 0o600, int(at)
            archive.addfile(about, io.BytesIO(data))
    return compress(held.getvalue())


def write(path, data):
    """Writes a new file of mode 0600; one that is there is not replaced."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
