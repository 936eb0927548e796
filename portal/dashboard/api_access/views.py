"""API access: where the services answer, files for clients, and what acts in one's name; secrets are shown once or never."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache

from accounts import selectors
from accounts.models import ApplicationCredential
from accounts.models.credential import EC2
from accounts.services import application_credentials
from portal.dashboard.api_access import files, held
from portal.dashboard.api_access.actions import ACTIONS, BY_NAME, CREDENTIAL_ACTIONS, TRUST_ACTIONS
from portal.dashboard.api_access.forms import NewCredentialForm
from portal.dashboard.kit.actions import CommandView, DialogActionView, RowAction, WhyView, offers
from portal.dashboard.kit.commands import Commands, curl, openstack
from portal.dashboard.kit.pages import PageResponse, PageView, panel
from portal.dashboard.kit.tables import Row


class ListView(PageView):
    def get(self, request: HttpRequest) -> PageResponse:
        mine = application_credentials.visible(self.ctx, str(self.ctx.user_id)).select_related("project")
        others = [Row(line, offers(self.ctx, line, CREDENTIAL_ACTIONS)) for line in held.credential_lines(self.ctx)]
        public = [
            {"type": entry["type"], "name": entry["name"], "url": endpoint["url"]}
            for entry in selectors.catalog(self.ctx)
            for endpoint in entry["endpoints"]
            if endpoint["interface"] == "public"
        ]
        facts = {
            "rows": [Row(row, offers(self.ctx, row, ACTIONS)) for row in mine],
            "pairs": [line for line in others if line.obj.row.type == EC2],
            "others": [line for line in others if line.obj.row.type != EC2],
            "trusts": [Row(line, offers(self.ctx, line, TRUST_ACTIONS)) for line in held.trust_lines(self.ctx)],
            "endpoints": public,
            "first_commands": "\n".join(["source openrc.sh", "openstack server list", "openstack image list"]),
        }
        return render(request, "api_access/list.html", facts)


class CloudsView(PageView):
    """The file clouds.yaml for the project in use."""

    def get(self, request: HttpRequest) -> PageResponse:
        return attached(files.clouds_yaml(self.ctx), "clouds.yaml", "application/yaml")


class OpenrcView(PageView):
    """The file openrc.sh for the project in use."""

    def get(self, request: HttpRequest) -> PageResponse:
        return attached(files.openrc(self.ctx), "openrc.sh", "text/x-shellscript")


def attached(text: str, name: str, kind: str) -> HttpResponse:
    """Return a text as a file to keep."""
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return HttpResponse(text, content_type=f"{kind}; charset=utf-8", headers=headers)


@method_decorator(never_cache, name="dispatch")
class NewView(PageView):
    """Make an application credential for the project in use. The answer is the only page that ever shows its secret."""

    def get(self, request: HttpRequest) -> PageResponse:
        return self.show(request, NewCredentialForm(self.ctx))

    def post(self, request: HttpRequest) -> PageResponse:
        form = NewCredentialForm(self.ctx, request.POST)
        made = form.submit(lambda: self.make(form)) if form.is_valid() else None
        if made is None:
            return self.show(request, form, 400)
        row, secret = made
        text = files.clouds_yaml_of_credential(row.pk, secret)
        return panel(request, "api_access/made.html", {"row": row, "secret": secret, "clouds": text})

    def make(self, form: NewCredentialForm) -> tuple[ApplicationCredential, str]:
        given = form.cleaned_data
        return application_credentials.create(
            ctx=self.ctx,
            user_id=str(self.ctx.user_id),
            name=given["name"],
            description=given["description"] or None,
            roles=[{"name": name} for name in given["roles"]],
            expires_at=form.ends_at(),
        )

    def show(self, request: HttpRequest, form: NewCredentialForm, status: int = 200) -> HttpResponse:
        name = str(form["name"].value() or "backup-script")
        path = f"/identity/v3/users/{self.ctx.user_id}/application_credentials"
        body = {"application_credential": {"name": name, "roles": [{"name": "member"}]}}
        line = openstack("application", "credential", "create", name, "--role", "member")
        facts = {"form": form, "commands": Commands(line, curl("POST", path, body))}
        return panel(request, "api_access/new.html", facts, status)


class CredentialActions:
    actions: dict[str, RowAction] = dict(BY_NAME)

    def find(self, pk: str) -> ApplicationCredential:
        ctx = self.ctx  # type: ignore[attr-defined]
        return application_credentials.get(ctx, ctx.user_id, pk)


class DeletingView(DialogActionView):
    """Base of the views that end something and lead back to the list."""

    def back(self, request: HttpRequest, obj: Any, action: RowAction) -> str:
        return reverse("api-access:list")

    def template(self, action: RowAction) -> str:
        return "api_access/delete.html"


class CredentialActionView(CredentialActions, DeletingView):
    pass


class CredentialWhyView(CredentialActions, WhyView):
    pass


class CredentialCommandView(CredentialActions, CommandView):
    pass


class OtherActions:
    actions: dict[str, RowAction] = {action.name: action for action in CREDENTIAL_ACTIONS}

    def find(self, pk: str) -> held.CredentialLine:
        return held.find_credential(self.ctx, pk)  # type: ignore[attr-defined]


class OtherActionView(OtherActions, DeletingView):
    pass


class OtherWhyView(OtherActions, WhyView):
    pass


class OtherCommandView(OtherActions, CommandView):
    pass


class TrustActions:
    actions: dict[str, RowAction] = {action.name: action for action in TRUST_ACTIONS}

    def find(self, pk: str) -> held.TrustLine:
        return held.find_trust(self.ctx, pk)  # type: ignore[attr-defined]


class TrustActionView(TrustActions, DeletingView):
    pass


class TrustWhyView(TrustActions, WhyView):
    pass


class TrustCommandView(TrustActions, CommandView):
    pass
