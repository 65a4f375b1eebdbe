"""The opt-out link: a page, a button, and never again."""

from __future__ import annotations

from carillon.models import Brand, Campaign, ConsentEntry, Message, OptOut, Tariff
from carillon.services import campaigns, composing, links, optouts, preparation
from carillon.services import test_sends as trials
from tests.builders import make_account, make_campaign, make_list, make_user
from tests.links.asking import PREVIEWER, Caller, codes, linked

PERSON = 33612345678


def test_a_stranger_cannot_opt_out_anybody_with_a_code_nobody_made(caller: Caller) -> None:
    campaign = linked()
    assert caller.ask("/000000", method="POST", body=b"confirm=1").status == 404
    assert not OptOut.objects.filter(account_id=campaign.account_id).exists()


def test_opening_the_page_changes_nothing_the_button_does(caller: Caller) -> None:
    campaign = linked(account=make_account(name="Maison Duval", max_segments=3))
    path = codes(campaign, links.OPT_OUT)[0]
    for agent in ("Mozilla/5.0", PREVIEWER):
        page = caller.ask(path, agent=agent)
        assert page.status == 200 and "Maison Duval" in page.text and "<form" in page.text
        assert (
            "+33 … 78" in page.text and "34" not in page.text.partition("<main>")[2]
        )  # for whoever found it by chance
    caller.ask(path, body=b"confirm=1")  # only a POST confirms
    assert optouts.levels_of(campaign.account_id, [PERSON]) == {}
    done = caller.ask(path, method="POST", body=b"confirm=1")
    assert done.status == 200 and "<form" not in done.text
    assert optouts.levels_of(campaign.account_id, [PERSON]) == {PERSON: 14}
    stored = OptOut.objects.get(account_id=campaign.account_id)
    assert (stored.source, stored.campaign_id) == ("link", campaign.pk)
    assert ConsentEntry.objects.filter(account_id=campaign.account_id, event="optout").count() == 1
    assert "<form" not in caller.ask(path).text  # it is said that it is done
    assert caller.ask(path, method="POST", body=b"nothing").status == 200


def test_a_brand_is_left_alone_by_its_own_name(caller: Caller) -> None:
    account = make_account(is_multi_brand=True, max_segments=3)
    brand = Brand.objects.create(account=account, name="Atelier Bleu")
    campaign = linked(account=account)
    Campaign.objects.filter(pk=campaign.pk).update(brand=brand)
    answer = caller.ask(codes(campaign, links.OPT_OUT)[0], method="POST", body=b"confirm=1")
    assert "Atelier Bleu" in answer.text
    assert OptOut.objects.get(account_id=account.pk).brand_id == brand.pk


def marketing(message: str, *numbers: str, sender: str = "") -> Campaign:
    account = make_account(max_segments=3, countries=["FR", "CH", "BE"])
    for country in account.countries:
        Tariff.objects.create(account=account, country=country, price=100)
    campaign = make_campaign(account, lists=[make_list(account, numbers)], message=message, sender=sender)
    return preparation.prepare(campaign.pk)


def texts_of(campaign: Campaign) -> list[str]:
    return list(Message.objects.filter(campaign_id=campaign.pk).order_by("msisdn").values_list("text", flat=True))


def test_only_those_who_cannot_answer_get_the_link(caller: Caller) -> None:
    campaign = marketing("Soldes ! STOP 36184", "0612345678", "+41791234567", "+32470123456")
    belgian, french, swiss = texts_of(campaign)  # 32…, 33…, 41…
    assert french == "Soldes ! STOP 36184"
    shapes = [text.rpartition("/") for text in (belgian, swiss)]
    assert {shape[0] for shape in shapes} == {f"Soldes ! STOP {links.default_domain()}"}
    Campaign.objects.filter(pk=campaign.pk).update(launched_at=campaign.created_at)  # whatever the hour of this test
    page = caller.ask("/" + shapes[1][2])
    assert page.status == 200 and "41" in page.text


def test_the_link_is_added_where_the_text_has_no_mention_and_never_twice(caller: Caller) -> None:
    added = texts_of(marketing("Soldes !", "+41791234567"))[0]
    assert added.startswith(f"Soldes ! STOP {links.default_domain()}/")
    own = texts_of(marketing("Soldes ! Stop: ${optout}", "+41791234567"))[0]
    assert own.count(links.default_domain()) == 1


def test_row_0_counts_the_longer_mention(caller: Caller) -> None:
    account = make_account(max_segments=3, countries=["FR", "CH"])
    item = make_list(account, ["0612345678", "+41791234567"], analysis={"countries": {"FR": 1, "CH": 1}})
    campaign = make_campaign(account, lists=[item], message="Soldes ! STOP 36184")
    worst = composing.preview(campaign, 0)
    assert worst.units == composing.preview(campaign, 2).units > composing.preview(campaign, 1).units


def test_a_link_in_a_test_works_too(caller: Caller) -> None:
    campaign = linked(launch=False)
    user = make_user(account=campaign.account, role="admin")
    campaign = campaigns.update(campaign, message="Venez ! ${track_1}")
    message_id = trials.send(campaign, actor=user, numbers=["0698765432"], row=1)[0]
    code = Message.objects.get(id=message_id).text.rpartition("/")[2]
    assert caller.ask("/" + code).location == "https://shop.example/soldes"
