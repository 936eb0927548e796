"""The order kernel modules are loaded in, and reading their descriptions."""

import lzma
import struct
from pathlib import Path

import pytest

from images.builder import elf, modules
from images.builder.errors import BuildError


def tree(*names: str, builtin: tuple[str, ...] = ()) -> modules.Tree:
    return modules.Tree({name: Path(f"{name}.ko") for name in names}, frozenset(builtin))


def object_file(section: str, content: bytes) -> bytes:
    """The smallest ELF file with one section of that name beside its table of names."""
    names = b"\0.shstrtab\0" + section.encode() + b"\0"
    table = 64 + len(names) + len(content)
    header = b"\x7fELF\x02\x01".ljust(40, b"\0") + struct.pack("<QIHHHHHH", table, 0, 64, 0, 0, 64, 3, 1)
    headers = b"".join(
        struct.pack("<IIQQQQIIQQ", name, kind, 0, 0, start, size, 0, 0, 0, 0)
        for name, kind, start, size in ((0, 0, 0, 0), (1, 3, 64, len(names)), (11, 1, 64 + len(names), len(content)))
    )
    return header + names + content + headers


def test_each_module_once_after_those_it_needs() -> None:
    needs = {"virtio": ["virtio_ring"], "virtio_pci": ["virtio", "legacy"], "virtio_net": ["failover", "virtio"]}
    order = modules.load_order(
        ["virtio_pci", "virtio_net"],
        tree("virtio", "virtio_ring", "virtio_pci", "legacy", "virtio_net", "failover"),
        lambda name: needs.get(name, []),
    )
    assert order == ["virtio_ring", "virtio", "legacy", "virtio_pci", "failover", "virtio_net"]


def test_built_in_modules_need_no_loading() -> None:
    assert modules.load_order(["ext4", "isofs"], tree("isofs", builtin=("ext4", "cdrom")), lambda name: ["cdrom"]) == ["isofs"]


def test_an_unknown_module_is_an_error() -> None:
    with pytest.raises(BuildError, match="no module virtio_net"):
        modules.load_order(["virtio_net"], tree(), lambda name: [])


def test_panics_are_told_where_the_kernel_can() -> None:
    assert "pvpanic_mmio" in modules.wanted(tree("pvpanic_mmio"))
    assert modules.wanted(tree()) == list(modules.BOOT)


def test_a_circle_is_an_error() -> None:
    with pytest.raises(BuildError, match="a b a"):
        modules.load_order(["a"], tree("a", "b"), lambda name: ["b"] if name == "a" else ["a"])


def test_names_use_underscores(tmp_path: Path) -> None:
    (tmp_path / "kernel").mkdir()
    (tmp_path / "kernel" / "virtio-rng.ko.xz").write_bytes(b"")
    (tmp_path / "modules.builtin").write_text("kernel/fs/ext4/ext4.ko\nkernel/drivers/char/hw_random/rng-core.ko\n")
    found = modules.read_tree(tmp_path)
    assert set(found.files) == {"virtio_rng"}
    assert found.builtin == {"ext4", "rng_core"}


def test_a_modules_description_is_read_from_its_file() -> None:
    data = object_file(".modinfo", b"license=GPL\0depends=cdrom,rng-core\0name=isofs\0")
    assert modules.parse_depends(elf.module_info(data)) == ["cdrom", "rng_core"]
    assert modules.parse_depends({"depends": ""}) == []


def test_a_compressed_module_is_unpacked(tmp_path: Path) -> None:
    (tmp_path / "a.ko.xz").write_bytes(lzma.compress(b"module"))
    assert modules.read(tmp_path / "a.ko.xz") == b"module"


def test_what_is_not_elf_is_an_error() -> None:
    with pytest.raises(BuildError, match="x86-64"):
        elf.needed(b"#!/bin/sh\n")


def test_needed_libraries_of_a_real_program() -> None:
    data = Path("/bin/sh").read_bytes()
    assert "libc.so.6" in elf.needed(data)
    assert elf.interpreter(data) == "/lib64/ld-linux-x86-64.so.2"
