"""Base of the pages: only for who is signed in, and every refusal of a service becomes a page in words."""

import json
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.http import JsonResponse as Json
from django.middleware.gzip import GZipMiddleware
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views import View

from portal.core.context import RequestContext
from portal.core.errors import CloudError, NotFound
from portal.dashboard.kit.words import sentence

PageResponse = HttpResponseBase
_GZIP = GZipMiddleware(lambda request: HttpResponse())


class PageView(View):
    """A page of the project in use. Without a session it leads to the sign-in page and back."""

    needs_project = True

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> PageResponse:
        ctx = getattr(request, "ctx", None)
        if ctx is None:
            return self.signed_out(request)
        if self.needs_project and ctx.project_id is None:
            return render(request, "dashboard/no_project.html", status=403)
        self.ctx: RequestContext = ctx
        try:
            answer = super().dispatch(request, *args, **kwargs)
        except CloudError as error:
            answer = refused(request, error)
        return squeezed(request, answer)

    def http_method_not_allowed(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        return wrong_method(request, self._allowed_methods())  # type: ignore[attr-defined]  # the stubs leave it out

    def signed_out(self, request: HttpRequest) -> PageResponse:
        if is_fragment(request) or wants_json(request):
            return HttpResponse(status=401)
        back = request.get_full_path() if request.method == "GET" else request.META.get("HTTP_REFERER", "/")
        return redirect(f"{reverse('account:sign-in')}?{urlencode({'next': back})}")


def squeezed(request: HttpRequest, answer: PageResponse) -> PageResponse:
    """Compress a page that was asked for with GET: a list of fifty rows shrinks to a tenth.

    What is secret (a new private key, the address of a console) is only ever the answer to a POST and stays as it is, so its
    length tells nothing; the CSRF token is masked anew each time, and the middleware adds a random length.
    """
    return _GZIP.process_response(request, answer) if request.method == "GET" else answer


def wrong_method(request: HttpRequest, allowed: list[str]) -> HttpResponse:
    """Answer an address that is for forms only, as somebody sees it who opens it by hand."""
    answer = render(request, "405.html", status=405)
    answer["Allow"] = ", ".join(allowed)
    return answer


def is_fragment(request: HttpRequest) -> bool:
    """Whether a script asks for a part of a page."""
    return request.headers.get("HX-Request") == "true"


def wants_json(request: HttpRequest) -> bool:
    """Whether a script asks for an answer that it reads itself."""
    return "application/json" in request.headers.get("Accept", "")


def refused(request: HttpRequest, error: CloudError) -> PageResponse:
    """Show a service's refusal: as JSON, as a part of the page, or as a page of its own."""
    words = sentence(error)
    if isinstance(error, NotFound):
        words = _("There is no such thing here, or it is not yours to see.")
    if wants_json(request):
        return Json({"message": words}, status=error.status)
    facts = {"error": error, "words": words, "title": title(error), "rule": getattr(error, "rule", "")}
    template = "kit/refused_part.html" if is_fragment(request) else "dashboard/refused.html"
    return render(request, template, facts, status=error.status)


def title(error: CloudError) -> str:
    """Return the heading of a refusal."""
    return {
        403: _("Not allowed"),
        404: _("Not there"),
        409: _("Not now"),
        413: _("Too large"),
    }.get(error.status, _("That did not work") if error.status < 500 else _("This page failed on our side"))


def panel(request: HttpRequest, template: str, facts: dict[str, Any], status: int = 200) -> HttpResponse:
    """Render a panel: the content of the dialog for a script, else a page of its own around the same template."""
    frame = "kit/dialog.html" if is_fragment(request) else "dashboard/panel.html"
    return render(request, template, {**facts, "frame": frame}, status=status)


def notice(response: HttpResponse, text: str, level: str = "success", **events: Any) -> HttpResponse:
    """Let the answer to a script raise a notice, and other events by name."""
    raised = {name.replace("_", "-").replace("nb-", "nb:", 1): detail for name, detail in events.items()}
    if text:
        raised["nb:notice"] = {"level": level, "text": text}
    response["HX-Trigger"] = json.dumps(raised)
    return response


def done(request: HttpRequest, text: str, url: str) -> HttpResponse:
    """Answer a deed that leads to another page: a notice there, and the way."""
    messages.success(request, text)
    if is_fragment(request):
        return HttpResponse(status=204, headers={"HX-Redirect": url})
    return redirect(url)
