"""With whom an object is shared: shown on its own page, changed here; and what is shared with me."""

from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from accounts.models import Share
from accounts.services import shares
from portal.core.context import RequestContext
from portal.core.errors import CloudError, NotFound
from portal.dashboard.access.forms import ShareForm
from portal.dashboard.access.kinds import KINDS, SharedKind, kind_of
from portal.dashboard.kit.actions import verdict_of
from portal.dashboard.kit.pages import PageResponse, PageView, done


def access_facts(ctx: RequestContext, kind: SharedKind, obj: Any, form: ShareForm | None = None) -> dict[str, Any]:
    """Return what the card on an object's page shows."""
    verdict = verdict_of(ctx, shares.rule_of(obj), obj)
    rows = (
        list(shares.of_object(obj))
        if verdict.allowed
        else [row for row in shares.of_object(obj) if row.user_id == ctx.user_id]
    )
    return {
        "kind": kind,
        "obj": obj,
        "shares": rows,
        "may_share": verdict,
        "form": form or ShareForm(ctx),
        "open": form is not None,
    }


class ShareView(PageView):
    """POST shares an object. GET, and a form with faults, show the card on a page of its own."""

    def get(self, request: HttpRequest, kind: str, pk: Any) -> PageResponse:
        found = self.kind(kind)
        return redirect(found.url(str(found.find(self.ctx, str(pk)).pk)))

    def post(self, request: HttpRequest, kind: str, pk: Any) -> PageResponse:
        found = self.kind(kind)
        obj = found.find(self.ctx, str(pk))
        form = ShareForm(self.ctx, request.POST)
        if not form.is_valid() or form.submit(lambda: self.share(found, obj, form)) is None:
            return render(request, "access/page.html", {"access": access_facts(self.ctx, found, obj, form)}, status=400)
        name = form.cleaned_data["name"]
        return done(request, _("Shared with %(name)s.") % {"name": name}, found.url(str(obj.pk)))

    def share(self, kind: SharedKind, obj: Any, form: ShareForm) -> Share:
        given = form.cleaned_data
        return shares.share(
            ctx=self.ctx,
            obj=obj,
            owner_project_id=kind.owner(obj),
            level=given["level"],
            user=given.get("user"),
            project=given.get("project"),
            ends_at=form.ends_at(),
        )

    def kind(self, name: str) -> SharedKind:
        """Return the kind of the address."""
        if name not in KINDS:
            raise NotFound("Kind", name)
        return KINDS[name]


class EndView(ShareView):
    """POST ends one share of an object."""

    http_method_names = ["post"]

    def post(self, request: HttpRequest, kind: str, pk: Any, share: str) -> PageResponse:  # type: ignore[override]
        found = self.kind(kind)
        obj = found.find(self.ctx, str(pk))
        shares.withdraw(ctx=self.ctx, obj=obj, share_id=share)
        try:
            found.find(self.ctx, str(pk))
        except CloudError:
            return done(request, _("It is not shared with you any more."), "/")
        return done(request, _("It is not shared any more."), found.url(str(obj.pk)))


@dataclass(frozen=True)
class Line:
    """One share on the person's own page."""

    share: Share
    kind: SharedKind
    name: str

    @property
    def url(self) -> str:
        return self.kind.url(self.share.object_pk)


class ListView(PageView):
    """What is shared with me and with my project, and what of my project others may use."""

    def get(self, request: HttpRequest) -> PageResponse:
        facts = {"received": _lines(self.ctx, shares.received(self.ctx)), "given": _lines(self.ctx, shares.given_in(self.ctx))}
        return render(request, "access/list.html", facts)


def _lines(ctx: RequestContext, rows: Any) -> list[Line]:
    found = []
    for row in rows:
        kind = kind_of(row.content_type.model_class())
        if kind is None:
            continue
        try:
            found.append(Line(row, kind, str(kind.find(ctx, row.object_pk))))
        except CloudError:  # what the caller may not see is not named
            continue
    return found
