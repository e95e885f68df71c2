from django import forms

from trails.models import Walk


class WalkForm(forms.ModelForm):
    class Meta:
        model = Walk
        fields = ["trail", "walker", "minutes"]

    def clean_minutes(self):
        minutes = self.cleaned_data["minutes"]
        if minutes > 24 * 60:
            raise forms.ValidationError("A walk ends within a day.")
        return minutes

    def clean(self):
        trail = self.cleaned_data.get("trail")
        if trail and not trail.open:
            raise forms.ValidationError("This trail is closed.")
        return self.cleaned_data
