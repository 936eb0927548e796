"""`./nebulet status`: what runs, since when, with how much memory."""

import argparse
import json
import time
from dataclasses import asdict
from typing import Any

from deploy.launcher import control, memory, preconditions
from deploy.launcher.config import Config
from deploy.launcher.errors import LauncherError
from deploy.launcher.terminal import Terminal

NOT_RUNNING = 3


def run(config: Config, options: argparse.Namespace) -> int:
    """Tell what runs; return 3 when nothing does."""
    status = control.read_status(config)
    if options.json:
        print(json.dumps(_report(status), indent=2))
    elif status is None:
        Terminal().line(f"Nebulet does not run on {config.state_dir}.")
    else:
        _show(status, Terminal())
        _warn_of_space(config, Terminal())
    return NOT_RUNNING if status is None else 0


def _report(status: control.Status | None) -> dict[str, Any]:
    if status is None:
        return {"running": False}
    children = memory.children_by_parent()
    processes = [
        {**asdict(process), "pss_kb": memory.tree_pss_kb(process.pid, children) if process.pid else 0}
        for process in status.processes
    ]
    # The supervisor's own children are counted above.
    own = {"name": "supervisor", "pid": status.pid, "since": status.since, "restarts": 0, "last_exit": None}
    own["pss_kb"] = memory.tree_pss_kb(status.pid, {})
    return {"running": True, "address": status.address, "pid": status.pid, "processes": [own, *processes]}


def _show(status: control.Status, terminal: Terminal) -> None:
    report = _report(status)
    terminal.line(f"Nebulet runs at {status.address}")
    terminal.line(f"{'NAME':<18} {'PID':>8} {'UP':>10} {'RESTARTS':>9} {'MEMORY':>10}")
    sizes = [process["pss_kb"] for process in report["processes"]]
    for process in report["processes"]:
        size = _size(process["pss_kb"])
        up = _duration(time.time() - process["since"]) if process["pid"] else "restarting"
        terminal.line(f"{process['name']:<18} {process['pid'] or '-':>8} {up:>10} {process['restarts']:>9} {size:>10}")
    total = None if None in sizes else sum(sizes)
    terminal.line(f"{'total':<18} {'':>8} {'':>10} {'':>9} {_size(total):>10}")
    if total is None:
        terminal.line("Only root sees how much memory they take: sudo ./nebulet status")


def _warn_of_space(config: Config, terminal: Terminal) -> None:
    """Name a disk that is nearly full: then the queue takes nothing, requests wait in the database, and logs have gaps."""
    try:
        warning = preconditions.check_space(config.state_dir)
    except LauncherError as error:
        warning = error.sentence
    if warning:
        terminal.line(f"{warning[0].upper()}{warning[1:].rstrip('.')}.")


def _size(kb: int | None) -> str:
    return "-" if kb is None else f"{kb / 1024:.1f} MiB"


def _duration(seconds: float) -> str:
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    if days:
        return f"{days}d{hours:02}h"
    return f"{hours}h{minutes:02}m" if hours else f"{minutes}m{rest:02}s"
