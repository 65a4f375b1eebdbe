from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carillon.domain import optout
from carillon.domain.optout import Keyword, classify, is_stop

STOPS = [
    "STOP", "stop", "Stop.", "STOP!!!", "«Stop»", "*STOP*", " stop\n", "S.T.O.P", "S T O P", "STOPP", "Stoop", "STOP36184",
    "STOP 36184", "STOP SMS", "StopSMS", "STOP au 36184", "stop pub", "STOP SVP", "STOP s'il vous plaît", "svp stop",
    "Stop merci", "désabo STOP", "Bonjour, stop à vos messages svp", "STOP je ne suis plus cliente", "STOP CARILLON",
    "ARRET", "Arrêt", "arrêt svp", "ARRÊTER", "arrêtez", "Arrêtez de m'écrire", "Arrêtez vos sms", "Désabonnement",
    "désabonner", "Me désabonner svp", "Désinscription", "désinscrivez-moi", "Résilier", "FIN", "Désabo Carillon",
    "Merci de me désinscrire", "ne m'envoyez plus de SMS", "Ne plus me contacter", "Je ne veux plus recevoir vos messages",
    "je ne souhaite plus être contacté", "Plus de pub !", "retirez-moi de votre liste", "Supprimez mon numéro",
    "laissez-moi tranquille", "UNSUBSCRIBE", "unsubscribe me please", "STOPALL", "END", "quit", "opt out", "OPTOUT", "Remove me",
    "Leave me alone", "Don't text me", "Do not contact me again", "Stop texting me", "take me off this list",
    "abmelden", "Abmelden bitte", "keine Werbung", "afmelden", "Uitschrijven", "BAJA", "darse de baja", "no más mensajes",
    "basta", "Sair", "توقف", "إيقاف", "ＳＴＯＰ",
]  # fmt: skip
ORDINARY = [
    "", "   ", "👍", "!!!", "Oui", "ok merci", "Ne vous arrêtez pas", "ne vous arrêtez jamais !", "N'arrêtez surtout pas",
    "Ne stoppez pas", "Ne stop pas", "non-stop", "Non stop depuis hier", "Arrêt de bus fermé, je serai en retard",
    "La fin du film",
    "Fin de journée ça me va", "je passe à la fin du mois", "This is the end", "quand est-ce que ça s'arrête ?",
    "Je ne peux pas m'arrêter", "Stop ou encore", "Stop and go", "annuler", "CANCEL", "Annulez mon rendez-vous svp", "autostop",
    "Je fais du stop demain", "Merci de me retirer un colis", "basta così va bene per domani grazie mille", "Baja California",
    "no, more text please", "plus tard", "Remplacement", "info sur les horaires du magasin de Paris ?", "On arrive à l'arrêt",
]  # fmt: skip


@pytest.mark.parametrize("text", STOPS)
def test_a_request_to_stop_is_heard(text: str) -> None:
    assert is_stop(text)
    assert is_stop(text.upper())
    assert is_stop(f"  {text} ")


@pytest.mark.parametrize("text", ORDINARY)
def test_an_ordinary_answer_is_no_stop(text: str) -> None:
    assert not is_stop(text)


@pytest.mark.parametrize(
    ("text", "keyword"),
    [
        ("START", Keyword.START), ("start svp", Keyword.START), ("UNSTOP", Keyword.START), ("Réabonnement", Keyword.START),
        ("START CARILLON", Keyword.START), ("HELP", Keyword.HELP), ("aide", Keyword.HELP), ("Info ?", Keyword.HELP),
        ("?", Keyword.HELP),
        ("INFOS SVP", Keyword.HELP),
    ],
)  # fmt: skip
def test_other_keywords(text: str, keyword: Keyword) -> None:
    command = classify(text)
    assert command is not None
    assert command.keyword is keyword


@pytest.mark.parametrize("text", ["help me find the shop", "starter pack", "info sur les horaires", "Je démarre"])
def test_sentences_with_a_keyword_are_ordinary(text: str) -> None:
    assert classify(text) is None


@pytest.mark.parametrize(
    ("text", "argument"),
    [("STOP CARILLON", "carillon"), ("STOP", ""), ("stop pub svp", ""), ("Désabo Le Carillon", "carillon")],
)
def test_what_else_was_said_may_name_the_brand(text: str, argument: str) -> None:
    command = classify(text)
    assert command is not None
    assert command.argument == argument


def test_an_account_has_its_own_words() -> None:
    assert not is_stop("ANNULER")
    assert is_stop("annuler", ["Annuler", " "])
    assert is_stop("Annuler svp", ["ANNULER"])
    assert is_stop("plus envie", ["Plus envie !"])
    assert not is_stop("plus envie de rien", ["Plus envie"])


@given(st.text(max_size=200))
def test_any_text_can_be_judged(text: str) -> None:
    command = classify(text, ["x"])
    assert command is None or len(command.argument) <= 100


@given(
    st.sampled_from(["STOP", "Stop", "stop", "ARRÊT", "Désabonnement"]),
    st.text(alphabet=" .,!?;:-_*()[]«»'\"\n\t…", max_size=8),
)
def test_punctuation_around_changes_nothing(word: str, around: str) -> None:
    assert is_stop(around + word + around)


def test_a_very_long_answer_is_judged_by_its_beginning() -> None:
    assert is_stop("STOP " + "a " * 100_000)
    assert not is_stop("a " * 100_000 + "STOP")


@pytest.mark.parametrize(
    "text",
    ["STOP SMS", "STOP SMS au 36184", "Désabo STOP", "STOP SMS envoyez STOP", "STOP 36184", "Stop au 36184", "STOP=36184",
     "désabonnement : STOP", "répondez STOP", "Reply STOP", "${optout}", "STOP: ${ OPTOUT }"],
)  # fmt: skip
def test_accepted_wordings(text: str) -> None:
    assert optout.has_mention(text)
    assert optout.has_mention(f"Soldes -20% dès demain ! {text}")
    assert optout.with_mention(text, "") == f"{text} "


@pytest.mark.parametrize(
    "text",
    ["", "STOP", "non-stop 36184", "non stop 36184", "Stop aux prix hauts", "36184", "autostop 36184", "STOP 36"],
)
def test_no_wording(text: str) -> None:
    assert not optout.has_mention(text)


def test_numbers_that_are_named() -> None:
    assert optout.mentioned_numbers("STOP 36184 ou STOP SMS au 38000, stop sms") == ["36184", "38000"]


def test_the_mention_is_counted_with_its_blank() -> None:
    assert optout.mention("36184") == "STOP 36184"
    assert len(optout.with_mention("a" * 149, optout.mention("36184"))) == 160
    assert optout.with_mention("", "STOP 36184") == "STOP 36184"
    assert optout.with_mention("a\n", "STOP 36184") == "a\nSTOP 36184"
