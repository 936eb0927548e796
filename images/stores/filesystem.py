"""The file store: one file an image, named by the image's id.

Bytes arrive under a temporary name and get the image's name only when they are safe on the disk, so a file with an image's
name is whole. That name is given once: an upload that was thought dead and wakes up cannot write over what replaced it. Names are made of checked UUIDs and opened relative to the folder without following links.
"""

import errno
import os
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path

from images.stores.base import NoData, StoreError, StoreFull, checked, part_name

_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
_CREATE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


class FilesystemStore:
    """A folder of image files."""

    read_only = False

    def __init__(self, name: str, path: str | Path) -> None:
        self.name = name
        self.path = Path(path)
        self.path.mkdir(mode=0o750, parents=True, exist_ok=True)

    def writer(self, image_id: str, upload_id: str) -> "FileWriter":
        return FileWriter(self._folder(), checked(image_id), part_name(image_id, upload_id))

    def open(self, image_id: str) -> "FileReader":
        folder = self._folder()
        try:
            return FileReader(os.open(checked(image_id), _READ, dir_fd=folder))
        except FileNotFoundError:
            raise NoData(f"No data of image {image_id}.") from None
        except OSError as error:
            raise StoreError(f"The data of image {image_id} cannot be read: {error.strerror}.") from error
        finally:
            os.close(folder)

    def delete(self, image_id: str) -> bool:
        return self._unlink(checked(image_id))

    def discard(self, image_id: str, upload_id: str) -> None:
        self._unlink(part_name(image_id, upload_id))

    def entries(self) -> Iterator[str]:
        with os.scandir(self.path) as found:
            for entry in found:
                yield entry.name

    def free_bytes(self) -> int | None:
        return shutil.disk_usage(self.path).free

    def _folder(self) -> int:
        return os.open(self.path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)

    def _unlink(self, name: str) -> bool:
        folder = self._folder()
        try:
            os.unlink(name, dir_fd=folder)
        except FileNotFoundError:
            return False
        finally:
            os.close(folder)
        return True


class FileWriter:
    """One upload's temporary file. Owns the descriptor of the folder it was given."""

    def __init__(self, folder: int, name: str, part: str) -> None:
        self._folder = folder
        self._name = name
        self._part = part
        self._open = True
        try:
            self._file = os.open(part, _CREATE, 0o640, dir_fd=folder)
        except OSError as error:
            os.close(folder)
            raise _as_store_error(error) from error

    def write(self, data: bytes) -> None:
        rest = memoryview(data)
        try:
            while rest:
                rest = rest[os.write(self._file, rest) :]
        except OSError as error:
            raise _as_store_error(error) from error

    def commit(self) -> None:
        try:
            os.fsync(self._file)
            os.link(self._part, self._name, src_dir_fd=self._folder, dst_dir_fd=self._folder, follow_symlinks=False)
            os.unlink(self._part, dir_fd=self._folder)
            os.fsync(self._folder)
        except FileExistsError:
            raise StoreError("The image has data already.") from None
        except OSError as error:
            raise _as_store_error(error) from error
        self._close()

    def abort(self) -> None:
        if not self._open:
            return
        try:
            os.unlink(self._part, dir_fd=self._folder)
        except FileNotFoundError:
            pass
        finally:
            self._close()

    def _close(self) -> None:
        self._open = False
        os.close(self._file)
        os.close(self._folder)


class FileReader:
    """An image's file, open; forgotten without ``close`` it is closed all the same."""

    def __init__(self, descriptor: int) -> None:
        facts = os.fstat(descriptor)
        if not stat.S_ISREG(facts.st_mode):
            os.close(descriptor)
            raise StoreError("The data of the image is not a file.")
        self._file = os.fdopen(descriptor, "rb", buffering=0)
        self.size = facts.st_size

    def read(self, offset: int, length: int) -> bytes:
        return os.pread(self._file.fileno(), length, offset)

    def close(self) -> None:
        self._file.close()


def _as_store_error(error: OSError) -> StoreError:
    if error.errno in _FULL:
        return StoreFull("There is no room left in the image store.")
    return StoreError(f"The image store cannot be written: {error.strerror}.")
