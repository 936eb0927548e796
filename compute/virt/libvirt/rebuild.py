"""New disks in the folder of a guest that stays."""

from dataclasses import replace

import libvirt

from compute.virt.driver import GuestSpec, ImageCache, Tell
from compute.virt.layout import Layout
from compute.virt.libvirt import power, rescuing, resizing, storage


def fetch(spec: GuestSpec, images: ImageCache, tell: Tell) -> None:
    """Bring all images and see that they fit, before anything of the guest is touched."""
    for part in (spec.kernel, spec.ramdisk):
        if part is not None:
            images.fetch(part, tell)
    storage.check_fits(images.fetch(spec.image, tell).stat().st_size, spec)


def stop(domain: libvirt.virDomain) -> None:
    """Pull the plug, and forget the memory of a guest that was suspended: it belongs to the old disk."""
    power.pull_plug(domain)
    if domain.hasManagedSaveImage():
        domain.managedSaveRemove()


def describe(layout: Layout, definition: str) -> None:
    """Put the new definition into the folder. Where that cannot be done, nothing of the guest was touched."""
    with storage.sentences():
        layout.folder.mkdir(mode=0o711, exist_ok=True)
        layout.folder.chmod(0o711)
        storage.replace_private(layout.definition, definition)
        storage.replace_private(layout.folder / "disk.info", layout.disk_info())


def clear(layout: Layout) -> None:
    """Take away what belongs to the old disks."""
    with storage.sentences():
        for part in ("kernel", "ramdisk"):  # a second name of a cached file: it must not be written through
            (layout.folder / part).unlink(missing_ok=True)
    rescuing.forget(layout.folder)
    resizing.forget(layout.folder)  # else a revert that comes late would bring the old disk back


def new_disks(layout: Layout, *, keep_ephemeral: bool) -> Layout:
    """Return the layout of the disks that are made anew: all, or all but an ephemeral one that is there."""
    kept = [disk for disk in layout.disks if keep_ephemeral and disk.role == "ephemeral" and disk.path.exists()]
    return replace(layout, disks=[disk for disk in layout.disks if disk not in kept])
