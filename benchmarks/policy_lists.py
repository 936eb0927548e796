"""What policy costs when 1,000 servers or images are listed: as a condition of the database, and asked row by row.

``.venv/bin/python benchmarks/policy_lists.py`` uses a throwaway SQLite database in a temporary folder.
"""

import os
import statistics
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
os.environ["DJANGO_SETTINGS_MODULE"] = "portal.settings.test"

import django

django.setup()

from django.conf import settings  # noqa: E402
from django.core.management import call_command  # noqa: E402

from benchmarks.timing import median_ms  # noqa: E402

ROWS, ROUNDS, TARGET_MS = 1_000, 30, 5


def measure(name: str, rows: Any, rule: Any, columns: Any, ctx: Any) -> None:
    from portal.core.policy import allowed, sql

    lists = [(lambda: list(rows.all())), (lambda: list(sql.keep_allowed(rows.all(), ctx, rule, columns)))]
    pairs = [[median_ms(act, 1) for act in lists] for _ in range(ROUNDS)]  # in turns, so that both meet the same machine
    plain, kept = (statistics.median(column) for column in zip(*pairs, strict=True))
    compiled = median_ms(lambda: sql.condition(ctx, rule, rows.model, columns), ROUNDS)
    listed = list(rows.all())
    one_by_one = median_ms(lambda: [allowed(ctx, rule, row) for row in listed], 3)
    cost = kept - plain
    print(
        f"{ROWS} {name}: list {plain:.2f} ms, with its rule as a filter {kept:.2f} ms: policy costs {cost:.2f} ms"
        f" (compiling {compiled:.2f} ms), ratio to {TARGET_MS} ms: {cost / TARGET_MS:.2f};"
        f" row by row {one_by_one:.0f} ms, {one_by_one / max(cost, 0.01):.0f} times as much"
    )


def main() -> int:
    (settings.STATE_DIR / "db").mkdir(exist_ok=True)
    call_command("migrate", verbosity=0)
    from compute import policies as compute_policies
    from compute import selectors as compute_selectors
    from compute.models import Server
    from images import policies as image_policies
    from images import selectors as image_selectors
    from images.models import Image
    from portal.core.context import RequestContext
    from tests.kit.compute import ServerFactory, make_image

    ctx = RequestContext(user_id="u" * 32, project_id="a" * 32, roles=frozenset({"member", "reader"}))
    for number in range(ROWS):
        ServerFactory(project_id=ctx.project_id, name=f"s{number}")
        make_image(owner=ctx.project_id, visibility="private", name=f"i{number}")
    measure("servers", Server.objects, compute_policies.SHOW, compute_selectors.COLUMNS, ctx)
    measure("images", Image.objects, image_policies.GET_IMAGE, image_selectors.COLUMNS, ctx)
    return 0


if __name__ == "__main__":
    sys.exit(main())
