"""``manage.py images verify``: read every image's bytes and name rot, what is missing, and what belongs to nobody."""

import json
from argparse import ArgumentParser
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from images.services import verification
from images.services.verification import Report
from images.stores import registry as stores

BROKEN = 1
MB = 1_000_000


class Command(BaseCommand):
    help = "Look after the bytes of images."

    def add_arguments(self, parser: Any) -> None:
        verbs = parser.add_subparsers(dest="verb", required=True)
        summary = "Read whole stores and compare them with the records. Ends with code 1 when something does not fit."
        verify: ArgumentParser = verbs.add_parser("verify", help=summary, description=summary)
        verify.add_argument("--store", action="append", help="only this store; may be given several times")
        verify.add_argument("--rate", type=float, help="read at most so many MB a second")
        verify.add_argument("--json", action="store_true", help="one JSON object instead of sentences")

    def handle(self, *args: Any, verb: str, **options: Any) -> None:
        getattr(self, f"do_{verb}")(**options)

    def do_verify(self, *, store: list[str] | None, rate: float | None, json: bool, **options: Any) -> None:
        """Print what does not fit as it is found, and the sum."""
        unknown = sorted(set(store or []) - set(stores.names()))
        if unknown:
            raise CommandError(f"There is no image store {', '.join(unknown)}.", returncode=2)
        report = Report()
        for finding in verification.verify(report, names=store, bytes_per_s=int(rate * MB) if rate else None):
            if not json:
                self.stdout.write(f"{finding.kind}: {finding.name} in {finding.store}: {finding.reason}")
        self.stdout.write(_as_json(report) if json else _sentence(report))
        if report.findings:
            raise CommandError(f"{len(report.findings)} findings", returncode=BROKEN)


def _sentence(report: Report) -> str:
    return f"{report.images} images, {report.bytes / MB:.1f} MB read, {len(report.findings)} findings."


def _as_json(report: Report) -> str:
    return json.dumps(asdict(report), indent=2)
