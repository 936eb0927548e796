"""Forms whose refusals come from services: the sentence lands on the form, and nothing that was typed is lost."""

from collections.abc import Callable, Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext as _

from portal.core.errors import CloudError
from portal.dashboard.kit.words import sentence


class CloudForm(forms.Form):
    """A form that a service judges. Fields look like the rest of the page without saying so each time."""

    required_css_class = "required"

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("label_suffix", "")
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            dress(field.widget)

    def full_clean(self) -> None:
        """Validate, and mark the fields that were refused. Runs when somebody first asks, so choices may still be offered."""
        super().full_clean()
        for name in self.errors:
            if name in self.fields:
                attrs = self.fields[name].widget.attrs
                attrs["class"] = f"{attrs.get('class', '')} is-invalid".strip()
                attrs["aria-invalid"] = "true"

    def submit(self, deed: Callable[[], Any]) -> Any:
        """Run ``deed``; a service's refusal becomes a message of the form and the result None."""
        try:
            return deed()
        except CloudError as error:
            self.add_error(None, sentence(error))
            return None

    def offer(self, name: str, choices: Sequence[tuple[str, Any]]) -> None:
        """Give a field the choices that there are for this caller now."""
        field = self.fields[name]
        assert isinstance(field, forms.ChoiceField)
        field.choices = choices

    def all_faults(self) -> str:
        """Return every message in one line, for an answer that a script reads."""
        found = []
        for name, texts in self.errors.items():
            label = f"{self.fields[name].label}: " if name in self.fields else ""
            found += [f"{label}{text}" for text in texts]
        return " ".join(found)

    def clean(self) -> dict[str, Any]:
        """Refuse fields that the form does not have: a typing mistake in a prepared link must not go unseen."""
        cleaned = super().clean() or {}
        known = {self.add_prefix(name) for name in self.fields} | {"csrfmiddlewaretoken", "next", "from"}
        strange = sorted(set(self.data) - known)
        if strange:
            raise forms.ValidationError(_("Unknown field: %(names)s.") % {"names": ", ".join(strange)[:200]})
        return cleaned


class SeveralField(forms.MultipleChoiceField):
    """Several of the choices, as boxes; a blank one is none, as in a link that leaves it open."""

    widget = forms.CheckboxSelectMultiple

    def to_python(self, value: Any) -> list[str]:
        return [one for one in super().to_python(value) if one]


def dress(widget: forms.Widget) -> None:
    """Give a widget the look of its kind."""
    kind = "form-control"
    if isinstance(widget, forms.CheckboxInput | forms.RadioSelect):
        kind = "form-check-input"
    elif isinstance(widget, forms.Select):
        kind = "form-select"
    widget.attrs["class"] = f"{widget.attrs.get('class', '')} {kind}".strip()
    if isinstance(widget, forms.TextInput | forms.Textarea):
        widget.attrs.setdefault("autocomplete", "off")
        widget.attrs.setdefault("spellcheck", "false")
