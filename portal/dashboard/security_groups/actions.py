"""The buttons of a security group and of its rules."""

from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext, pgettext_lazy

from compute.network import policies
from compute.network.models import SecurityGroup
from compute.network.models.security_group import DEFAULT_GROUP
from compute.network.services import security_group_rules, security_groups
from portal.core.context import RequestContext
from portal.dashboard.kit.actions import DeleteAction, RowAction, Verdict
from portal.dashboard.kit.commands import Commands, curl, openstack
from portal.dashboard.security_groups.words import RuleLine

GROUPS_PATH = "/network/v2.0/security-groups"
RULES_PATH = "/network/v2.0/security-group-rules"


class Edit(RowAction):
    name = "edit"
    label = pgettext_lazy("action", "Edit")
    icon = "adjustments"
    panel = "security-groups"
    subject = "group"
    rule = policies.UPDATE_SECURITY_GROUP
    asks_first = True

    def command(self, obj: SecurityGroup) -> Commands:
        body = {"security_group": {"name": obj.name, "description": obj.description}}
        return Commands(
            openstack("security", "group", "set", "--name", obj.name, "--description", obj.description or "TEXT", obj.pk),
            curl("PUT", f"{GROUPS_PATH}/{obj.pk}", body),
        )

    def said(self, obj: SecurityGroup) -> str:
        return _("%(name)s is changed.") % {"name": obj.name}


class Delete(DeleteAction):
    """Only a group that nothing is in goes; ``default`` is the operators' alone."""

    panel = "security-groups"
    subject = "group"
    rule = policies.DELETE_SECURITY_GROUP
    perform = staticmethod(security_groups.delete)

    def verdict(self, ctx: RequestContext, obj: SecurityGroup) -> Verdict:
        answer = super().verdict(ctx, obj)
        if answer.allowed and obj.name == DEFAULT_GROUP and not ctx.is_operator:
            return Verdict(False, _("Every project has its group default."), _("You can change its rules."))
        return answer

    def refusal_by_state(self, obj: Any) -> tuple[str, str]:
        if not obj.port_count:
            return "", ""
        words = ngettext("%(n)d port is in %(name)s.", "%(n)d ports are in %(name)s.", obj.port_count)
        return words % {"n": obj.port_count, "name": obj.name}, _("Take the instances out of it first.")

    def command(self, obj: SecurityGroup) -> Commands:
        return Commands(openstack("security", "group", "delete", obj.pk), curl("DELETE", f"{GROUPS_PATH}/{obj.pk}"))

    def said(self, obj: SecurityGroup) -> str:
        return _("The security group %(name)s is deleted.") % {"name": obj.name}


class DeleteRule(DeleteAction):
    short = gettext_lazy("Delete rule:")
    panel = "security-groups:rules"
    subject = "rule"
    rule = policies.DELETE_SECURITY_GROUP_RULE

    def run(self, ctx: RequestContext, obj: RuleLine) -> None:
        security_group_rules.delete(ctx=ctx, rule=obj.rule)

    def command(self, obj: RuleLine) -> Commands:
        return Commands(openstack("security", "group", "rule", "delete", obj.pk), curl("DELETE", f"{RULES_PATH}/{obj.pk}"))

    def said(self, obj: RuleLine) -> str:
        return _("The rule is deleted: %(rule)s.") % {"rule": obj.sentence}


ACTIONS = (Edit(), Delete())
BY_NAME: dict[str, RowAction] = {action.name: action for action in ACTIONS}
RULE_ACTIONS = (DeleteRule(),)
RULES_BY_NAME: dict[str, RowAction] = {action.name: action for action in RULE_ACTIONS}
