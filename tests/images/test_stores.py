"""One contract, every store."""

import os
import shutil
from pathlib import Path

import pytest

from images.models.image import new_uuid
from images.stores.base import NoData, StoreError, StoreFull, chunks_of, put
from images.stores.filesystem import FilesystemStore
from images.stores.memory import MemoryStore

UUID = "5b20d391-8fa4-4c9e-bc92-a391f79da04c"


class StoreContract:
    """What each store must do; a subclass gives it as the fixture ``store``."""

    def test_what_was_written_is_read_back(self, store):
        image_id = new_uuid()
        assert put(store, image_id, new_uuid(), [b"abc", b"", b"def"]) == 6
        reader = store.open(image_id)
        assert reader.size == 6
        assert reader.read(2, 3) == b"cde"
        assert reader.read(6, 3) == b""
        assert b"".join(chunks_of(reader)) == b"abcdef"
        reader.close()

    def test_much_is_read_back_as_it_was_written(self, store):
        image_id, pieces = new_uuid(), [bytes([number]) * (3 << 20) for number in range(7)]
        assert put(store, image_id, new_uuid(), pieces) == 21 << 20
        reader = store.open(image_id)
        assert b"".join(chunks_of(reader)) == b"".join(pieces)
        reader.close()

    def test_nothing_is_seen_before_commit(self, store):
        image_id = new_uuid()
        writer = store.writer(image_id, new_uuid())
        writer.write(b"abc")
        with pytest.raises(NoData):
            store.open(image_id)
        writer.abort()
        writer.abort()
        with pytest.raises(NoData):
            store.open(image_id)

    def test_a_failing_stream_leaves_nothing(self, store):
        image_id = new_uuid()

        def broken():
            yield b"abc"
            raise RuntimeError("the source broke")

        with pytest.raises(RuntimeError):
            put(store, image_id, new_uuid(), broken())
        assert not store.delete(image_id)

    def test_data_is_deleted_once(self, store):
        image_id = new_uuid()
        put(store, image_id, new_uuid(), [b"abc"])
        assert store.delete(image_id)
        assert not store.delete(image_id)

    def test_what_a_dead_upload_left_is_discarded(self, store):
        image_id, upload_id = new_uuid(), new_uuid()
        store.writer(image_id, upload_id).write(b"abc")
        store.discard(image_id, upload_id)
        store.discard(image_id, upload_id)
        put(store, image_id, upload_id, [b"fresh"])

    def test_two_uploads_of_one_image_do_not_mix(self, store):
        image_id = new_uuid()
        first, second = store.writer(image_id, new_uuid()), store.writer(image_id, new_uuid())
        first.write(b"first")
        second.write(b"second")
        first.abort()
        second.commit()
        assert store.open(image_id).read(0, 99) == b"second"

    def test_data_is_never_written_over(self, store):
        image_id = new_uuid()
        late, quick = store.writer(image_id, new_uuid()), store.writer(image_id, new_uuid())
        late.write(b"late")
        quick.write(b"quick")
        quick.commit()
        with pytest.raises(StoreError, match="already"):
            late.commit()
        late.abort()
        assert store.open(image_id).read(0, 99) == b"quick"
        assert list(store.entries()).count(image_id) == 1

    @pytest.mark.parametrize("name", ["../evil", "/etc/passwd", "a\0b", "", ".", f"{UUID}/x", f"{UUID}\n"])
    def test_only_uuids_are_names(self, store, name):
        for act in (store.open, store.delete, lambda it: store.writer(it, new_uuid())):
            with pytest.raises(StoreError):
                act(name)


class TestMemoryStore(StoreContract):
    @pytest.fixture
    def store(self):
        return MemoryStore()

    def test_a_full_store_says_so(self):
        with pytest.raises(StoreFull):
            put(MemoryStore(capacity=4), new_uuid(), new_uuid(), [b"abc", b"def"])


class TestFilesystemStore(StoreContract):
    @pytest.fixture
    def store(self, tmp_path):
        return FilesystemStore("file", tmp_path / "images")

    def test_a_file_is_named_by_the_image(self, store):
        image_id = new_uuid()
        put(store, image_id, new_uuid(), [b"abc"])
        assert [entry.name for entry in store.path.iterdir()] == [image_id]
        assert (store.path / image_id).stat().st_mode & 0o777 & 0o007 == 0

    @pytest.mark.parametrize("plant", ["symlink", "fifo", "folder"])
    def test_what_was_planted_is_not_opened(self, store, tmp_path, plant):
        image_id = new_uuid()
        secret = tmp_path / "secret"
        secret.write_text("secret")
        place = store.path / image_id
        {"symlink": lambda: place.symlink_to(secret), "fifo": lambda: os.mkfifo(place), "folder": place.mkdir}[plant]()
        with pytest.raises(StoreError):
            store.open(image_id)

    def test_free_space_is_told(self, store):
        assert store.free_bytes() > 0

    def test_no_descriptor_stays_open(self, store):
        before = len(os.listdir("/proc/self/fd"))
        for _round in range(5):
            image_id = new_uuid()
            put(store, image_id, new_uuid(), [b"abc"])
            store.open(image_id).close()
            store.writer(image_id, new_uuid()).abort()
            store.delete(image_id)
        assert len(os.listdir("/proc/self/fd")) == before


class TestSeveralFolders(StoreContract):
    """One store in three folders, two of them equal."""

    @pytest.fixture
    def folders(self, tmp_path):
        return {str(tmp_path / "slow"): 1, str(tmp_path / "fast"): 9, str(tmp_path / "other"): 1}

    @pytest.fixture
    def store(self, folders):
        return FilesystemStore("file", paths=folders)

    def holders(self, tmp_path, image_id):
        return [path.parent.name for path in tmp_path.rglob(image_id)]

    def test_an_image_goes_to_the_highest_priority(self, store, tmp_path):
        image_id = new_uuid()
        put(store, image_id, new_uuid(), [b"abc"])
        assert self.holders(tmp_path, image_id) == ["fast"]
        assert store.url(image_id) == f"file://{tmp_path}/fast/{image_id}"

    def test_or_where_there_is_room(self, store, tmp_path, monkeypatch):
        room = {"fast": 10, "slow": 20, "other": 30}
        usage = type(shutil.disk_usage(tmp_path))
        monkeypatch.setattr(shutil, "disk_usage", lambda path: usage(100, 0, room[path.name]))
        for size, holder in ((5, "fast"), (15, "other"), (25, "other"), (50, "fast"), (None, "fast")):
            image_id = new_uuid()
            writer = store.writer(image_id, new_uuid(), size)
            writer.commit()
            assert self.holders(tmp_path, image_id) == [holder]
        assert store.free_bytes() == 30

    def test_it_is_found_and_deleted_wherever_it_lies(self, store, folders):
        image_id = new_uuid()
        for folder in folders:
            (Path(folder) / image_id).write_bytes(b"abc")
        assert store.open(image_id).read(0, 9) == b"abc"
        assert store.delete(image_id)
        with pytest.raises(NoData):
            store.open(image_id)

    def test_a_folder_that_went_away_hides_no_other(self, store, folders):
        image_id = new_uuid()
        first, *_between, last = map(Path, folders)
        (last / image_id).write_bytes(b"abc")
        first.rmdir()
        assert store.open(image_id).read(0, 9) == b"abc"

    def test_a_folder_that_went_away_is_told(self, store, folders):
        for folder in folders:
            Path(folder).rmdir()
        for act in (store.open, store.delete, lambda it: store.writer(it, new_uuid())):
            with pytest.raises(StoreError, match="does not answer") as failure:
                act(new_uuid())
            assert not isinstance(failure.value, NoData)

        with pytest.raises(StoreError, match="answers"):
            store.free_bytes()

    def test_a_folder_that_cannot_be_made_hides_no_other(self, folders, tmp_path):
        (tmp_path / "file").touch()
        away = str(tmp_path / "file" / "away")
        store = FilesystemStore("file", paths={away: 9, (there := next(iter(folders))): 1})
        put(store, image_id := new_uuid(), new_uuid(), [b"abc"])
        assert (Path(there) / image_id).read_bytes() == b"abc"
        with pytest.raises(StoreError, match="answers"):
            FilesystemStore("file", away)

    def test_a_store_without_a_folder_is_none(self):
        with pytest.raises(StoreError):
            FilesystemStore("file")
