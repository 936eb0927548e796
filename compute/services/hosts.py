"""Services of the cloud as operators change them: taken out of use, put back, declared down, forgotten."""

import re
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from compute import policies
from compute.models import Server, Service
from portal.core.context import RequestContext
from portal.core.errors import BadRequest, Conflict, NotFound
from portal.core.policy import Rule, authorize

COMPUTE = "nova-compute"
UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
NUMBER = re.compile(r"[0-9]{1,9}")


def find(*, ctx: RequestContext, host: str, binary: str) -> Service:
    """Return a compute service by its host, for whoever may change services; raises BadRequest for any other kind."""
    authorize(ctx, policies.SERVICES_UPDATE)
    _require_compute(binary)
    found = Service.objects.filter(host=host, binary=binary).first()
    if found is None:
        sentence = _("Could not find binary %(binary)s on host %(host)s.")
        raise NotFound("Service", binary, sentence % {"binary": binary, "host": host})
    return found


def get(*, ctx: RequestContext, service_id: str, by_uuid: bool) -> Service:
    """Return a service by its UUID, or by its number as clients before 2.53 know it."""
    authorize(ctx, policies.SERVICES_UPDATE)
    if not (UUID if by_uuid else NUMBER).fullmatch(service_id):
        sentence = _("Invalid uuid %(id)s") if by_uuid else _("Invalid service id %(id)s")
        raise BadRequest(sentence % {"id": service_id[:50]})
    found = Service.objects.filter(**({"uuid": service_id} if by_uuid else {"pk": int(service_id)})).first()
    if found is None:
        raise NotFound("Service", service_id, _("Service %(id)s not found.") % {"id": service_id})
    return found


def change(
    *,
    ctx: RequestContext,
    service: Service,
    disabled: bool | None = None,
    disabled_reason: str | None = None,
    forced_down: bool | None = None,
    rule: Rule = policies.SERVICES_UPDATE,
) -> Service:
    """Return the service after these changes; enabling it forgets the reason. Only compute services can be changed."""
    authorize(ctx, rule, service)
    _require_compute(service.binary)
    changes: dict[str, Any] = {}
    if disabled is not None:
        changes |= {"disabled": disabled, "disabled_reason": disabled_reason if disabled else None}
    if forced_down is not None:
        changes["forced_down"] = forced_down
    for name, value in changes.items():
        setattr(service, name, value)
    if changes:
        service.save(update_fields=[*changes, "updated_at"])
    return service


def _require_compute(binary: str) -> None:
    if binary != COMPUTE:
        sentence = _("Updating a %(binary)s service is not supported. Only %(compute)s services can be updated.")
        raise BadRequest(sentence % {"binary": binary[:64], "compute": COMPUTE})


@transaction.atomic
def delete(*, ctx: RequestContext, service: Service) -> None:
    """Forget a service that is gone for good; one whose host still has servers stays."""
    authorize(ctx, policies.SERVICES_DELETE, service)
    if service.binary == COMPUTE and Server.objects.present().filter(host=service.host).exists():
        raise Conflict(_("Unable to delete compute service that is hosting instances."))
    service.delete()
