"""Keys: a user's own, in every project the same. A private key that we make is shown once and kept nowhere."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache

from compute import policies
from compute.models import Keypair
from compute.selectors import list_keypairs
from compute.services import keypairs
from portal.core.errors import NotFound
from portal.dashboard.keys.actions import ACTIONS, BY_NAME
from portal.dashboard.keys.forms import ImportKeyForm, NewKeyForm
from portal.dashboard.kit.actions import CommandView, DialogActionView, RowAction, WhyView, offers, verdict_of
from portal.dashboard.kit.commands import Commands, curl, openstack, terraform
from portal.dashboard.kit.pages import PageResponse, PageView, done, panel
from portal.dashboard.kit.tables import Row


class ListView(PageView):
    def get(self, request: HttpRequest) -> PageResponse:
        rows = [Row(key, offers(self.ctx, key, ACTIONS)) for key in list_keypairs(self.ctx)]
        mine = {"user_id": self.ctx.user_id}
        return render(
            request, "keys/list.html", {"rows": rows, "create": verdict_of(self.ctx, policies.KEYPAIRS_CREATE, mine)}
        )


@method_decorator(never_cache, name="dispatch")
class NewView(PageView):
    """Make a key pair. The answer is the only page that ever shows the private half."""

    def get(self, request: HttpRequest) -> PageResponse:
        return self.show(request, NewKeyForm())

    def post(self, request: HttpRequest) -> PageResponse:
        form = NewKeyForm(request.POST)
        made = form.submit(lambda: keypairs.create(ctx=self.ctx, name=form.cleaned_data["name"])) if form.is_valid() else None
        if made is None:
            return self.show(request, form, 400)
        return panel(request, "keys/made.html", {"key": made.keypair, "private_key": made.private_key})

    def show(self, request: HttpRequest, form: NewKeyForm, status: int = 200) -> HttpResponse:
        name = str(form["name"].value() or "laptop")
        body = {"keypair": {"name": name}}
        commands = Commands(
            openstack("keypair", "create", name, "--private-key", f"{name}.pem"),
            curl("POST", "/compute/v2.1/os-keypairs", body),
            terraform("openstack_compute_keypair_v2", name, name=name),
        )
        return panel(request, "keys/new.html", {"form": form, "commands": commands}, status)


class ImportView(PageView):
    """Take in a public key that the user has already."""

    def get(self, request: HttpRequest) -> PageResponse:
        return self.show(request, ImportKeyForm())

    def post(self, request: HttpRequest) -> PageResponse:
        form = ImportKeyForm(request.POST)
        made = form.submit(lambda: self.take(form)) if form.is_valid() else None
        if made is None:
            return self.show(request, form, 400)
        return done(request, _("The key %(name)s is imported.") % {"name": made.name}, reverse("keys:list"))

    def take(self, form: ImportKeyForm) -> Keypair:
        given = form.cleaned_data
        return keypairs.import_(ctx=self.ctx, name=given["name"], public_key=given["public_key"].strip())

    def show(self, request: HttpRequest, form: ImportKeyForm, status: int = 200) -> HttpResponse:
        name = str(form["name"].value() or "laptop")
        body = {"keypair": {"name": name, "public_key": "$PUBLIC_KEY"}}
        commands = Commands(
            openstack("keypair", "create", name, "--public-key", "id_ed25519.pub"),
            curl("POST", "/compute/v2.1/os-keypairs", body),
            terraform("openstack_compute_keypair_v2", name, name=name, public_key="ssh-ed25519 …"),
        )
        return panel(request, "keys/import.html", {"form": form, "commands": commands}, status)


class KeyActions:
    actions: dict[str, RowAction] = dict(BY_NAME)

    def find(self, pk: Any) -> Keypair:
        found = next((key for key in list_keypairs(self.ctx) if key.pk == int(pk)), None)  # type: ignore[attr-defined]
        if found is None:
            raise NotFound("Keypair", pk)
        return found


class KeyActionView(KeyActions, DialogActionView):
    def template(self, action: RowAction) -> str:
        return "keys/delete.html"


class KeyWhyView(KeyActions, WhyView):
    pass


class KeyCommandView(KeyActions, CommandView):
    pass
