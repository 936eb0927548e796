"""Bodies of console requests (compute API reference, "Server consoles", "Create remote console")."""

from typing import Any

from rest_framework import serializers

from compute.api.v2_1 import versions
from compute.api.v2_1.serializers.base import WholeNumber
from portal.core.api.serializers import StrictSerializer

UNLIMITED = -1


class ConsoleOutputBody(StrictSerializer):
    length = WholeNumber(required=False, allow_null=True, min_value=UNLIMITED, max_value=2**31 - 1)


class VncBody(StrictSerializer):
    type = serializers.ChoiceField(["novnc", "xvpvnc"])


class SpiceBody(StrictSerializer):
    type = serializers.ChoiceField(["spice-html5"])


class SerialBody(StrictSerializer):
    type = serializers.ChoiceField(["serial"])


class RemoteConsoleBody(StrictSerializer):
    """The words that upstream knows; which of them a cloud offers is another question."""

    def get_fields(self) -> dict[str, Any]:
        version = self.context["version"]
        protocols, kinds = ["vnc", "spice", "rdp", "serial"], ["novnc", "xvpvnc", "rdp-html5", "spice-html5", "serial"]
        if version >= versions.MKS_CONSOLE:
            protocols, kinds = [*protocols, "mks"], [*kinds, "webmks"]
        if version >= versions.SPICE_DIRECT_CONSOLE:
            kinds = [*kinds, "spice-direct"]
        return {"protocol": serializers.ChoiceField(protocols), "type": serializers.ChoiceField(kinds)}


class RemoteConsole(StrictSerializer):
    remote_console = RemoteConsoleBody()
