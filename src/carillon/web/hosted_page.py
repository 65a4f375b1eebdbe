"""The page of a ZIP behind a draft's link, as its visitors will see it."""

from __future__ import annotations

from django.http import Http404, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.urls import path, reverse

from carillon.domain.errors import NotFound
from carillon.models import Asset, Campaign
from carillon.services import hosting
from carillon.web import link_pages, wizard
from carillon.web.link_files import quoted
from carillon.web.rights import SignedInRequest


@wizard.on_draft
def view(request: SignedInRequest, campaign: Campaign, index: int, file: str = "") -> HttpResponseBase:
    """A file of the page, under the policy of the short domain; without a file, leads to the page itself."""
    link = campaign.links.select_related("asset").filter(index=index, asset__kind=Asset.Kind.PAGE).first()
    asset = link.asset if link is not None else None
    if asset is None or asset.deleted_at is not None or asset.account_id != campaign.account_id:
        raise Http404
    if not file:
        return HttpResponseRedirect(reverse("hosted_page", args=[campaign.pk, index]) + quoted(asset.entry))
    try:
        found, content_type = hosting.file_of(asset, file)
        body = found.read_bytes()
    except (NotFound, OSError, ValueError):
        raise Http404 from None
    is_pdf = content_type == "application/pdf"
    policy = link_pages.PDF_POLICY if is_pdf else link_pages.hosted_policy(f"{request.scheme}://{request.get_host()}")
    answer = HttpResponse(body, content_type=content_type, headers={"Content-Security-Policy": policy})
    answer.headers["Cross-Origin-Resource-Policy"] = "cross-origin"  # the page lives in a sandbox
    return answer


urlpatterns = [
    path("campaigns/<int:campaign_id>/pages/<int:index>/", view, name="hosted_page"),
    path("campaigns/<int:campaign_id>/pages/<int:index>/<path:file>", view, name="hosted_page_file"),
]
