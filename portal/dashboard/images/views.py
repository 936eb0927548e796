"""The pages of images: list, upload, detail."""

from typing import Any
from urllib.parse import urlsplit

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _

from images import policies
from images.models import Image
from images.selectors import get_image
from images.services import pieces, protections, registry, transfer
from images.states import ImageStatus
from portal.core.context import RequestContext
from portal.core.policy import allowed
from portal.dashboard.access.kinds import KINDS
from portal.dashboard.access.views import access_facts
from portal.dashboard.images import definitions
from portal.dashboard.images.actions import ACTIONS, BY_NAME
from portal.dashboard.images.forms import ImageForm
from portal.dashboard.images.tables import ImageTable
from portal.dashboard.images.words import VISIBILITY, status_of
from portal.dashboard.kit.actions import ActionView, CommandView, RowAction, Verdict, WhyView, offers, verdict_of
from portal.dashboard.kit.commands import Commands, curl, openstack, terraform
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
        image = form.submit(lambda: self.create(form)) if form.is_valid() else None
        if image is None:
            return self.refuse(request, form)
        detail = reverse("images:detail", args=[image.pk])
        if wants_json(request):
            return JsonResponse(upload_facts(self.ctx, image))
        return done(request, _("%(name)s waits for its data.") % {"name": image}, detail)

    def create(self, form: ImageForm) -> Image:
        return registry.create(ctx=self.ctx, wanted={"container_format": "bare", **form.cleaned_data})

    def refuse(self, request: HttpRequest, form: ImageForm) -> PageResponse:
        if wants_json(request):
            return JsonResponse({"message": form.all_faults()}, status=400)
        return self.show(request, form, 400)

    def show(self, request: HttpRequest, form: ImageForm, status: int = 200) -> HttpResponse:
        facts = {"form": form, "verdict": add_verdict(self.ctx), "commands": upload_commands()}
        return render(request, "images/new.html", facts, status=status)


def upload_commands() -> Commands:
    """Return what one would type to make and upload an image."""
    file = "debian-12.qcow2"
    body = {"name": "debian-12", "disk_format": "qcow2", "container_format": "bare", "visibility": "private"}
    return Commands(
        openstack("image", "create", "debian-12", "--disk-format", "qcow2", "--container-format", "bare", "--file", file),
        "\n\n".join([curl("POST", "/image/v2/images", body), curl("PUT", "/image/v2/images/IMAGE_ID/file", send_file=file)]),
        terraform("openstack_images_image_v2", "debian-12", **body, local_file_path=file),
    )


class WhyNewView(PageView):
    def get(self, request: HttpRequest) -> PageResponse:
        return panel(request, "kit/why_verdict.html", {"what": _("Upload image"), "verdict": add_verdict(self.ctx)})


class DetailView(PageView):
    def get(self, request: HttpRequest, pk: Any) -> PageResponse:
        image = get_image(self.ctx, str(pk))
        waits = image.status == ImageStatus.QUEUED or image.upload_offset is not None
        may_upload = waits and allowed(self.ctx, policies.UPLOAD_IMAGE, image)
        custom = protections.reader(self.ctx)(image.custom)
        known = definitions.known(self.ctx, custom)
        facts = {
            "image": image,
            "status": status_of(image),
            "visible_to": VISIBILITY.get(image.visibility, image.visibility),
            "properties": [(name, value, known.get(name)) for name, value in sorted(custom.items())],
            "offers": offers(self.ctx, image, ACTIONS),
            "may_upload": may_upload,
            "arrived": image.upload_offset,
            "access": access_facts(self.ctx, KINDS["image"], image),
        }
        return render(request, "images/detail.html", facts)


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
        return get_image(self.ctx, str(pk))  # type: ignore[attr-defined]


class ImageActionView(ImageActions, ActionView):
    def show(self, request: HttpRequest, obj: Image, said: str) -> HttpResponse:
        table = ImageTable(self.ctx, request.GET)
        return HttpResponse(table.render_row(table.dressed([obj], {obj.pk: said})[0], request))

    def template(self, action: RowAction) -> str:
        return "images/delete.html"

    def facts(self, action: RowAction, obj: Image) -> dict[str, Any]:
        return {"back": reverse("images:detail", args=[obj.pk])}


class ImageWhyView(ImageActions, WhyView):
    pass


class ImageCommandView(ImageActions, CommandView):
    pass
