"""`./nebulet doctor`: looks for what would keep this host from running servers."""

import argparse
import json
from dataclasses import asdict

from deploy.launcher import checkup
from deploy.launcher.checkup import FAIL, OK, Finding
from deploy.launcher.config import Config


def run(config: Config, options: argparse.Namespace) -> int:
    """Print one line per subject; return 1 if anything fails."""
    checks = [check for check in checkup.CHECKS if config.driver == "libvirt" or check not in checkup.HYPERVISOR_CHECKS]
    found = []
    for check in checks:
        finding = check(config)
        found.append(finding)
        if not options.json:
            _show(finding)
    if options.json:
        print(json.dumps([asdict(finding) for finding in found], indent=2))
    return 1 if any(finding.level == FAIL for finding in found) else 0


def _show(finding: Finding) -> None:
    print(f"{finding.level:<5} {finding.subject:<9} {finding.sentence}", flush=True)
    if finding.level != OK and finding.command:
        print(f"{'':<15} Run: {finding.command}", flush=True)
