"""wsgi.file_wrapper: files that an app gives as its answer (PEP 3333, "Optional Platform-Specific File Handling")."""
import io
import os
import stat
import sys

import gw_worker_wire as wire

# Kinds of file whose descriptor holds what read() gives: gzip.GzipFile has one, too, with other bytes in it.
_PLAIN_FILES = (io.BufferedReader, io.BufferedRandom, io.FileIO)
_LEAST = 65537  # bytes; less is sent sooner than named


class FileWrapper:
    """wsgi.file_wrapper: a file in blocks."""

    def __init__(self, filelike, block_size=wire.BLOCK):
        self.filelike = filelike
        self.block_size = block_size
        if hasattr(filelike, "close"):
            self.close = filelike.close

    def __iter__(self):
        return self

    def __next__(self):
        data = self.filelike.read(self.block_size)
        if data:
            return data
        raise StopIteration

    def span(self, length):
        """(path, first byte, count) of a real file that the gateway can open; None for anything else, or too little."""
        # What tempfile makes wraps the real one.
        file = getattr(self.filelike, "file", self.filelike)
        if type(file) not in _PLAIN_FILES or not sys.platform.startswith("linux"):
            return None
        try:
            number = file.fileno()
            found = os.fstat(number)
            if not stat.S_ISREG(found.st_mode):
                return None
            # Also right for a file that has lost its name, or whose name is another file's by now.
            first = file.tell()
            count = found.st_size - first
            if length is not None:
                if length > count:
                    return None
                count = length
            # As text: they may be longer than 32 bits.
            return ("/proc/%d/fd/%d" % (os.getpid(), number), str(first), str(count)) if count >= _LEAST else None
        except (OSError, ValueError):
            return None
