"""What people read for the errors that services raise, by stable code. The services' own sentences are English, for machines
and developers; an error without a sentence here shows the service's.
"""

from __future__ import annotations

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from carillon.domain.errors import CarillonError

SENTENCES: dict[str, Promise | str] = {
    "conflict": _(
        "Quelqu'un, ou un autre onglet, a modifié cela entre-temps. Rechargez la page pour voir l'état actuel."
    ),
    "insufficient_credit": _("Il n'y a pas assez de crédits pour cela."),
    "forbidden": _("Vous n'avez pas le droit de faire cela."),
    "not_found": _("Introuvable."),
    "mobile": _("Ce n'est pas un numéro de mobile."),
    "email": _("Ce n'est pas une adresse e-mail."),
}


def sentence_for(error: CarillonError) -> str:
    """The sentence to show, in the person's language where we have one."""
    return str(SENTENCES.get(error.code, error.message))
