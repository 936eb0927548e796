"""The door through which the metadata service of a host asks what a guest may know. Who asks is proved by a sealed ticket."""

from dataclasses import asdict

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from compute.services import instance_data as service
from compute.virt.instance_data import LEAVE_PASSWORD, READ, TICKET_HEADER, TICKET_PURPOSE
from portal.core import bus, signing
from portal.core.errors import CloudError, Unauthorized

LIFETIME_S = 30
_DEEDS = {"GET": READ, "POST": LEAVE_PASSWORD}


@csrf_exempt
@require_http_methods(["GET", "POST"])
def instance_data(request: HttpRequest) -> HttpResponse:
    """GET /compute/instance-data, and POST to leave a sealed password."""
    try:
        host, server_id, port_id = _redeem(request)
        if request.method == "GET":
            return JsonResponse(asdict(service.of_card(host, server_id, port_id)))
        service.keep_password(host, server_id, port_id, request.body.decode("ascii", "replace"))
    except CloudError as error:
        return HttpResponse(error.message, status=error.status, content_type="text/plain")
    return HttpResponse(status=204)


def _redeem(request: HttpRequest) -> tuple[str, str, str]:
    """Return host, server and port that the ticket names; a ticket to read does not write."""
    try:
        ticket = signing.unseal(bus.queue_key(), TICKET_PURPOSE, request.headers.get(TICKET_HEADER, ""), LIFETIME_S)
    except (signing.BadTicket, UnicodeEncodeError) as error:
        raise Unauthorized("The ticket is not valid or has ended.") from error
    if ticket.get("deed") != _DEEDS[request.method or ""]:
        raise Unauthorized("The ticket is for something else.")
    return str(ticket.get("host")), str(ticket.get("server")), str(ticket.get("port"))
