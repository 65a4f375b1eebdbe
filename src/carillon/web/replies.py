"""« Réponses »: what people answered, as conversations; answering, giving to a colleague, exporting."""

from __future__ import annotations

from collections.abc import Callable

from django.core.paginator import Paginator
from django.http import HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import render
from django.urls import path, reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from carillon.domain.errors import CarillonError, NotFound
from carillon.models import User
from carillon.services import inbox, optouts
from carillon.services.long_lists import LongList
from carillon.web import toasts
from carillon.web.campaigns import download
from carillon.web.rights import SignedInRequest, signed_in
from carillon.web.sentences import sentence_for

PER_PAGE = 30
WHICH = ("", "unread", "mine", "stop")


@signed_in
@require_GET
def index(request: SignedInRequest) -> HttpResponse:
    text = request.GET.get("q", "").strip()[:100]
    which = request.GET.get("which", "")
    found = inbox.conversations(request.user, text=text, which=which if which in WHICH else "")
    page = Paginator(LongList(found, most=inbox.MOST_TURNED), PER_PAGE).get_page(request.GET.get("page"))
    unread = inbox.unread_of(request.user, [row.msisdn for row in page.object_list])
    rows = [(row, unread.get(row.msisdn, 0)) for row in page.object_list]
    context = {"page": page, "rows": rows, "q": text, "which": which, "unread": inbox.unread(request.user)}
    template = "replies/rows.html" if request.htmx and request.htmx.target == "conversations" else "replies/index.html"
    return render(request, template, context)


@signed_in
@require_GET
def conversation(request: SignedInRequest, msisdn: int) -> HttpResponse:
    """Opening it is reading it."""
    return _show(request, msisdn)


def _show(
    request: SignedInRequest, msisdn: int, *, draft: str = "", problem: str = "", status: int = 200
) -> HttpResponse:
    account = request.user.account
    found = inbox.conversation(request.user, msisdn)
    inbox.mark(request.user, msisdn)
    context = {
        "conversation": found, "draft": draft, "problem": problem,
        "is_out": bool(optouts.levels_of(account.pk, [msisdn], brand_id=found.latest.brand_id)),
        "colleagues": User.objects.filter(account=account, is_active=True).order_by("first_name", "login"),
    }  # fmt: skip
    return render(request, "replies/conversation.html", context, status=status)


def _deed(act: Callable[[SignedInRequest, int], str]) -> Callable[..., HttpResponseBase]:
    """A POST on one conversation, then the list with a notice."""

    def wrapped(request: SignedInRequest, msisdn: int) -> HttpResponseBase:
        try:
            toasts.done(request, act(request, msisdn))
        except NotFound:
            raise
        except CarillonError as error:
            toasts.failed(request, sentence_for(error))
        return HttpResponseRedirect(reverse("replies"))

    return signed_in(require_POST(wrapped))


@signed_in
@require_POST
def answer(request: SignedInRequest, msisdn: int) -> HttpResponseBase:
    text = request.POST.get("text", "")[:2000]
    try:
        inbox.answer(request.user, msisdn, text)
    except NotFound:
        raise
    except CarillonError as error:
        return _show(request, msisdn, draft=text, problem=sentence_for(error), status=422)
    toasts.done(request, _("Réponse envoyée."))
    return HttpResponseRedirect(reverse("reply_conversation", args=[msisdn]))


@_deed
def unread(request: SignedInRequest, msisdn: int) -> str:
    inbox.mark(request.user, msisdn, is_read=False)
    return _("Conversation marquée comme non lue.")


@signed_in
@require_POST
def assign(request: SignedInRequest, msisdn: int) -> HttpResponseBase:
    text = request.POST.get("to", "")
    to = (
        User.objects.filter(pk=int(text), account=request.user.account).first()
        if text.isascii() and text.isdigit()
        else None
    )
    if text and to is None:
        raise NotFound("There is no such user", code="user_not_found")
    inbox.assign(request.user, msisdn, to=to)
    toasts.done(
        request,
        _("Conversation confiée à %(name)s.") % {"name": to.full_name} if to else _("Conversation rendue à tous."),
    )
    is_still_seen = inbox.visible(request.user).filter(msisdn=msisdn).exists()
    return HttpResponseRedirect(reverse("reply_conversation", args=[msisdn]) if is_still_seen else reverse("replies"))


@signed_in
@require_GET
def as_csv(request: SignedInRequest) -> HttpResponseBase:
    return download(request, inbox.csv_pieces(request.user), name="reponses.csv")


urlpatterns = [
    path("replies/", index, name="replies"),
    path("replies/export.csv", as_csv, name="replies_csv"),
    path("replies/<int:msisdn>", conversation, name="reply_conversation"),
    path("replies/<int:msisdn>/answer", answer, name="reply_answer"),
    path("replies/<int:msisdn>/unread", unread, name="reply_unread"),
    path("replies/<int:msisdn>/assign", assign, name="reply_assign"),
]
