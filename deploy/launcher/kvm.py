"""Whether guests really run under KVM: a tiny one is started and must say so.

There are hosts whose KVM only half is one: it obeys the first instructions of a boot loader, and a system never comes up under it. So
the tiny guest goes the way that all guests go, from 16 bits through 32 to 64 with paging, and there counts so far that only a
processor gets through in time (Intel: "64 and IA-32 Architectures Software Developer's Manual", volume 3, "Initializing IA-32e Mode").
"""

import shutil
import subprocess
import tempfile
import time
from pathlib import Path

_TIMEOUT_S = 5.0
_LOOK_EVERY_S = 0.02
_GAVE_UP = "KVM internal error"
_PORT, _VALUE = 0xF4, 0x2A
# isa-debug-exit ends QEMU with twice the written value plus one.
_EXPECTED = _VALUE << 1 | 1
_CODE = (
    # 16 bits: all segments at 0, the table of segments, protection on, far jump
    "fa 31c0 8ed8 8ec0 8ed0 660f0116c87c 0f20c0 0c01 0f22c0 66ea1f7c00000800"
    # 32 bits: data segments, a stack, and a return from an interrupt as boot loaders use it
    "66b81000 8ed8 8ec0 8ed0 bc007c0000 9c 6a08 68377c0000 cf"
    # page tables at 0x1000, 0x2000 and 0x3000, which map the first 2 MiB to themselves
    "bf00100000 31c0 b9000c0000 f3ab c7050010000003200000 c7050020000003300000 c7050030000083000000"
    # their address, physical address extension, long mode enabled, paging on, far jump
    "b800100000 0f22d8 0f20e0 0c20 0f22e0 b9800000c0 0f32 80cc01 0f30 0f20c0 0d00000080 0f22c0 ea917c00001800"
    # 64 bits: ten million rounds, then the value to the port
    "b980969800 ffc9 75fc 66baf400 b02a ee fa f4"
)
_SEGMENTS = "0000000000000000 ffff0000009bcf00 ffff00000093cf00 ffff0000009baf00"  # none, 32 bits, data, 64 bits
_SEGMENTS_AT, _TABLE = 0xA8, "1f00 a87c0000"  # length less one, address


def boot_sector() -> bytes:
    """Return a boot sector that goes into 64-bit mode, counts there, and writes one value to the debug port."""
    code = bytes.fromhex(_CODE).ljust(_SEGMENTS_AT, b"\0") + bytes.fromhex(_SEGMENTS) + bytes.fromhex(_TABLE)
    return code.ljust(510, b"\0") + b"\x55\xaa"


def runs_guests(accelerator: str = "kvm") -> str | None:
    """Return None when a guest ran under this accelerator, else the reason it did not."""
    qemu = shutil.which("qemu-system-x86_64")
    if qemu is None:
        return "qemu-system-x86_64 is not installed"
    with tempfile.TemporaryDirectory(prefix="nebulet-kvm-") as folder:
        disk, said = Path(folder) / "disk", Path(folder) / "said"
        disk.write_bytes(boot_sector().ljust(65536, b"\0"))
        command = [qemu, "-accel", accelerator, "-machine", "pc", "-cpu", "host" if accelerator == "kvm" else "max"]
        command += ["-m", "16", "-display", "none", "-nodefaults", "-no-user-config", "-no-reboot"]
        command += ["-device", f"isa-debug-exit,iobase={_PORT:#x},iosize=0x04"]
        command += ["-drive", f"file={disk},format=raw,if=ide,snapshot=on"]
        with said.open("wb") as output:
            process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=output)
        try:
            return _outcome(process, said)
        finally:
            process.kill()
            process.wait()


def _outcome(process: subprocess.Popen[bytes], said: Path) -> str | None:
    """Wait for QEMU to end; it stays when KVM gives up on the guest, and says so first."""
    end = time.monotonic() + _TIMEOUT_S
    while process.poll() is None and _GAVE_UP not in said.read_text(errors="replace"):
        if time.monotonic() > end:
            return f"a guest did not get into 64-bit mode within {_TIMEOUT_S:.0f} s"
        time.sleep(_LOOK_EVERY_S)
    if process.returncode == _EXPECTED:
        return None
    lines = [line for line in said.read_text(errors="replace").splitlines() if line.strip()]
    if not lines:
        return f"QEMU ended with exit code {process.returncode}"
    reason = next((line for line in lines if _GAVE_UP in line), lines[-1])
    return reason.strip()[:200].rstrip(".")
