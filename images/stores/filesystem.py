"""The file store: one file an image, named by the image's id, in one folder or several.

Bytes arrive under a temporary name and get the image's name only when they are safe on the disk, so a file with an image's
name is whole. That name is given once: an upload that was thought dead and wakes up cannot write over what replaced it. Names are made of checked UUIDs and opened relative to the folder without following links.
"""

import errno
import fcntl
import logging
import os
import shutil
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from images.stores.base import NoData, PartBusy, StoreError, StoreFull, checked, part_name

LOG = logging.getLogger(__name__)

_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
_RESUME = os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC
_CREATE = _RESUME | os.O_CREAT | os.O_EXCL
_WRITE_BACK_BYTES = 8 << 20
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


class FilesystemStore:
    """Folders of image files, each with a priority.

    A new image goes to the folder of the highest priority that has room, and among equals to the one with the most; an image is found
    in whichever folder has it.
    """

    kind = "file"
    read_only = False

    def __init__(self, name: str, path: str | Path | None = None, paths: Mapping[str, int] | None = None) -> None:
        self.name = name
        priorities = dict(paths or {}) | ({} if path is None else {str(path): 0})
        if not priorities:
            raise StoreError(f"The image store {name} has no folder.")
        self._folders = {Path(text): priority for text, priority in priorities.items()}
        if not any([_made(folder) for folder in self._folders]):
            raise StoreError(f"No folder of the image store {name} answers.")

    @property
    def path(self) -> Path:
        """The first folder."""
        return next(iter(self._folders))

    def writer(self, image_id: str, upload_id: str, size: int | None = None) -> "FileWriter":
        return FileWriter(_opened(self._roomy(size or 0)), checked(image_id), part_name(image_id, upload_id))

    def resume(self, image_id: str, upload_id: str) -> "FileWriter":
        part = part_name(image_id, upload_id)
        for path in self._folders:
            try:
                return FileWriter(_opened(path), checked(image_id), part, _RESUME)
            except NoData:
                continue
        raise NoData(f"Nothing is left of the upload of image {image_id}.")

    def open(self, key: str) -> "FileReader":
        name = checked(key)
        failure: StoreError = NoData(f"No data of image {name}.")
        for path in self._folders:
            try:
                return _read(path, name)
            except NoData:
                continue
            except StoreError as error:  # another folder may have it
                failure = error
        raise failure

    def delete(self, key: str) -> bool:
        return self._unlink(checked(key))

    def discard(self, image_id: str, upload_id: str) -> None:
        self._unlink(part_name(image_id, upload_id))

    def entries(self) -> Iterator[str]:
        for path in self._folders:
            with os.scandir(path) as found:
                for entry in found:
                    yield entry.name

    def free_bytes(self) -> int | None:
        answering = [path for path in self._folders if path.is_dir()]
        if not answering:
            raise StoreError(f"No folder of the image store {self.name} answers.")
        return max(map(_free, answering))

    def url(self, key: str) -> str:
        found = next((path for path in self._folders if (path / checked(key)).exists()), self.path)
        return f"file://{found / key}"

    def properties(self) -> dict[str, Any]:
        return {"data_dir": ",".join(str(path) for path in self._folders)}

    def _roomy(self, size: int) -> Path:
        ranked = sorted(self._folders, key=lambda path: (self._folders[path], _free(path)), reverse=True)
        return next((path for path in ranked if _free(path) > size), ranked[0])

    def _unlink(self, name: str) -> bool:
        gone = False
        for path in self._folders:
            folder = _opened(path)
            try:
                os.unlink(name, dir_fd=folder)
                gone = True
            except FileNotFoundError:
                continue
            except OSError as error:
                raise StoreError(f"The data of an image cannot be removed: {error.strerror}.") from error
            finally:
                os.close(folder)
        return gone


def _made(folder: Path) -> bool:
    """Return whether a folder is there now."""
    try:
        folder.mkdir(mode=0o750, parents=True, exist_ok=True)
    except OSError as error:
        LOG.error("The folder %s of an image store cannot be made: %s", folder, error.strerror)
        return False
    return True


def _opened(path: Path) -> int:
    try:
        return os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError as error:
        raise StoreError(f"The folder of an image store does not answer: {error.strerror}.") from error


def _read(path: Path, name: str) -> "FileReader":
    folder = _opened(path)
    try:
        return FileReader(os.open(name, _READ, dir_fd=folder))
    except FileNotFoundError:
        raise NoData(f"No data of image {name}.") from None
    except OSError as error:
        raise StoreError(f"The data of image {name} cannot be read: {error.strerror}.") from error
    finally:
        os.close(folder)


def _free(path: Path) -> int:
    try:
        return shutil.disk_usage(path).free
    except OSError:  # a folder that went away has no room; what is asked of it next says so
        return 0


class FileWriter:
    """One upload's temporary file, locked. Owns the descriptor of the folder it was given."""

    def __init__(self, folder: int, name: str, part: str, flags: int = _CREATE) -> None:
        self._folder = folder
        self._name = name
        self._part = part
        self._open = True
        self._waiting = 0
        try:
            self._file = _locked(os.open(part, flags, 0o640, dir_fd=folder))
        except FileNotFoundError:
            os.close(folder)
            raise NoData("Nothing is left of the upload.") from None
        except OSError as error:
            os.close(folder)
            raise _as_store_error(error) from error

    def write(self, data: bytes) -> None:
        rest = memoryview(data)
        try:
            while rest:
                rest = rest[os.write(self._file, rest) :]
            self._waiting += len(data)
            if self._waiting >= _WRITE_BACK_BYTES:
                self._begin_write_back()
        except OSError as error:
            raise _as_store_error(error) from error

    def _begin_write_back(self) -> None:
        """Let the disk begin with what was written, so that little is left for ``commit`` to wait for.

        The advice to forget pages does so for dirty ones, without waiting, and these stay.
        """
        end = os.lseek(self._file, 0, os.SEEK_CUR)
        os.posix_fadvise(self._file, end - self._waiting, self._waiting, os.POSIX_FADV_DONTNEED)
        self._waiting = 0

    def cut(self, size: int) -> None:
        if os.fstat(self._file).st_size < size:
            raise StoreError("The upload has fewer bytes than were acknowledged.")
        try:
            os.ftruncate(self._file, size)
            os.lseek(self._file, size, os.SEEK_SET)
        except OSError as error:
            raise _as_store_error(error) from error

    def read(self, offset: int, length: int) -> bytes:
        try:
            return os.pread(self._file, length, offset)
        except OSError as error:
            raise _as_store_error(error) from error

    def pause(self) -> int:
        try:
            os.fsync(self._file)
            os.fsync(self._folder)
            return os.fstat(self._file).st_size
        except OSError as error:
            raise _as_store_error(error) from error
        finally:
            self._close()

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

    @classmethod
    def of(cls, path: Path) -> "FileReader":
        """Return a file of ours, open."""
        return cls(os.open(path, _READ))

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


def _locked(file: int) -> int:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(file)
        raise
    return file


def _as_store_error(error: OSError) -> StoreError:
    if isinstance(error, BlockingIOError | FileExistsError):
        return PartBusy("Another upload writes to this image at this moment.")
    if error.errno in _FULL:
        return StoreFull("There is no room left in the image store.")
    return StoreError(f"The image store cannot be written: {error.strerror}.")
