"""Making security groups, and saying what they let through."""

import re
from ipaddress import ip_interface
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from compute.network.models import SecurityGroup
from compute.network.models.security_group import DEFAULT_GROUP
from portal.core.context import RequestContext
from portal.dashboard.kit.forms import CloudForm
from portal.dashboard.security_groups.choices import groups_of

CUSTOM = "custom"
PRESETS: dict[str, dict[str, Any]] = {
    "ssh": {"protocol": "tcp", "port_range_min": 22, "port_range_max": 22},
    "http": {"protocol": "tcp", "port_range_min": 80, "port_range_max": 80},
    "https": {"protocol": "tcp", "port_range_min": 443, "port_range_max": 443},
    "ping": {"protocol": "icmp"},
    "all": {},
}
PROTOCOLS = ("tcp", "udp", "icmp", "sctp", "gre", "esp", "vrrp")
_WITH_PORTS = ("tcp", "udp", "sctp")
_PORTS = re.compile(r"(\d{1,5})(?:\s*[-–:]\s*(\d{1,5}))?")


class GroupForm(CloudForm):
    name = forms.CharField(
        label=gettext_lazy("Name"), max_length=255, widget=forms.TextInput(attrs={"autofocus": True, "placeholder": "web"})
    )
    description = forms.CharField(label=gettext_lazy("Description"), max_length=255, required=False)


class EditGroupForm(GroupForm):
    """Another name or description; ``default`` keeps its name."""

    def __init__(self, group: SecurityGroup, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial = {"name": group.name, "description": group.description, **self.initial}
        if group.name == DEFAULT_GROUP:
            self.fields["name"].disabled = True


class RuleForm(CloudForm):
    """What comes in and from where; for a custom rule also protocol, ports and direction."""

    preset = forms.ChoiceField(
        label=gettext_lazy("What"),
        widget=forms.RadioSelect,
        choices=[
            ("ssh", gettext_lazy("SSH (TCP 22)")),
            ("http", gettext_lazy("HTTP (TCP 80)")),
            ("https", gettext_lazy("HTTPS (TCP 443)")),
            ("ping", gettext_lazy("Ping (ICMP)")),
            ("all", gettext_lazy("Everything")),
            (CUSTOM, gettext_lazy("Custom")),
        ],
        initial="ssh",
    )
    direction = forms.ChoiceField(
        label=gettext_lazy("Direction"),
        required=False,
        choices=[("ingress", gettext_lazy("Incoming")), ("egress", gettext_lazy("Outgoing"))],
    )
    protocol = forms.ChoiceField(
        label=gettext_lazy("Protocol"),
        required=False,
        choices=[*((name, name.upper()) for name in PROTOCOLS), ("", gettext_lazy("Any"))],
        initial="tcp",
    )
    ports = forms.CharField(
        label=gettext_lazy("Ports"),
        required=False,
        help_text=gettext_lazy("One or a range, such as 8000-8080. Blank means all."),
    )
    source = forms.ChoiceField(
        label=gettext_lazy("From (or to, when outgoing)"),
        choices=[
            ("anywhere", gettext_lazy("Anywhere")),
            ("range", gettext_lazy("Addresses")),
            ("group", gettext_lazy("Members of a security group")),
        ],
        initial="anywhere",
    )
    cidr = forms.CharField(
        label=gettext_lazy("Addresses"),
        required=False,
        help_text=gettext_lazy("One address or a range, such as 203.0.113.0/24."),
    )
    group = forms.ChoiceField(label=gettext_lazy("Security group"), required=False)
    description = forms.CharField(label=gettext_lazy("Description"), max_length=255, required=False)

    def __init__(self, ctx: RequestContext, group: SecurityGroup, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.offer("group", [(one.pk, one.name) for one in groups_of(ctx, group.project_id)])
        self.initial.setdefault("group", group.pk)

    def clean(self) -> dict[str, Any]:
        """Judge only what the choices above ask for: the rest is not on the screen."""
        cleaned = super().clean()
        if cleaned.get("preset") == CUSTOM and cleaned.get("ports"):
            self._clean_ports(cleaned)
        if cleaned.get("source") == "range":
            self._clean_cidr(cleaned)
        return cleaned

    def _clean_ports(self, cleaned: dict[str, Any]) -> None:
        found = _PORTS.fullmatch(cleaned["ports"].strip())
        if found is None:
            self.add_error("ports", _("Write one port or a range, such as 8000-8080."))
        elif cleaned.get("protocol") not in _WITH_PORTS:
            self.add_error("ports", _("Only TCP, UDP and SCTP have ports."))
        else:
            cleaned["range"] = (int(found[1]), int(found[2] or found[1]))

    def _clean_cidr(self, cleaned: dict[str, Any]) -> None:
        try:
            cleaned["span"] = ip_interface(cleaned.get("cidr", "").strip())
        except ValueError:
            self.add_error("cidr", _("Write an address or a range, such as 203.0.113.0/24."))

    def values(self) -> dict[str, Any]:
        """Return the rule as the service wants it."""
        given = self.cleaned_data
        values: dict[str, Any] = {"direction": "ingress", "ethertype": "IPv4", "description": given["description"]}
        if given["preset"] != CUSTOM:
            values |= PRESETS[given["preset"]]
        else:
            values["direction"] = given["direction"] or "ingress"
            values["protocol"] = given["protocol"] or None
            values["port_range_min"], values["port_range_max"] = given.get("range", (None, None))
        if given["source"] == "range":
            values |= {"remote_ip_prefix": str(given["span"]), "ethertype": f"IPv{given['span'].version}"}
        elif given["source"] == "group":
            values["remote_group_id"] = given["group"]
        return values
