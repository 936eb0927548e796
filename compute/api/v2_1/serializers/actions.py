"""Bodies of server actions and consoles (compute API reference, "Servers - run an action", "Server consoles")."""

from rest_framework import serializers

from compute.api.v2_1.serializers.base import WholeNumber
from portal.core.api.serializers import StrictSerializer

UNLIMITED = -1


class RebootBody(StrictSerializer):
    type = serializers.ChoiceField(["HARD", "Hard", "hard", "SOFT", "Soft", "soft"])


class Reboot(StrictSerializer):
    reboot = RebootBody()


class ConsoleOutputBody(StrictSerializer):
    length = WholeNumber(required=False, allow_null=True, min_value=UNLIMITED, max_value=2**31 - 1)


class VncBody(StrictSerializer):
    type = serializers.ChoiceField(["novnc", "xvpvnc"])


class RemoteConsoleBody(StrictSerializer):
    protocol = serializers.ChoiceField(["vnc", "spice", "rdp", "serial", "mks"])
    type = serializers.ChoiceField(["novnc", "xvpvnc", "rdp-html5", "spice-html5", "serial", "webmks"])


class RemoteConsole(StrictSerializer):
    remote_console = RemoteConsoleBody()
