"""Making an application credential."""

from datetime import datetime, time

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from portal.core.context import RequestContext
from portal.dashboard.kit.forms import CloudForm


class NewCredentialForm(CloudForm):
    """Its name, what it may do, and how long it is good."""

    name = forms.CharField(
        label=_("Name"), max_length=255, widget=forms.TextInput(attrs={"autofocus": True, "placeholder": "backup-script"})
    )
    description = forms.CharField(label=_("Description (optional)"), max_length=1000, required=False)
    roles = forms.MultipleChoiceField(label=_("Roles"), widget=forms.CheckboxSelectMultiple)
    ends_on = forms.DateField(
        label=_("Good until the end of (optional)"), required=False, widget=forms.DateInput(attrs={"type": "date"})
    )

    def __init__(self, ctx: RequestContext, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        names = sorted(ctx.roles)
        self.offer("roles", [(name, name) for name in names])
        self.fields["roles"].initial = [name for name in names if name == "member"] or names[:1]

    def ends_at(self) -> datetime | None:
        """Return the last moment of the chosen day, None without one."""
        day = self.cleaned_data["ends_on"]
        return timezone.make_aware(datetime.combine(day, time.max)) if day else None
