"""Kernel modules the guest loads, each after those it depends on."""

import lzma
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from images.builder import elf, tools
from images.builder.errors import BuildError

# Disk, network, config drive as a virtio disk, the power button, entropy, the channel of a guest agent.
BOOT = ("virtio_pci", "virtio_blk", "virtio_net", "isofs", "ext4", "button", "evdev", "virtio_rng", "virtio_console")
# What tells the host that the kernel panicked; not each kernel's package has it.
IF_THERE = ("pvpanic_mmio",)
# A config drive attached as an IDE CD-ROM (machine type pc). The cloud kernel has no SATA.
CDROM = ("ata_piix", "sr_mod")


@dataclass(frozen=True)
class Tree:
    """The modules of one kernel: files by module name, and what is built into the kernel."""

    files: dict[str, Path]
    builtin: frozenset[str]


def read_tree(root: Path) -> Tree:
    """Looks through `lib/modules/<version>`. Names are compared with underscores, as the kernel does."""
    files = {module_name(path.name): path for path in root.rglob("*.ko*") if path.is_file()}
    listed = root / "modules.builtin"
    builtin = [module_name(Path(line).name) for line in listed.read_text().split()] if listed.exists() else []
    return Tree(files, frozenset(builtin))


def module_name(file_name: str) -> str:
    """`virtio-rng.ko.xz` is the module `virtio_rng`."""
    return file_name.split(".ko", maxsplit=1)[0].replace("-", "_")


def wanted(tree: Tree) -> list[str]:
    """What is loaded at each boot of a guest with this kernel."""
    return [*BOOT, *(name for name in IF_THERE if name in tree.files)]


def load_order(names: Iterable[str], tree: Tree, depends: Callable[[str], list[str]]) -> list[str]:
    """Every module once, after all it depends on. Built-in ones need no loading; an unknown one is an error."""
    order: list[str] = []

    def visit(name: str, path: tuple[str, ...]) -> None:
        if name in order or name in tree.builtin:
            return
        if name in path:
            raise BuildError(f"Kernel modules depend on each other in a circle: {' '.join((*path, name))}.")
        if name not in tree.files:
            raise BuildError(f"The kernel package has no module {name}.")
        for needed in depends(name):
            visit(needed, (*path, name))
        order.append(name)

    for name in names:
        visit(name, ())
    return order


def read(path: Path) -> bytes:
    """The module uncompressed: busybox's insmod is not relied on to unpack it."""
    if path.suffix == ".xz":
        return lzma.decompress(path.read_bytes())
    if path.suffix == ".zst":
        return tools.run_bytes([tools.find("zstd", package="zstd"), "-dcq", path])
    return path.read_bytes()


def parse_depends(info: dict[str, str]) -> list[str]:
    """The names in a module's `depends=`."""
    return [module_name(name) for name in info.get("depends", "").split(",") if name]


@dataclass(frozen=True)
class ModuleSet:
    """What goes into the guest: contents by name, and the two lists it loads from."""

    contents: dict[str, bytes]
    boot: list[str]
    cdrom: list[str]


def collect(tree: Tree) -> ModuleSet:
    """Reads the wanted modules and those they need."""
    contents: dict[str, bytes] = {}

    def depends(name: str) -> list[str]:
        contents[name] = read(tree.files[name])
        return parse_depends(elf.module_info(contents[name]))

    boot = load_order(wanted(tree), tree, depends)
    cdrom = [name for name in load_order(CDROM, tree, depends) if name not in boot]
    return ModuleSet({name: contents[name] for name in (*boot, *cdrom)}, boot, cdrom)
