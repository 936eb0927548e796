"""Security groups: the list, one group with its rules and who is in it, and the forms that change them."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _

from compute.models import Server
from compute.network import policies
from compute.network.group_selectors import devices_in, get_group_in_use
from compute.network.models import SecurityGroup, SecurityGroupRule
from compute.network.selectors import security_group_rules_visible
from compute.network.services import security_group_rules, security_groups
from compute.selectors import servers_visible
from portal.core.context import RequestContext
from portal.core.errors import BadRequest, NotFound
from portal.dashboard.kit.actions import CommandView, DialogActionView, RowAction, Verdict, WhyView, offers, verdict_of
from portal.dashboard.kit.commands import Commands
from portal.dashboard.kit.pages import PageResponse, PageView, done, panel
from portal.dashboard.kit.tables import Row
from portal.dashboard.security_groups import commands
from portal.dashboard.security_groups.actions import ACTIONS, BY_NAME, RULE_ACTIONS, RULES_BY_NAME
from portal.dashboard.security_groups.choices import groups_of
from portal.dashboard.security_groups.forms import PRESETS, EditGroupForm, GroupForm, RuleForm
from portal.dashboard.security_groups.tables import GroupTable
from portal.dashboard.security_groups.words import RuleLine, line_of, lines_of

MOST_MEMBERS = 50


def address_of(group_id: str) -> str:
    """Return the address of a group's page."""
    return reverse("security-groups:detail", args=[group_id])


def creation(ctx: RequestContext) -> Verdict:
    """Return whether the caller may make groups here."""
    return verdict_of(ctx, policies.CREATE_SECURITY_GROUP, SecurityGroup(project_id=ctx.project_id or ""))


class ListView(PageView):
    def get(self, request: HttpRequest) -> PageResponse:
        groups_of(self.ctx, self.ctx.project_id or "")
        return render(
            request, "security_groups/list.html", {"table": GroupTable(self.ctx, request.GET), "create": creation(self.ctx)}
        )


class WhyNewView(PageView):
    def get(self, request: HttpRequest) -> PageResponse:
        facts = {"what": _("Create security group"), "verdict": creation(self.ctx)}
        return panel(request, "kit/why_verdict.html", facts)


class DetailView(PageView):
    """One group. Its members are those instances that the caller sees."""

    def get(self, request: HttpRequest, pk: Any) -> PageResponse:
        group = get_group_in_use(self.ctx, str(pk))
        members = servers_visible(self.ctx).filter(pk__in=devices_in(group)).order_by("name", "pk")
        shown: list[Server] = list(members[: MOST_MEMBERS + 1])
        lines = lines_of(_with_group(group))
        facts = {
            "group": group,
            "rows": [Row(line, offers(self.ctx, line, RULE_ACTIONS)) for line in lines],
            "shut": not any(line.incoming for line in lines),
            "offers": offers(self.ctx, group, ACTIONS),
            "add": adding(self.ctx, group),
            "members": shown[:MOST_MEMBERS],
            "more": len(shown) > MOST_MEMBERS,
        }
        return render(request, "security_groups/detail.html", facts)


def _with_group(group: SecurityGroup) -> list[SecurityGroupRule]:
    """Return the rules, each with this very group, which the policy asks for."""
    rules = list(group.rules.all())
    for rule in rules:
        rule.security_group = group
    return rules


def adding(ctx: RequestContext, group: SecurityGroup) -> Verdict:
    """Return whether the caller may add rules to a group."""
    rule = SecurityGroupRule(security_group=group, project_id=group.project_id)
    return verdict_of(ctx, policies.CREATE_SECURITY_GROUP_RULE, rule)


class NewView(PageView):
    def get(self, request: HttpRequest) -> PageResponse:
        return self.show(request, GroupForm())

    def post(self, request: HttpRequest) -> PageResponse:
        form = GroupForm(request.POST)
        made = form.submit(lambda: self.make(form)) if form.is_valid() else None
        if made is None:
            return self.show(request, form, 400)
        return done(request, _("The security group %(name)s is made.") % {"name": made.name}, address_of(made.pk))

    def make(self, form: GroupForm) -> SecurityGroup:
        given = form.cleaned_data
        return security_groups.create(ctx=self.ctx, values={"name": given["name"], "description": given["description"]})

    def show(self, request: HttpRequest, form: GroupForm, status: int = 200) -> HttpResponse:
        facts = {"form": form, "commands": commands.new_group(str(form["name"].value() or "web"))}
        return panel(request, "security_groups/new.html", facts, status)


class NewRuleView(PageView):
    """Add a rule. ``?preset=ssh`` opens the form with that chosen."""

    def get(self, request: HttpRequest, pk: Any) -> PageResponse:
        group = get_group_in_use(self.ctx, str(pk))
        known = {name: request.GET[name] for name in RuleForm.base_fields if name in request.GET}
        return self.show(request, group, RuleForm(self.ctx, group, initial=known))

    def post(self, request: HttpRequest, pk: Any) -> PageResponse:
        group = get_group_in_use(self.ctx, str(pk))
        form = RuleForm(self.ctx, group, request.POST)
        made = form.submit(lambda: self.make(group, form)) if form.is_valid() else None
        if made is None:
            return self.show(request, group, form, 400)
        return done(request, _("The rule is added: %(rule)s.") % {"rule": line_of(made).sentence}, address_of(group.pk))

    def make(self, group: SecurityGroup, form: RuleForm) -> SecurityGroupRule:
        return security_group_rules.create(ctx=self.ctx, group=group, values=form.values())

    def show(self, request: HttpRequest, group: SecurityGroup, form: RuleForm, status: int = 200) -> HttpResponse:
        verdict = adding(self.ctx, group)
        if not verdict.allowed:
            refused = 403 if request.method == "POST" else status
            return panel(request, "kit/why_verdict.html", {"what": _("Add rule"), "verdict": verdict}, refused)
        facts = {"group": group, "form": form, "commands": proposed(group, form), "back": address_of(group.pk)}
        return panel(request, "security_groups/new_rule.html", facts, status)


class RulePreviewView(PageView):
    """The command for what stands in the form now; nothing changes while it cannot be sent."""

    def post(self, request: HttpRequest, pk: Any) -> PageResponse:
        group = get_group_in_use(self.ctx, str(pk))
        form = RuleForm(self.ctx, group, request.POST)
        if not form.is_valid():
            return HttpResponse(status=204)
        return render(request, "security_groups/rule_commands.html", {"commands": commands.new_rule(group, form.values())})


def proposed(group: SecurityGroup, form: RuleForm) -> Commands:
    """Return the command for a form that was just opened, or that came back."""
    if form.is_bound and form.is_valid():
        return commands.new_rule(group, form.values())
    preset = PRESETS.get(str(form["preset"].value()), {})
    return commands.new_rule(group, {"direction": "ingress", "ethertype": "IPv4", **preset})


class GroupActions:
    actions: dict[str, RowAction] = BY_NAME

    def find(self, pk: Any) -> SecurityGroup:
        return get_group_in_use(self.ctx, str(pk))  # type: ignore[attr-defined]


class GroupActionView(GroupActions, DialogActionView):
    def run(self, request: HttpRequest, action: RowAction, obj: SecurityGroup) -> None:
        if action.name != "edit":
            super().run(request, action, obj)
            return
        form = EditGroupForm(obj, request.POST)
        if not form.is_valid():
            raise BadRequest(form.all_faults())
        security_groups.change(ctx=self.ctx, group=obj, values=form.cleaned_data)

    def back(self, request: HttpRequest, obj: SecurityGroup, action: RowAction) -> str:
        return address_of(obj.pk) if action.name == "edit" else reverse("security-groups:list")

    def template(self, action: RowAction) -> str:
        return "instances/filled.html" if action.name == "edit" else "security_groups/delete.html"

    def facts(self, action: RowAction, obj: SecurityGroup) -> dict[str, Any]:
        facts = super().facts(action, obj)
        if action.name == "edit":
            facts["form"] = EditGroupForm(obj, initial=self.request.POST.dict())
        return facts


class GroupWhyView(GroupActions, WhyView):
    pass


class GroupCommandView(GroupActions, CommandView):
    pass


class RuleActions:
    actions: dict[str, RowAction] = RULES_BY_NAME

    def find(self, pk: Any) -> RuleLine:
        rows = security_group_rules_visible(self.ctx).select_related("remote_group")  # type: ignore[attr-defined]
        found = rows.filter(pk=str(pk)).first()
        if found is None:
            raise NotFound("SecurityGroupRule", str(pk))
        return line_of(found)


class RuleActionView(RuleActions, DialogActionView):
    def back(self, request: HttpRequest, obj: RuleLine, action: RowAction) -> str:
        return address_of(obj.rule.security_group_id)

    def template(self, action: RowAction) -> str:
        return "security_groups/delete_rule.html"


class RuleWhyView(RuleActions, WhyView):
    pass


class RuleCommandView(RuleActions, CommandView):
    pass
