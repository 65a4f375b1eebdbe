"""What people answer (STOP, START, HELP), and the STOP mention of what is sent to them.

A person who asks to be left alone must be heard in whatever form; "ne vous arrêtez pas" or "non-stop" must not be taken for
it. The word STOP at the start counts whatever follows. Other words and phrases count when little else is said, since "arrêt",
"fin" or "end" also live in ordinary sentences. CANCEL and "annuler" are left out on purpose: an answer to an appointment
reminder often says so; an account may add them as its own words.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from enum import StrEnum
from typing import NamedTuple


class Keyword(StrEnum):
    STOP = "stop"
    START = "start"
    HELP = "help"


class Command(NamedTuple):
    """`argument`: what else was said, folded, fillers left out (often the brand meant)."""

    keyword: Keyword
    argument: str = ""


def _words(line: str) -> frozenset[str]:
    return frozenset(line.split())


STOP_WORDS = _words(
    # French, English, German, Dutch, Spanish, Italian, Portuguese, Arabic
    "arret arreter arretez arrete arretes desabo desabonner desabonnement desabonne desabonnez desinscrire desinscription"
    " desinscrivez desinscris resilier resiliation resiliez fin unsubscribe unsub stopall optout end quit revoke remove"
    " abmelden abbestellen austragen abmeldung afmelden uitschrijven stoppen baja alto parar basta ferma disiscrivi"
    " disiscrizione cancellami sair توقف قف ايقاف الغاء"
)
START_WORDS = _words(
    "start unstop reprendre reprise reabonner reabonnement reinscrire reinscription subscribe resubscribe optin alta"
    " anmelden aanmelden"
)
HELP_WORDS = _words("help aide info infos information informations hilfe hulp ayuda aiuto ajuda")

# Hardly said otherwise: a brand's name may follow ("DESABO CARILLON", "START CARILLON").
_STARTERS = _words("desabo desabonner desabonnement desabonnez unsubscribe unsub optout abmelden afmelden start unstop")
# Said beside a keyword without changing it.
_FILLERS = _words(
    "svp stp s il vous te plait merci please pls plz thanks thank you bonjour bonsoir hello bitte danke por favor grazie a au"
    " aux de des du d la le les l vos vous me m moi je j veux voudrais souhaite demande sms pub pubs publicite publicites"
    " message messages msg envoi envois tout all now ok et the to my from of this spam abonnement ce cet ces votre tous"
    " toutes recevoir mes mon"
)
_STRONG = re.compile(r"s+t+o+p+s?(?:sms|pub|all|\d+)?")
_PHRASES = re.compile(
    r"(?:ne |n )?(?:m |me |nous )?(?:envoyez|envoyer|ecrivez|ecrire|contactez|contacter|sollicitez|solliciter) plus\b"
    r"|ne plus (?:m |me )?(?:recevoir|envoyer|contacter|ecrire|solliciter)"
    r"|(?:je )?ne (?:veux|souhaite|desire) plus (?:recevoir|etre)|plus (?:de|d) (?:sms|pub|message)"
    r"|(?:retirez|retirer|enlevez|enlever|supprimez|supprimer|effacez|rayez|sortez)(?: moi| me| mon| mes)"
    r"|desabonnez moi|desinscrivez moi|foutez moi la paix|laissez moi tranquille|arretez (?:de|vos|avec|les|ces|tout)\b"
    r"|(?:do not|don t|dont|stop) (?:text|send|sms|message|contact|messag|texting|sending|contacting)"
    r"|leave me alone|take me off|remove me|opt out|keine (?:sms|werbung|nachrichten)|geen (?:sms|berichten)"
    r"|no (?:mas|more|piu) (?:sms|mensajes|messages|messaggi|texts)|dar(?:se)? de baja|nao quero"
)
_NOT_STOP = re.compile(
    r"stop (?:ou encore|and go|n go|over|covid|loss)\b|(?:ne|n) (?:\w+ ){0,2}?(?:arret\w+|stop\w*) (?:pas|jamais)\b"
)
MAX_WORDS_BESIDE = 3  # beside a weak word


def fold(text: str) -> list[str]:
    """Words without case, accents, punctuation; "S.T.O.P" is one word."""
    plain = unicodedata.normalize("NFKD", text[:1_000]).casefold()
    plain = "".join(character for character in plain if not unicodedata.combining(character))
    words = re.findall(r"[^\W_]+", plain)
    if len(words) > 1 and all(len(word) == 1 for word in words):
        return ["".join(words)]
    return words


def classify(text: str, own_words: Iterable[str] = ()) -> Command | None:
    """What an answer asks for; None when it is an ordinary answer. `own_words`: the account's own ways to say STOP."""
    words = fold(text)
    if not words:
        return Command(Keyword.HELP) if text.strip() == "?" else None
    own = {" ".join(fold(word)) for word in own_words} - {""}
    if " ".join(words) in own or _is_stop(words, STOP_WORDS | own):
        return Command(Keyword.STOP, _argument(words, STOP_WORDS | own))
    for keyword, known in ((Keyword.START, START_WORDS), (Keyword.HELP, HELP_WORDS)):
        if _is_alone(words, known):
            return Command(keyword, _argument(words, known))
    return None


def is_stop(text: str, own_words: Iterable[str] = ()) -> bool:
    command = classify(text, own_words)
    return command is not None and command.keyword is Keyword.STOP


def _is_stop(words: list[str], weak: frozenset[str] | set[str]) -> bool:
    line = " ".join(words)
    if _NOT_STOP.match(line):
        return False
    if _STRONG.fullmatch(words[0]) or _PHRASES.match(line):
        return True
    meant = [word for word in words if word not in _FILLERS]
    # "désabo STOP", "svp stop": nothing but fillers and keywords before it
    if any(map(_STRONG.fullmatch, meant)) and all(word in weak or _STRONG.fullmatch(word) for word in meant):
        return True
    return _is_alone(words, weak)


def _is_alone(words: list[str], known: frozenset[str] | set[str]) -> bool:
    """A known word, at the start of what is meant, with little else: "ARRET SVP", "START CARILLON"."""
    meant = [word for word in words if word not in _FILLERS or word in known]
    if not meant or meant[0] not in known or len(words) > 1 + 2 * MAX_WORDS_BESIDE:
        return False
    return (
        len(meant) == 1 or (meant[0] in _STARTERS and len(meant) == 2 and words[0] == meant[0]) or set(meant) <= known
    )


def _argument(words: list[str], known: frozenset[str] | set[str]) -> str:
    rest = [word for word in words if word not in _FILLERS and word not in known and not _STRONG.fullmatch(word)]
    return " ".join(rest)[:100]


# --- the mention in what is sent ---------------------------------------------------------------------------------------

OPT_OUT_LINK = "${optout}"
_MENTION = re.compile(
    r"(?<!non )(?<!non-)\bstop(?:\s*sms)?(?:\s*(?:au|a|to|:|=|>|->))?\s*(?P<number>\d{4,6})\b"
    r"|\bstop\s*sms\b|\bdesabo\w{0,20}(?:\s*:)?\s*(?:par\s+)?stop\b|\b(?:envoyez|envoyer|repondez|repondre|tapez|send|reply)\s+stop\b"
    r"|\$\{\s*optout\s*\}"
)


def mention(number: str) -> str:
    """What the person must do to be left alone: "STOP 36184"."""
    return f"STOP {number}"


def has_mention(text: str) -> bool:
    """Whether the text says how to opt out, in one of the accepted wordings."""
    return _MENTION.search(_plain(text)) is not None


def mentioned_numbers(text: str) -> list[str]:
    """Numbers the text tells people to send STOP to, in order."""
    return [found["number"] for found in _MENTION.finditer(_plain(text)) if found["number"]]


def with_mention(text: str, words: str) -> str:
    """The text with the mention at its end, one blank between (none after a line break)."""
    if not text:
        return words
    return text + words if text[-1].isspace() else f"{text} {words}"


def _plain(text: str) -> str:
    decomposed = unicodedata.normalize("NFKD", text).casefold()
    return "".join(character for character in decomposed if not unicodedata.combining(character))
