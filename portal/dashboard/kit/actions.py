"""A button is a declaration: what it is called, which rule allows it, what it calls, and the command that does the same.

Whether it can be pressed follows from the rule and from the object's state, and a refusal keeps the reason, so that a grey
button can say why it is grey.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, ClassVar

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.functional import Promise, lazy
from django.utils.translation import gettext as _
from django.utils.translation import pgettext_lazy

from portal.core.context import RequestContext
from portal.core.errors import CloudError, NotFound
from portal.core.policy import Rule, decide
from portal.dashboard.kit.commands import Commands
from portal.dashboard.kit.pages import PageResponse, PageView, done, is_fragment, notice, panel
from portal.dashboard.kit.words import sentence


@dataclass(frozen=True)
class Verdict:
    """Whether something may be done now. A refusal says who refuses, why, and what would help."""

    allowed: bool
    reason: str | Promise = ""
    remedy: str | Promise = ""
    rule: Rule | None = None

    @property
    def meaning(self) -> str:
        """What the rule stands for, in words."""
        return _(self.rule.summary) if self.rule and self.rule.summary else ""


ALLOWED = Verdict(True)
_told = lazy(getattr, str)  # words are found when a page shows them


def verdict_of(ctx: RequestContext, rule: Rule, target: Any = None) -> Verdict:
    """Return the rule's answer in words."""
    decision = decide(ctx, rule, target)
    if decision.allowed:
        return ALLOWED
    return Verdict(False, _told(decision, "reason"), _told(decision, "remedy"), rule)


class RowAction:
    """Base of all buttons on an object. ``opens`` names the page of an action that only leads somewhere.

    ``short`` stands before the object's name in a dialog where the label would not. A ``rare`` one stands in a menu only in the
    states that allow it, a ``prominent`` one also beside the menu then.
    """

    name: ClassVar[str]
    label: ClassVar[str | Promise]
    short: ClassVar[str | Promise] = ""
    icon: ClassVar[str] = ""
    rule: ClassVar[Rule]
    perform: ClassVar[Callable[..., object]]
    subject: ClassVar[str]
    panel: ClassVar[str]
    danger: ClassVar[bool] = False
    asks_first: ClassVar[bool] = False
    opens: ClassVar[str] = ""
    group: ClassVar[str] = "change"
    rare: ClassVar[bool] = False
    prominent: ClassVar[bool] = False

    def verdict(self, ctx: RequestContext, obj: Any) -> Verdict:
        """Join what the rule says with what the object's state says."""
        answer = verdict_of(ctx, self.rule_for(obj), obj)
        if not answer.allowed:
            return answer
        reason, remedy = self.refusal_by_state(obj)
        return Verdict(False, reason, remedy) if reason else ALLOWED

    def rule_for(self, obj: Any) -> Rule:
        """Return the rule that is asked; a few depend on what the object is about."""
        return self.rule

    def refusal_by_state(self, obj: Any) -> tuple[str, str]:
        """Return why the object cannot do this now and when it can, or two empty strings."""
        return "", ""

    def command(self, obj: Any) -> Commands:
        """Return what one would type instead."""
        raise NotImplementedError

    def said(self, obj: Any) -> str:
        """Return the notice after the deed, empty when the row itself shows it."""
        return ""

    def run(self, ctx: RequestContext, obj: Any) -> None:
        """Call the service."""
        self.perform(ctx=ctx, **{self.subject: obj})

    def offer(self, ctx: RequestContext, obj: Any) -> "Offer":
        """Return this button for one object and one caller."""
        return Offer(self, obj, self.verdict(ctx, obj))


class DeleteAction(RowAction):
    """Base of the buttons that take an object away for good."""

    name = "delete"
    label = pgettext_lazy("action", "Delete")
    icon = "trash"
    group = "danger"
    danger = True
    asks_first = True


@dataclass(frozen=True)
class Offer:
    """A button as it stands on a page: an action, its object, and the verdict."""

    action: RowAction
    obj: Any
    verdict: Verdict

    @property
    def url(self) -> str:
        return self._address("action")

    @property
    def shown(self) -> bool:
        """Whether it stands in a menu."""
        return not self.action.rare or not self.action.refusal_by_state(self.obj)[0]

    @property
    def opens(self) -> str:
        return reverse(self.action.opens, args=[self.obj.pk]) if self.action.opens else ""

    @property
    def why_url(self) -> str:
        return self._address("why")

    @property
    def command_url(self) -> str:
        return self._address("command")

    @property
    def dom_id(self) -> str:
        return f"{self.action.name}-{self.obj.pk}"

    def _address(self, kind: str) -> str:
        return reverse(f"{self.action.panel}:{kind}", args=[self.obj.pk, self.action.name])


def offers(ctx: RequestContext, obj: Any, actions: Iterable[RowAction]) -> list[Offer]:
    """Return the buttons of one object."""
    return [action.offer(ctx, obj) for action in actions]


class ActionsView(PageView):
    """Base of a panel's three action addresses: do it, say why not, show the command."""

    actions: ClassVar[dict[str, RowAction]]

    def find(self, pk: str) -> Any:
        """Return the object, or raise NotFound for one that the caller may not see."""
        raise NotImplementedError

    def show(self, request: HttpRequest, obj: Any, said: str) -> HttpResponse:
        """Render the part of the page that the deed changed."""
        raise NotImplementedError

    def back(self, request: HttpRequest, obj: Any, action: RowAction) -> str:
        """Return where a form without scripts goes on."""
        return reverse(f"{action.panel}:list")

    def action(self, name: str) -> RowAction:
        try:
            return self.actions[name]
        except KeyError:
            raise NotFound("Action", name) from None


class ActionView(ActionsView):
    """POST: do it, and answer with the changed row. GET: ask first, on a page or in the dialog."""

    def get(self, request: HttpRequest, pk: str, name: str) -> PageResponse:
        action, obj = self.action(name), self.find(pk)
        offer = action.offer(self.ctx, obj)
        template = self.template(action) if offer.verdict.allowed else "kit/why.html"
        return panel(request, template, {"offer": offer, "obj": obj, **self.facts(action, obj)})

    def post(self, request: HttpRequest, pk: str, name: str) -> PageResponse:
        action, obj = self.action(name), self.find(pk)
        if action.opens:
            return redirect(action.opens, obj.pk)
        try:
            self.run(request, action, obj)
        except CloudError as error:
            return self.failed(request, action, obj, error)
        return self.did(request, action, obj)

    def run(self, request: HttpRequest, action: RowAction, obj: Any) -> None:
        """Do it; an action whose dialog asks for more is given that here."""
        action.run(self.ctx, obj)

    def did(self, request: HttpRequest, action: RowAction, obj: Any) -> PageResponse:
        """Answer a deed that was accepted."""
        if not is_fragment(request):
            messages.success(request, action.said(obj) or _("%(what)s: accepted.") % {"what": action.label})
            return redirect(self.back(request, obj, action))
        if action.danger and str(obj.pk) in request.headers.get("HX-Current-URL", ""):
            return done(request, action.said(obj), self.back(request, obj, action))
        if request.POST.get("from") == "dialog":
            answer = HttpResponse(status=204)
            return notice(answer, action.said(obj), nb_close_dialog={}, nb_refresh={"id": str(obj.pk)})
        return notice(self.show(request, self.find(str(obj.pk)), ""), action.said(obj))

    def failed(self, request: HttpRequest, action: RowAction, obj: Any, error: CloudError) -> PageResponse:
        """Answer a refusal beside the row, in the dialog, or on a page."""
        if is_fragment(request) and request.POST.get("from") != "dialog":
            return self.show(request, obj, sentence(error))
        return self.ask_again(request, action, obj, error)

    def ask_again(self, request: HttpRequest, action: RowAction, obj: Any, error: CloudError) -> PageResponse:
        """Show the question once more, with the refusal."""
        facts = {"offer": action.offer(self.ctx, obj), "obj": obj, "fault": sentence(error), **self.facts(action, obj)}
        return panel(request, self.template(action), facts, status=error.status)

    def template(self, action: RowAction) -> str:
        """Return the template that asks before the deed."""
        return "kit/confirm.html"

    def facts(self, action: RowAction, obj: Any) -> dict[str, Any]:
        """Return what that template needs besides."""
        return {}


class DialogActionView(ActionView):
    """Base for panels whose buttons all ask first, and whose deeds lead back to a page."""

    def did(self, request: HttpRequest, action: RowAction, obj: Any) -> PageResponse:
        return done(request, action.said(obj), self.back(request, obj, action))

    def failed(self, request: HttpRequest, action: RowAction, obj: Any, error: CloudError) -> PageResponse:
        return self.ask_again(request, action, obj, error)

    def facts(self, action: RowAction, obj: Any) -> dict[str, Any]:
        return {"back": self.back(self.request, obj, action)}


class WhyView(ActionsView):
    """Why a grey button is grey: the rule or state, what failed, who can help."""

    def get(self, request: HttpRequest, pk: str, name: str) -> PageResponse:
        action, obj = self.action(name), self.find(pk)
        return panel(request, "kit/why.html", {"offer": action.offer(self.ctx, obj), "obj": obj})


class CommandView(ActionsView):
    """The commands behind a button."""

    def get(self, request: HttpRequest, pk: str, name: str) -> PageResponse:
        action, obj = self.action(name), self.find(pk)
        facts = {"action": action, "obj": obj, "commands": action.command(obj)}
        return panel(request, "kit/command_panel.html", facts)
