"""Memory and idle CPU of a running installation: PSS of every process, and processor time over a quiet minute.

Run it on a cloud that is up and has nothing to do: ``sudo .venv/bin/python benchmarks/footprint.py [--seconds 60]``.
"""

import argparse
import json
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PSS_TARGET_MIB = 300
CPU_TARGET = 0.01
TICKS = 100


def processes() -> dict[int, str]:
    """Return every process of the installation, children included, by process id."""
    report = json.loads(subprocess.run([ROOT / "nebulet", "status", "--json"], capture_output=True, check=True).stdout)
    found = {int(report["pid"]): "supervisor"}
    found |= {int(row["pid"]): row["name"] for row in report["processes"]}
    for entry in Path("/proc").glob("[0-9]*/stat"):
        try:
            pid, parent = int(entry.parent.name), int(entry.read_text().rsplit(")", 1)[1].split()[1])
        except OSError:
            continue
        if parent in found and pid not in found:
            found[pid] = f"{found[parent]} (child)"
    return found


def pss_mib(pid: int) -> float:
    text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    return int(next(line for line in text.splitlines() if line.startswith("Pss:")).split()[1]) / 1024


def cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=60)
    seconds = parser.parse_args().seconds
    found = processes()
    before = {pid: cpu_s(pid) for pid in found}
    time.sleep(seconds)
    total_pss = total_cpu = 0.0
    for pid, name in found.items():
        pss, share = pss_mib(pid), (cpu_s(pid) - before[pid]) / seconds
        total_pss, total_cpu = total_pss + pss, total_cpu + share
        print(f"{name:24} {pss:8.1f} MiB PSS {share:8.2%} of a core")
    print(f"{'together':24} {total_pss:8.1f} MiB PSS {total_cpu:8.2%} of a core")
    print(
        f"ratio to the yardstick   {total_pss / PSS_TARGET_MIB:8.2f} ({PSS_TARGET_MIB} MiB) {total_cpu / CPU_TARGET:6.2f} (1 %)"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
