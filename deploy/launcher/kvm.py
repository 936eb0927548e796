"""Whether guests really run under KVM: a tiny one is started and must say so."""

import shutil
import subprocess
import tempfile
from pathlib import Path

_TIMEOUT_S = 5.0
_PORT, _VALUE = 0xF4, 0x2A
# isa-debug-exit ends QEMU with twice the written value plus one.
_EXPECTED = _VALUE << 1 | 1
# mov dx, port; mov al, value; out dx, al; cli; hlt
_CODE = bytes((0xBA, _PORT & 0xFF, _PORT >> 8, 0xB0, _VALUE, 0xEE, 0xFA, 0xF4))


def boot_sector() -> bytes:
    """Return a boot sector whose only act is to write one value to the debug port."""
    return _CODE.ljust(510, b"\0") + b"\x55\xaa"


def runs_guests(accelerator: str = "kvm") -> str | None:
    """Return None when a guest ran under this accelerator, else the reason it did not."""
    qemu = shutil.which("qemu-system-x86_64")
    if qemu is None:
        return "qemu-system-x86_64 is not installed"
    with tempfile.TemporaryDirectory(prefix="nebulet-kvm-") as folder:
        disk = Path(folder) / "disk"
        disk.write_bytes(boot_sector().ljust(65536, b"\0"))
        command = [qemu, "-accel", accelerator, "-machine", "pc", "-cpu", "host" if accelerator == "kvm" else "max"]
        command += ["-m", "16", "-display", "none", "-nodefaults", "-no-user-config", "-no-reboot"]
        command += ["-device", f"isa-debug-exit,iobase={_PORT:#x},iosize=0x04"]
        command += ["-drive", f"file={disk},format=raw,if=ide,snapshot=on"]
        try:
            done = subprocess.run(
                command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=_TIMEOUT_S, check=False
            )
        except subprocess.TimeoutExpired:
            return f"a guest did not run its first instructions within {_TIMEOUT_S:.0f} s"
    if done.returncode == _EXPECTED:
        return None
    said = [line for line in done.stderr.strip().splitlines() if line]
    return said[-1][:200] if said else f"QEMU ended with exit code {done.returncode}"
