"""The list of networks, and its buttons."""

from typing import Any

from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from compute.network import policies
from compute.network.models import Network
from compute.network.services import networks
from compute.network.usage_selectors import networks_in_reach, ranges_of
from portal.dashboard.kit.actions import DeleteAction, RowAction
from portal.dashboard.kit.commands import Commands, curl, openstack
from portal.dashboard.kit.tables import Column, LiveTable

NETWORKS_PATH = "/network/v2.0/networks"


class Delete(DeleteAction):
    """Only a network without a port goes."""

    panel = "networks"
    subject = "network"
    rule = policies.DELETE_NETWORK
    perform = staticmethod(networks.delete)

    def refusal_by_state(self, obj: Any) -> tuple[str, str]:
        if not obj.port_count:
            return "", ""
        words = ngettext("%(n)d port is on %(name)s.", "%(n)d ports are on %(name)s.", obj.port_count)
        return words % {"n": obj.port_count, "name": obj}, _("Detach the instances from it first.")

    def command(self, obj: Network) -> Commands:
        return Commands(openstack("network", "delete", obj.pk), curl("DELETE", f"{NETWORKS_PATH}/{obj.pk}"))

    def said(self, obj: Network) -> str:
        return _("The network %(name)s is deleted.") % {"name": obj}


class NetworkTable(LiveTable):
    name = "networks"
    columns = (
        Column("name", gettext_lazy("Name"), ("name",)),
        Column("range", gettext_lazy("Range")),
        Column("used", gettext_lazy("Addresses")),
        Column("reach", gettext_lazy("Instances reach"), ("network_type",), css="nb-wide-only"),
        Column("owner", gettext_lazy("For"), ("shared",), css="nb-wide-only"),
        Column("actions", gettext_lazy("Actions"), hidden_label=True),
    )
    row_template = "networks/row.html"
    actions = (Delete(),)
    default_sort = "name"

    def all(self) -> QuerySet[Network]:
        return networks_in_reach(self.ctx)

    def plain(self, text: str) -> Q:
        by_range = Q(pk__in=networks_in_reach(self.ctx).filter(subnets__cidr__startswith=text).values("pk"))
        return Q(name__icontains=text) | Q(pk__startswith=text.lower()) | by_range

    def facts(self, objects: list[Any]) -> dict[Any, Any]:
        return ranges_of(objects)


BY_NAME: dict[str, RowAction] = {action.name: action for action in NetworkTable.actions}
