"""Whether this installation can do its job now: what `./nebulet up` waits for."""

from datetime import timedelta

from django.conf import settings
from django.db import connection
from django.http import HttpRequest, JsonResponse
from django.utils import timezone

from compute.models import Service
from portal.core.policy.engine import problems

RECENT = timedelta(seconds=settings.HOST_SILENT_S)


def healthz(request: HttpRequest) -> JsonResponse:
    """Return ``{"status": "ready"}`` with 200 when database, conductor and at least one host answer, else 503 and what is missing.

    ``policy_problems`` names the services whose policy file is not followed as it stands; the log and the administration site say why.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    alive = set(Service.objects.filter(seen_at__gt=timezone.now() - RECENT).values_list("binary", flat=True))
    missing = [binary for binary in ("nova-conductor", "nova-compute") if binary not in alive]
    body = {"status": "starting" if missing else "ready", "waiting_for": missing, "policy_problems": sorted(problems())}
    return JsonResponse(body, status=503 if missing else 200)
