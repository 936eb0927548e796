"""The initramfs archive, and the boot disk's first sector."""

import stat

from images.builder import archive, disk


def records(data: bytes) -> dict[str, tuple[list[int], bytes]]:
    """Reads an archive back: for each path its numbers and its content."""
    found: dict[str, tuple[list[int], bytes]] = {}
    position = 0
    while True:
        assert data[position : position + 6] == b"070701"
        numbers = [int(data[position + 6 + i * 8 : position + 14 + i * 8], 16) for i in range(13)]
        name_end = position + 110 + numbers[11]
        name = data[position + 110 : name_end - 1].decode()
        start = name_end + -name_end % 4
        position = start + numbers[6] + -(start + numbers[6]) % 4
        if name == "TRAILER!!!":
            return found
        found[name] = (numbers, data[start : start + numbers[6]])


def test_modes_owners_and_devices_are_kept() -> None:
    data = archive.cpio(
        {
            "lib/sudo/chroot": archive.file(b"\x7fELF!", mode=0o4750, group=1000),
            "home/tiny": archive.folder(owner=1000),
            "init": archive.link("bin/busybox"),
            "dev/console": archive.character_device(5, 1),
        }
    )
    found = records(data)
    numbers, content = found["lib/sudo/chroot"]
    assert (numbers[1], numbers[2], numbers[3], content) == (stat.S_IFREG | 0o4750, 0, 1000, b"\x7fELF!")
    assert found["home/tiny"][0][1:4] == [stat.S_IFDIR | 0o755, 1000, 1000]
    assert found["init"][1] == b"bin/busybox"
    assert found["dev/console"][0][9:11] == [5, 1]


def test_folders_above_come_first() -> None:
    names = list(records(archive.cpio({"a/b/c": archive.file(b"")})))
    assert names == ["a", "a/b", "a/b/c"]


def test_the_order_of_entries_does_not_matter() -> None:
    one, two = archive.file(b"1"), archive.file(b"22")
    assert archive.cpio({"x": one, "y": two}) == archive.cpio({"y": two, "x": one})


def test_partition_table() -> None:
    mib = 1024 * 1024
    sector = disk.partition_table(b"\xeb" * 440, boot=(mib, 20 * mib), data=(21 * mib, 32 * mib))
    assert len(sector) == 512
    assert sector[510:] == b"\x55\xaa"
    boot, data = sector[446:462], sector[462:478]
    assert (boot[0], boot[4], data[0], data[4]) == (0x80, 0x0E, 0, 0x83)
    assert int.from_bytes(boot[8:12], "little") * 512 == mib
    assert int.from_bytes(data[8:12], "little") * 512 == 21 * mib
    assert int.from_bytes(data[12:16], "little") * 512 == 32 * mib


def test_boot_partition_has_room() -> None:
    mib = 1024 * 1024
    assert disk.boot_partition_bytes(1) == 16 * mib
    assert disk.boot_partition_bytes(18 * mib + 1) == 21 * mib
