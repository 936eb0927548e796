"""With whom something is shared, as what, and until when."""

from datetime import datetime, time

from django import forms
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import Project, User
from accounts.models.share import Level
from accounts.selectors import home_domain
from portal.core.context import RequestContext
from portal.dashboard.kit.forms import CloudForm

PERSON, PROJECT = "person", "project"


class ShareForm(CloudForm):
    """A person or a project of the caller's domain, by name."""

    kind = forms.ChoiceField(
        label=gettext_lazy("Share with"),
        choices=[(PERSON, gettext_lazy("a person")), (PROJECT, gettext_lazy("a project"))],
    )
    name = forms.CharField(label=gettext_lazy("Name"), max_length=255)
    level = forms.ChoiceField(
        label=gettext_lazy("As"),
        choices=[
            (Level.READER, gettext_lazy("reader: look at it")),
            (Level.USER, gettext_lazy("user: look at it and use it")),
            (Level.MANAGER, gettext_lazy("manager: use, change, delete and share it")),
        ],
    )
    ends_on = forms.DateField(
        label=gettext_lazy("Until the end of (optional)"), required=False, widget=forms.DateInput(attrs={"type": "date"})
    )

    def __init__(self, ctx: RequestContext, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        self.ctx = ctx

    def clean(self) -> dict[str, object]:
        cleaned = super().clean()
        name, domain_id = cleaned.get("name"), home_domain(self.ctx)
        if not name:
            return cleaned
        model = User if cleaned.get("kind") == PERSON else Project
        row = model.objects.filter(name=name, domain_id=domain_id, enabled=True).first()
        if row is None:
            self.add_error("name", _("There is nobody of this name."))
        elif isinstance(row, User):
            cleaned["user"] = row
        else:
            cleaned["project"] = row
        return cleaned

    def ends_at(self) -> datetime | None:
        """Return the last moment of the chosen day, None without one."""
        day = self.cleaned_data["ends_on"]
        return timezone.make_aware(datetime.combine(day, time.max)) if day else None
