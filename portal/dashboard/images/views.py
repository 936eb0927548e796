"""The pages of images: list, upload, detail."""

from typing import Any
from urllib.parse import urlsplit

from django.db import transaction
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _

from images import policies
from images.models import Image
from images.selectors import get_image
from images.services import pieces, registry, transfer
from images.services.imports import requests, steering
from portal.core.context import RequestContext
from portal.core.policy import allowed
from portal.dashboard.images import definitions
from portal.dashboard.images.actions import BY_NAME, CopyToStore
from portal.dashboard.images.commands import new_commands
from portal.dashboard.images.detail import detail, find, live_facts
from portal.dashboard.images.forms import ImageForm
from portal.dashboard.images.tables import ImageTable
from portal.dashboard.kit.actions import ActionView, CommandView, RowAction, Verdict, WhyView, verdict_of
from portal.dashboard.kit.pages import PageResponse, PageView, done, panel, wants_json


def add_verdict(ctx: RequestContext) -> Verdict:
    """Return whether the caller may add images here, and why not."""
    return verdict_of(ctx, policies.ADD_IMAGE, {"project_id": ctx.project_id, "owner": ctx.project_id})


def upload_address(ctx: RequestContext, image: Image) -> str:
    """Return where the browser puts the bytes, without a host: the page's own is the only one it may speak to."""
    found = urlsplit(transfer.upload_ticket(ctx, image))
    return f"{found.path}?{found.query}"


def upload_facts(ctx: RequestContext, image: Image) -> dict[str, Any]:
    """Return what the browser must know to send an image's bytes; ``total`` is their number once an upload in pieces began."""
    began = image.upload_offset is not None
    return {
        "upload": upload_address(ctx, image),
        "detail": reverse("images:detail", args=[image.pk]),
        "again": reverse("images:upload", args=[image.pk]),
        "pieces": began or pieces.may_resume(),
        "total": image.upload_bytes if began else None,
    }


class ListView(PageView):
    def get(self, request: HttpRequest) -> PageResponse:
        return render(request, "images/list.html", {"table": ImageTable(self.ctx, request.GET), "add": add_verdict(self.ctx)})


class RowsView(PageView):
    def get(self, request: HttpRequest) -> PageResponse:
        return ImageTable(self.ctx, request.GET).answer(request)


class NewView(PageView):
    """Make an image's record. With scripts the answer tells where the bytes go; without, the detail page says how."""

    def form(self, *args: Any) -> ImageForm:
        public = {"project_id": self.ctx.project_id, "owner": self.ctx.project_id}
        return ImageForm(*args, may_publish=allowed(self.ctx, policies.PUBLICIZE_IMAGE, public))

    def get(self, request: HttpRequest) -> PageResponse:
        return self.show(request, self.form())

    def post(self, request: HttpRequest) -> PageResponse:
        form = self.form(request.POST)
        if (
            wants_json(request) and "address" in form.fields and request.POST.get("address")
        ):  # only a page that sends a file reads JSON
            form.add_error("address", _("Choose either a file or an address."))
        image = form.submit(lambda: self.create(form)) if form.is_valid() else None
        if image is None:
            return self.refuse(request, form)
        detail = reverse("images:detail", args=[image.pk])
        if wants_json(request):
            return JsonResponse(upload_facts(self.ctx, image))
        fetched = _("%(name)s is being fetched.") if form.cleaned_data.get("address") else _("%(name)s waits for its data.")
        return done(request, fetched % {"name": image}, detail)

    @transaction.atomic
    def create(self, form: ImageForm) -> Image:
        """Make the record and, for data from the web, begin its import: both or none."""
        image = registry.create(ctx=self.ctx, wanted={"container_format": "bare", **form.record})
        if address := form.cleaned_data.get("address"):
            requests.ask(ctx=self.ctx, image=image, wanted={"method": {"name": requests.WEB, "uri": address}})
        return image

    def refuse(self, request: HttpRequest, form: ImageForm) -> PageResponse:
        if wants_json(request):
            return JsonResponse({"message": form.all_faults()}, status=400)
        return self.show(request, form, 400)

    def show(self, request: HttpRequest, form: ImageForm, status: int = 200) -> HttpResponse:
        facts = {"form": form, "verdict": add_verdict(self.ctx), "commands": new_commands(form)}
        return render(request, "images/new.html", facts, status=status)


class CommandsView(NewView):
    """The commands beside the form, for what stands in it now."""

    http_method_names = ["post"]

    def post(self, request: HttpRequest) -> PageResponse:
        return render(request, "images/new_commands.html", {"commands": new_commands(self.form(request.POST))})


class WhyNewView(PageView):
    def get(self, request: HttpRequest) -> PageResponse:
        return panel(request, "kit/why_verdict.html", {"what": _("Create image"), "verdict": add_verdict(self.ctx)})


class DetailView(PageView):
    def get(self, request: HttpRequest, pk: Any) -> PageResponse:
        return render(request, "images/detail.html", detail(self.ctx, find(self.ctx, pk)))


class LiveView(PageView):
    """The parts of an image's page that change while one looks; ``X-View`` tells which whole they belong to."""

    def get(self, request: HttpRequest, pk: Any) -> PageResponse:
        facts = live_facts(self.ctx, find(self.ctx, pk))
        answer = render(request, "images/live.html", facts)
        answer["X-View"] = facts["view"]
        answer["Cache-Control"] = "no-store"
        return answer


class DefinitionsView(PageView):
    """What the properties of images and flavors mean."""

    def get(self, request: HttpRequest) -> PageResponse:
        found = definitions.listed(self.ctx)
        kind = request.GET.get("for", definitions.IMAGE)
        facts = {"kinds": definitions.kinds(found), "kind": kind, "groups": definitions.groups_for(kind, found)}
        return render(request, "images/definitions.html", facts)


class UploadView(PageView):
    """POST: an address for the bytes of an image that waits for them."""

    http_method_names = ["post"]

    def post(self, request: HttpRequest, pk: Any) -> PageResponse:
        image = get_image(self.ctx, str(pk))
        return JsonResponse(upload_facts(self.ctx, image))


class ImageActions:
    actions: dict[str, RowAction] = dict(BY_NAME)

    def find(self, pk: Any) -> Image:
        return find(self.ctx, pk)  # type: ignore[attr-defined]


class ImageActionView(ImageActions, ActionView):
    def run(self, request: HttpRequest, action: RowAction, obj: Image) -> None:
        if isinstance(action, CopyToStore):
            action.copy(self.ctx, obj, request.POST.get("store", ""))
        else:
            super().run(request, action, obj)

    def show(self, request: HttpRequest, obj: Image, said: str) -> HttpResponse:
        if request.POST.get("from") == "head":
            return render(request, "images/head.html", {**live_facts(self.ctx, obj), "note": said})
        table = ImageTable(self.ctx, request.GET)
        return HttpResponse(table.render_row(table.dressed([obj], {obj.pk: said})[0], request))

    def template(self, action: RowAction) -> str:
        return {"delete": "images/delete.html", "copy": "images/copy.html"}.get(action.name, "kit/confirm.html")

    def facts(self, action: RowAction, obj: Image) -> dict[str, Any]:
        facts: dict[str, Any] = {"back": reverse("images:detail", args=[obj.pk])}
        if isinstance(action, CopyToStore):
            facts["stores"] = steering.copy_targets(obj)
        return facts


class ImageWhyView(ImageActions, WhyView):
    pass


class ImageCommandView(ImageActions, CommandView):
    pass
