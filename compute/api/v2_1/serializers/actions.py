"""Bodies of server actions (compute API reference, "Servers - run an action")."""

from rest_framework import serializers

from portal.core.api.serializers import StrictSerializer


class RebootBody(StrictSerializer):
    type = serializers.ChoiceField(["HARD", "Hard", "hard", "SOFT", "Soft", "soft"])


class Reboot(StrictSerializer):
    reboot = RebootBody()
