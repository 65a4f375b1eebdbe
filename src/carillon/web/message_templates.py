"""« Modèles »: texts kept to be used again."""

from __future__ import annotations

from django import forms
from django.http import HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import render
from django.urls import path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from carillon.domain.errors import InvalidInput
from carillon.models import Campaign, Template
from carillon.services import campaigns, message_templates
from carillon.web import toasts
from carillon.web.rights import SignedInRequest, signed_in
from carillon.web.sentences import sentence_for

KINDS = [
    (Campaign.Traffic.MKG.value, gettext_lazy("Marketing")),
    (Campaign.Traffic.NOTIFICATION.value, gettext_lazy("Notification")),
]


class TemplateForm(forms.Form):
    name = forms.CharField(max_length=120, label=gettext_lazy("Nom du modèle"))
    traffic = forms.ChoiceField(choices=KINDS, label=gettext_lazy("Type"))
    message = forms.CharField(
        max_length=10_000, strip=False, label=gettext_lazy("Message"), widget=forms.Textarea({"rows": 5}),
        help_text=gettext_lazy("Les champs s'écrivent ${Prénom} ; ils doivent exister dans la liste de la campagne."),
    )  # fmt: skip


@signed_in
def index(request: SignedInRequest) -> HttpResponseBase:
    form = TemplateForm(request.POST or None)
    if request.method == "POST" and form.is_valid() and _save(request, form, None):
        return HttpResponseRedirect(reverse("templates"))
    context = {"templates": message_templates.visible(request.user)[:500], "form": form}
    return render(request, "message_templates/index.html", context, status=422 if form.errors else 200)


@signed_in
def edit(request: SignedInRequest, template_id: int) -> HttpResponseBase:
    template = message_templates.get(request.user, template_id)
    initial = {"name": template.name, "message": template.message, "traffic": template.traffic}
    form = TemplateForm(request.POST or None, initial=initial)
    if request.method == "POST" and form.is_valid() and _save(request, form, template):
        return HttpResponseRedirect(reverse("templates"))
    context = {"template": template, "form": form}
    return render(request, "message_templates/edit.html", context, status=422 if form.errors else 200)


def _save(request: SignedInRequest, form: TemplateForm, template: Template | None) -> bool:
    try:
        kept = message_templates.save(actor=request.user, template=template, **form.cleaned_data)
    except InvalidInput as error:
        form.add_error(error.field if error.field in form.fields else None, sentence_for(error))
        return False
    toasts.done(request, _("Modèle « %(name)s » enregistré.") % {"name": kept.name})
    return True


@signed_in
@require_POST
def delete(request: SignedInRequest, template_id: int) -> HttpResponseBase:
    gone = message_templates.delete(request.user, template_id)
    toasts.done(request, _("Modèle « %(name)s » supprimé.") % {"name": gone.name})
    return HttpResponseRedirect(reverse("templates"))


@signed_in
@require_POST
def use(request: SignedInRequest, template_id: int) -> HttpResponse:
    """A new campaign that starts with this text."""
    template = message_templates.get(request.user, template_id)
    campaign = campaigns.create(
        actor=request.user,
        name=template.name,
        traffic=template.traffic,
        message=template.message,
        renderer=template.renderer,
    )
    return HttpResponseRedirect(reverse("campaign_description", args=[campaign.pk]))


urlpatterns = [
    path("templates/", index, name="templates"),
    path("templates/<int:template_id>", edit, name="template_edit"),
    path("templates/<int:template_id>/delete", delete, name="template_delete"),
    path("templates/<int:template_id>/use", use, name="template_use"),
]
