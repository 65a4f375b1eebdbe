"""Every status a message can have: one table, then the few rules that read it.

Source of labels, colours and billing: the operators' guide (SMS annex 3, voice table). Two codes exist for posted, delivered,
not delivered and unassigned: the first is used for marketing traffic, the second for notifications; every filter treats
the pair as one (`expand_aliases`). 11 does not exist. 117 is voice only.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum, StrEnum


class Status(IntEnum):
    IN_PROGRESS = 1
    MALFORMED = 2
    NOT_AUTHORISED = 3
    DUPLICATE = 4
    PERSONALISATION = 5
    UCS2 = 6
    TOO_LONG = 7
    CREDIT = 8
    SENDING = 9
    POSTED = 10
    PROCESSING = 12
    OPERATOR_REFUSED = 13
    BLACKLISTED = 14
    BLACKLISTED_GLOBAL = 15
    DELIVERED = 16
    STOPPED = 17
    BLACKLISTED_CLIENT = 18
    NO_TARIFF = 19
    UNDELIVERED = 20
    DELIVERED_P2P = 21
    EXPIRED = 22
    DELETED = 23
    SENT = 24
    UNDELIVERED_P2P = 25
    UNKNOWN = 26
    OPERATOR_REJECTED = 27
    POSTED_P2P = 28
    UNASSIGNED = 29
    UNASSIGNED_P2P = 30
    UNAVAILABLE = 31
    REJECTED = 32
    VOICE_UNDELIVERED = 117


class Billed(StrEnum):
    YES = "yes"
    NO = "no"
    INTERMEDIATE = "intermediate"  # nothing is settled yet


class Outcome(StrEnum):
    """What the person got: drives chart tones and key figures, so that "expired" never looks like a success."""

    PENDING = "pending"
    DELIVERED = "delivered"
    NOT_DELIVERED = "not_delivered"
    NOT_SENT = "not_sent"


class Finality(StrEnum):
    OPEN = "open"
    SOFT = "soft"  # final once 48 hours have passed without a receipt
    FINAL = "final"


class Family(StrEnum):
    """smsmode's families of failures."""

    NONE = "none"
    TEMPORARY = "temporary"
    PERMANENT = "permanent"
    OTHER = "other"


class Advice(StrEnum):
    """What to do with the number in one's own list."""

    KEEP = "keep"
    MAY_BE_REMOVED = "may_be_removed"
    TWO_CAMPAIGNS = "two_campaigns"  # remove only when seen in two campaigns in a row: portability can lag


@dataclass(frozen=True, slots=True)
class StatusRow:
    """One line of the table. `voice` is the colour in voice reports where the guide gives another one."""

    status: Status
    label_fr: str
    label_en: str
    meaning_fr: str
    meaning_en: str
    sms: str
    billed: Billed
    finality: Finality
    outcome: Outcome
    voice: str = ""
    family: Family = Family.NONE
    advice: Advice = Advice.KEEP

    @property
    def code(self) -> int:
        return int(self.status)

    @property
    def is_final(self) -> bool:
        return self.finality is Finality.FINAL


_YES, _NO, _WAIT = Billed.YES, Billed.NO, Billed.INTERMEDIATE
_OPEN, _SOFT, _FINAL = Finality.OPEN, Finality.SOFT, Finality.FINAL
_PENDING, _GOT, _MISSED, _NOT_SENT = Outcome.PENDING, Outcome.DELIVERED, Outcome.NOT_DELIVERED, Outcome.NOT_SENT
_S, _R = Status, StatusRow
_UNTOLD = "Chez l'opérateur, sans accusé ni refus ; le plus souvent reçu sans accusé."
_UNTOLD_EN = "At the operator, neither receipt nor refusal; mostly delivered without a receipt."
_ON_HANDSET, _ON_HANDSET_EN = "Reçu sur le téléphone.", "Received on the handset."
_NO_HANDSET = "Arrivé chez l'opérateur, pas sur le téléphone."
_NO_HANDSET_EN = "Reached the operator, not the handset."
_NO_NUMBER = "Numéro inconnu de l'opérateur (NPAI)."
_NO_NUMBER_EN = "Number unknown to the operator."

# fmt: off
_ROWS = (
    _R(_S.IN_PROGRESS, "En cours de traitement", "In progress",
       "En préparation.", "Being prepared.", "green", _WAIT, _OPEN, _PENDING),
    _R(_S.SENDING, "En cours d'envoi", "Sending in progress",
       "Prêt, en cours de diffusion.", "Ready, being broadcast.", "green", _WAIT, _OPEN, _PENDING),
    _R(_S.POSTED, "Posté", "Posted", _UNTOLD, _UNTOLD_EN, "green", _YES, _SOFT, _PENDING, family=Family.TEMPORARY),
    _R(_S.POSTED_P2P, "Posté", "Posted", _UNTOLD, _UNTOLD_EN, "green", _YES, _SOFT, _PENDING, family=Family.TEMPORARY),
    _R(_S.SENT, "Envoyé", "Sent",
       "Remis pour acheminement vers l'opérateur.", "Posted for routing to the operator.",
       "green", _YES, _OPEN, _PENDING),
    _R(_S.DELIVERED, "Délivré", "Delivered", _ON_HANDSET, _ON_HANDSET_EN, "green", _YES, _FINAL, _GOT),
    _R(_S.DELIVERED_P2P, "Délivré", "Delivered", _ON_HANDSET, _ON_HANDSET_EN, "green", _YES, _FINAL, _GOT),
    _R(_S.STOPPED, "Délivré + STOP demandé", "Delivered + STOP requested",
       "Reçu sur le téléphone, et la personne a répondu STOP.", "Received on the handset, and the person answered STOP.",
       "green", _YES, _FINAL, _GOT),
    _R(_S.UNDELIVERED, "Non délivré", "Not delivered", _NO_HANDSET, _NO_HANDSET_EN,
       "orange", _YES, _FINAL, _MISSED, family=Family.OTHER),
    _R(_S.UNDELIVERED_P2P, "Non délivré", "Not delivered", _NO_HANDSET, _NO_HANDSET_EN,
       "orange", _YES, _FINAL, _MISSED, family=Family.OTHER),
    _R(_S.UNASSIGNED, "Numéro non attribué", "Unassigned number", _NO_NUMBER, _NO_NUMBER_EN,
       "orange", _YES, _FINAL, _MISSED, family=Family.PERMANENT, advice=Advice.TWO_CAMPAIGNS),
    _R(_S.UNASSIGNED_P2P, "Numéro non attribué", "Unassigned number", _NO_NUMBER, _NO_NUMBER_EN,
       "orange", _YES, _FINAL, _MISSED, family=Family.PERMANENT, advice=Advice.TWO_CAMPAIGNS),
    _R(_S.UNAVAILABLE, "Mobile non disponible", "Mobile unavailable",
       "Éteint ou hors de portée lors de l'essai ; d'autres essais suivent.",
       "Off or out of coverage at the attempt; further attempts follow.",
       "orange", _YES, _OPEN, _PENDING, family=Family.TEMPORARY),
    _R(_S.REJECTED, "SMS rejeté", "SMS rejected",
       "Refusé par l'opérateur : un paramètre n'est pas conforme.", "Refused by the operator for a non-compliant parameter.",
       "orange", _YES, _FINAL, _MISSED, family=Family.OTHER),
    _R(_S.OPERATOR_REFUSED, "Refus opérateur", "Operator refused",
       "L'opérateur a refusé le numéro après l'essai.", "The operator refused the number after the attempt.",
       "orange", _YES, _FINAL, _MISSED, family=Family.OTHER),
    _R(_S.OPERATOR_REJECTED, "Rejet opérateur", "Operator rejected",
       "L'opérateur a rejeté le message.", "The operator rejected the message.",
       "orange", _YES, _FINAL, _MISSED, family=Family.OTHER),
    _R(_S.MALFORMED, "Numéro mal formaté", "Malformed number",
       "Numéro impossible à joindre ; le plus souvent un téléphone fixe.", "Cannot be sent; usually a landline.",
       "orange", _NO, _FINAL, _NOT_SENT, voice="red", family=Family.OTHER, advice=Advice.MAY_BE_REMOVED),
    _R(_S.EXPIRED, "Message expiré", "Message expired",
       "Plusieurs essais, durée de vie dépassée (48 h par défaut).",
       "Several attempts, over the standard life (48 h by default).",
       "green", _YES, _FINAL, _MISSED, family=Family.OTHER),
    _R(_S.DELETED, "Message supprimé", "Message deleted",
       "Supprimé avant d'arriver chez l'opérateur.", "Deleted before the operator.", "green", _YES, _FINAL, _MISSED,
       family=Family.OTHER),
    _R(_S.UNKNOWN, "Erreur inconnue", "Unknown error",
       "L'opérateur a répondu une erreur inconnue.", "The operator returned an unknown error.",
       "yellow", _YES, _FINAL, _MISSED, family=Family.OTHER),
    _R(_S.NOT_AUTHORISED, "Destination non autorisée", "Destination not authorized",
       "Destination fermée sur le compte.", "Destination not open on the account.",
       "yellow", _NO, _FINAL, _NOT_SENT, family=Family.OTHER),
    _R(_S.PERSONALISATION, "Erreur de personnalisation", "Personalization error",
       "Erreur pendant la personnalisation du message.", "Error while personalising the message.",
       "yellow", _NO, _FINAL, _NOT_SENT),
    _R(_S.UCS2, "Caractère UCS2 non autorisé", "UCS2 character not authorized",
       "Un caractère UCS2 n'est pas permis par le compte ou la campagne.",
       "UCS2 character not allowed on the account or the campaign.", "yellow", _NO, _FINAL, _NOT_SENT),
    _R(_S.TOO_LONG, "Message trop long", "Message too long",
       "Plus long que ce que permet le compte ou la campagne (160 caractères GSM7, 70 UCS2 par défaut).",
       "Longer than the account or the campaign allows (160 GSM7 characters, 70 UCS2 by default).",
       "yellow", _NO, _FINAL, _NOT_SENT),
    _R(_S.CREDIT, "Crédit insuffisant", "Insufficient credit",
       "Il n'y avait plus assez de crédit.", "Not enough credit.", "yellow", _NO, _FINAL, _NOT_SENT, voice="orange"),
    _R(_S.PROCESSING, "Erreur de traitement", "Processing error",
       "Erreur de traitement pendant l'envoi.", "Processing error while sending.",
       "yellow", _NO, _FINAL, _NOT_SENT, family=Family.OTHER),
    _R(_S.DUPLICATE, "Doublons", "Duplicate",
       "Numéro déjà présent dans vos listes.", "Duplicate inside your lists.", "grey", _NO, _FINAL, _NOT_SENT),
    _R(_S.NO_TARIFF, "Tarif manquant", "Missing rate",
       "Aucun tarif pour cette destination.", "No rate for the destination.",
       "orange", _NO, _FINAL, _NOT_SENT, family=Family.OTHER),
    _R(_S.BLACKLISTED, "Destinataire dans votre blacklist", "Recipient in your blacklist",
       "Le numéro est dans votre blacklist.", "The number is in your blacklist.",
       "grey", _NO, _FINAL, _NOT_SENT, family=Family.OTHER),
    _R(_S.BLACKLISTED_GLOBAL, "Destinataire dans notre blacklist globale", "Recipient in our global blacklist",
       "Le numéro est dans la blacklist de la plateforme, qui refuse tout message.",
       "The number is in the platform's blacklist, which refuses every message.",
       "grey", _NO, _FINAL, _NOT_SENT, voice="black", family=Family.OTHER),
    _R(_S.BLACKLISTED_CLIENT, "Destinataire dans votre blacklist client", "Recipient in your client's blacklist",
       "Le numéro est dans la blacklist de votre client, qui refuse les messages de ce client.",
       "The number is in the blacklist of your client, which refuses messages of that client.",
       "grey", _NO, _FINAL, _NOT_SENT, family=Family.OTHER),
    _R(_S.VOICE_UNDELIVERED, "Non délivré", "Not delivered",
       "Le message vocal n'a pas pu être déposé sur le répondeur.", "The message could not be left on the voicemail.",
       "red", _YES, _FINAL, _MISSED, voice="red"),
)
# fmt: on

TABLE: dict[Status, StatusRow] = {row.status: row for row in _ROWS}
OPEN_STATUSES = frozenset(row.status for row in _ROWS if row.finality is not Finality.FINAL)
FINAL_STATUSES = frozenset(row.status for row in _ROWS if row.finality is Finality.FINAL)
NOT_SENT_STATUSES = frozenset(row.status for row in _ROWS if row.outcome is Outcome.NOT_SENT)
SOFT_FINAL_AFTER_S = 48 * 3600

_PAIRS = (  # marketing (broadcast) code, notification (person to person) code
    (Status.POSTED, Status.POSTED_P2P),
    (Status.DELIVERED, Status.DELIVERED_P2P),
    (Status.UNDELIVERED, Status.UNDELIVERED_P2P),
    (Status.UNASSIGNED, Status.UNASSIGNED_P2P),
)
_TO_NOTIFICATION = dict(_PAIRS)
_TO_MARKETING = {p2p: broadcast for broadcast, p2p in _PAIRS}

_BEFORE_SENDING = NOT_SENT_STATUSES | {Status.DELETED}
_FROM_NETWORK = frozenset(row.status for row in _ROWS if row.outcome in (Outcome.DELIVERED, Outcome.NOT_DELIVERED))
_POSTED = frozenset({Status.POSTED, Status.POSTED_P2P})
# Refusals may still happen when the gateway looks again (blacklist, credit, tariff); never once the carrier has it.
# A receipt can overtake the carrier's answer, hence moves from SENDING straight to the receipts' statuses.
MOVES: dict[Status, frozenset[Status]] = {status: frozenset() for status in Status} | {
    Status.IN_PROGRESS: _BEFORE_SENDING | _FROM_NETWORK | _POSTED | {Status.SENDING, Status.SENT, Status.UNAVAILABLE},
    Status.SENDING: _BEFORE_SENDING | _FROM_NETWORK | _POSTED | {Status.SENT, Status.UNAVAILABLE},
    Status.SENT: _FROM_NETWORK | _POSTED | {Status.UNAVAILABLE},
    Status.POSTED: _FROM_NETWORK | {Status.UNAVAILABLE},
    Status.POSTED_P2P: _FROM_NETWORK | {Status.UNAVAILABLE},
    Status.UNAVAILABLE: _FROM_NETWORK,
    Status.DELIVERED: frozenset({Status.STOPPED}),
    Status.DELIVERED_P2P: frozenset({Status.STOPPED}),
}

# Worst first: what a message of several segments shows when segments failed differently.
_FAILURES = (
    Status.UNASSIGNED, Status.OPERATOR_REFUSED, Status.OPERATOR_REJECTED, Status.REJECTED, Status.UNDELIVERED,
    Status.VOICE_UNDELIVERED, Status.EXPIRED, Status.DELETED, Status.UNKNOWN, *sorted(NOT_SENT_STATUSES),
)  # fmt: skip
# Least advanced first.
_WAITING = (Status.IN_PROGRESS, Status.SENDING, Status.SENT, Status.UNAVAILABLE, Status.POSTED)
_DELIVERIES = (Status.STOPPED, Status.DELIVERED)
_JOIN_ORDER = {status: rank for rank, status in enumerate((*_FAILURES, *_WAITING, *_DELIVERIES))}
_JOIN_ORDER |= {p2p: _JOIN_ORDER[broadcast] for broadcast, p2p in _PAIRS}


def row(status: int) -> StatusRow:
    """The table's line; KeyError-free only for codes that exist (ValueError otherwise)."""
    return TABLE[Status(status)]


def label(status: int, *, language: str = "fr") -> str:
    line = row(status)
    return line.label_en if language.startswith("en") else line.label_fr


def meaning(status: int, *, language: str = "fr") -> str:
    line = row(status)
    return line.meaning_en if language.startswith("en") else line.meaning_fr


def colour(status: int, *, medium: str = "sms") -> str:
    """`medium` is "sms" or "voice". Where the voice table has no cell, the SMS colour is used."""
    line = row(status)
    return line.voice or line.sms if medium == "voice" else line.sms


def is_final(status: int) -> bool:
    return Status(status) in FINAL_STATUSES


def is_refunded(status: int) -> bool:
    """Reserved credits go back at once. (23 is billed; when WE never handed the message over the caller refunds it.)"""
    return row(status).billed is Billed.NO


def at_end_of_life(status: int) -> Status:
    """What a message still open becomes when its validity (48 h by default) is over.

    "Mobile unavailable" expires; sent without any receipt is "posted", which is final from then on.
    """
    status = Status(status)
    if status is Status.UNAVAILABLE:
        return Status.EXPIRED
    return Status.POSTED if status is Status.SENT else status


def can_move(old: int, new: int) -> bool:
    return Status(new) in MOVES[Status(old)]


def advance(old: int, new: int) -> Status:
    """The status after news of `new`: moves forward or stays, so that late and repeated receipts do no harm."""
    return Status(new) if Status(new) in MOVES[Status(old)] else Status(old)


def aliases(status: int) -> frozenset[Status]:
    """The code and its twin: {10, 28}, {16, 21}, {20, 25}, {29, 30}, or the code alone."""
    status = Status(status)
    return frozenset({status, _TO_NOTIFICATION.get(status, status), _TO_MARKETING.get(status, status)})


def expand_aliases(codes: Iterable[int]) -> set[int]:
    """For filters: each code with its twin. Codes in no table stay as they are: they match no row."""
    found = set(codes)
    for broadcast, p2p in _PAIRS:
        if broadcast in found or p2p in found:
            found |= {int(broadcast), int(p2p)}
    return found


def for_traffic(status: int, is_notification: bool) -> Status:
    """The twin used for this traffic: 10 16 20 29 on marketing, 28 21 25 30 on notifications."""
    status = Status(status)
    return _TO_NOTIFICATION.get(status, status) if is_notification else _TO_MARKETING.get(status, status)


def joined(statuses: Iterable[int]) -> Status:
    """Status of a message from its segments': a failure wins, then what is still open, then delivered.

    The order of the segments does not matter. ValueError when there is none.
    """
    return min((Status(status) for status in statuses), key=lambda status: (_JOIN_ORDER[status], status))
