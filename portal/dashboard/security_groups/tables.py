"""The list of security groups."""

from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _

from compute.network.group_selectors import groups_in_use
from compute.network.models import SecurityGroup
from portal.dashboard.kit.tables import Column, LiveTable
from portal.dashboard.security_groups.actions import ACTIONS


class GroupTable(LiveTable):
    name = "security-groups"
    columns = (
        Column("name", _("Name"), ("name",)),
        Column("description", _("Description"), css="nb-wide-only"),
        Column("rules", _("Rules"), ("rule_count",), css="nb-num"),
        Column("ports", _("Ports"), ("port_count",), css="nb-num"),
        Column("created", _("Age"), ("created_at",), css="nb-wide-only"),
        Column("actions", _("Actions"), hidden_label=True),
    )
    row_template = "security_groups/row.html"
    actions = ACTIONS
    default_sort = "name"

    def all(self) -> QuerySet[SecurityGroup]:
        return groups_in_use(self.ctx, self.ctx.project_id or "")

    def plain(self, text: str) -> Q:
        return Q(name__icontains=text) | Q(description__icontains=text) | Q(pk__startswith=text.lower())
