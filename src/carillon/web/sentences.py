"""What people read for the errors that services raise, by stable code. The services' own sentences are English, for machines
and developers; an error without a sentence here shows the service's.
"""

from __future__ import annotations

from django.utils.functional import Promise
from django.utils.translation import get_language, gettext
from django.utils.translation import gettext_lazy as _

from carillon.domain import pauses
from carillon.domain.errors import CarillonError, InsufficientCredit, InvalidInput
from carillon.domain.status import Status, label

SENTENCES: dict[str, Promise | str] = {
    "conflict": _(
        "Quelqu'un, ou un autre onglet, a modifié cela entre-temps. Rechargez la page pour voir l'état actuel."
    ),
    "insufficient_credit": _("Il n'y a pas assez de crédits pour cela."),
    "forbidden": _("Vous n'avez pas le droit de faire cela."),
    "not_found": _("Introuvable."),
    "mobile": _("Ce n'est pas un numéro de mobile."),
    "email": _("Ce n'est pas une adresse e-mail."),
    "no_mobile": _("Indiquez d'abord votre numéro de mobile dans vos informations."),
    "no_email": _("Indiquez d'abord une adresse e-mail."),
    "weak_password": _(
        "Il faut au moins 11 caractères, avec une majuscule, une minuscule, un chiffre et un caractère spécial, "
        "sans y mettre l'identifiant."
    ),
    "wrong_password": _("Ce n'est pas votre mot de passe actuel."),
    "password_needed": _("Indiquez votre mot de passe actuel pour changer cela."),
    "own_contact": _("Vos propres e-mail et mobile se changent dans « Mon compte », avec votre mot de passe."),
    "login_taken": _("Cet identifiant est déjà pris."),
    "name_taken": _("Ce nom est déjà pris."),
    "sender_refused": _("Les opérateurs ont refusé cet émetteur : choisissez-en un autre, ou laissez vide."),
    "country": _("Un pays s'écrit en deux lettres, par exemple FR."),
    "prefix": _("Un préfixe ne contient que des chiffres, par exemple 3367."),
    "one_event_a_call": _("Le format SMSFactor ne porte qu'un événement par appel."),
    "not_that_many": _("Ce compte n'a pas tant de crédits à reprendre."),
    "passkeys_full": _("Vous avez déjà dix clés d'accès : supprimez-en une d'abord."),
    "nul": _("Ce texte contient un caractère qui ne peut pas être enregistré."),
    "no_simulator": _("Aucun simulateur n'est configuré : un opérateur doit en ajouter un (Plateforme → Connecteurs)."),
    "required": _("Ce champ est obligatoire."),
    "own_rights": _("Vous ne pouvez pas vous retirer vos propres droits."),
    "role": _("Vous ne pouvez pas donner ce rôle."),
    "brand_used": _("Des campagnes ou des STOP portent cette marque : elle ne peut plus être supprimée."),
    "connector_used": _("Ce connecteur a transporté des messages : désactivez-le plutôt."),
    "nested": _("Un sous-compte ne peut pas avoir de sous-comptes."),
    "amount": _("Indiquez un nombre de crédits."),
    "alert_contact": _("Indiquez qui prévenir : une adresse e-mail ou un numéro de mobile."),
    "address_not_allowed": _("Cette adresse n'est pas permise : elle est dans un réseau privé, ou son port est fermé."),
    "https_required": _("L'adresse doit commencer par https."),
    "unknown_host": _("Ce nom de machine est introuvable."),
    "unknown_event": _("Choisissez au moins un événement."),
    # campaigns and lists
    "edited_elsewhere": _("Cette campagne a été modifiée dans une autre fenêtre."),
    "not_a_draft": _("Cette campagne n'est plus un brouillon : elle ne peut plus être modifiée. Dupliquez-la."),
    "campaign_busy": _("Cette campagne est programmée ou en cours : annulez-la d'abord."),
    "changed_meanwhile": _("La campagne a changé pendant sa préparation : recommencez."),
    "no_connector": _(
        "Aucun connecteur ne peut porter cette campagne. Un opérateur doit en ajouter un (Plateforme → Connecteurs)."
    ),
    "no_recipient": _("Choisissez au moins un destinataire."),
    "list_not_ready": _("Une liste est encore en cours d'import : attendez la fin de son analyse."),
    "not_prepared": _("La campagne n'est pas encore prête : attendez la fin de sa préparation."),
    "account_closed": _("Ce compte est fermé : rien n'en part."),
    "too_many_tests": _("Cette campagne a déjà été testée 100 fois aujourd'hui."),
    "not_running": _("Cette campagne n'est pas en cours."),
    "not_paused": _("Cette campagne n'est pas en pause."),
    "not_scheduled": _("Cette campagne n'est pas programmée."),
    "too_late": _("Trop tard pour annuler : l'envoi commence dans moins de 10 secondes."),
    "date_in_the_past": _("Cette date est passée."),
    "date_too_close": _("Un envoi différé commence au plus tôt dans 5 minutes."),
    "empty_file": _("Ce fichier est vide."),
    "unreadable_file": _("Ce fichier est illisible : il faut un contact par ligne, en CSV, TXT, XLS ou XLSX."),
    "too_many_columns": _("Ce fichier a trop de colonnes : ne gardez que celles dont vous avez besoin."),
    "too_big": _("Ce fichier est trop gros."),
    "open_quote": _("Un guillemet ouvert n'est jamais refermé dans ce fichier."),
    "no_mobile_column": _("Aucune colonne de numéros de mobile n'a été trouvée : choisissez-la."),
    "no_such_column": _("Cette colonne n'existe pas dans le fichier."),
    "list_not_found": _("Cette liste n'existe plus."),
    "recipient_not_found": _("Ce destinataire n'existe plus."),
    "template_syntax": _("La syntaxe des champs du message est incorrecte."),
    # what comes back
    "invalid_number": _("Ce n'est pas un numéro de téléphone."),
    "consent_required": _(
        "Indiquez quand et comment la personne a accepté d'être à nouveau contactée (10 caractères au moins)."
    ),
    "opted_out": _("Cette personne a demandé à ne plus être contactée."),
    "keyword_reserved": _("Ce mot veut déjà dire STOP ou START."),
    "keyword_taken": _("Ce mot-clé a déjà une réponse."),
    "keyword_empty": _("Un mot-clé contient des lettres ou des chiffres."),
    "text_too_long": _("Une réponse tient en 6 SMS au plus."),
    "too_many_addresses": _("Dix adresses au plus."),
    "url_scheme": _("L'adresse d'un lien commence par http:// ou https://."),
    "url_invalid": _("Ce n'est pas une adresse web."),
    "url_too_long": _("Cette adresse est trop longue."),
    "url_host_is_field": _("Le nom du site ne peut pas venir d'un champ : écrivez-le."),
    "url_credentials": _("Une adresse ne contient ni nom d'utilisateur ni mot de passe."),
    "url_homograph": _("Cette adresse mélange des alphabets pour en imiter une autre : elle est refusée."),
    "url_is_short": _("Un lien suivi ne peut pas mener à un autre lien court."),
    "too_many_links": _("Un message contient six liens suivis au plus."),
    "image_unreadable": _("Ce n'est pas une image JPG ou PNG."),
    "image_too_big": _("Cette image a trop de pixels."),
    "pdf_active": _("Ce PDF contient des scripts ou des fichiers : réenregistrez-le en PDF simple."),
    "zip_unreadable": _("Ce fichier ZIP est illisible."),
    "zip_encrypted": _("Ce ZIP est protégé par un mot de passe : enregistrez-le sans."),
    "zip_traversal": _(
        "Le chemin « %(subject)s » sort du dossier de ce ZIP : refaites le ZIP depuis le dossier de la page."
    ),
    "zip_bomb": _("« %(subject)s » est beaucoup trop gros une fois décompressé : 30 Mo au plus pour toute la page."),
    "zip_too_many": _("Ce ZIP contient trop de fichiers : 200 au plus."),
    "zip_type": _(
        "« %(subject)s » n'est pas d'un type hébergé : HTML, CSS, images, polices, PDF, MP3 ou MP4. Retirez-le du ZIP."
    ),
    "zip_no_page": _(
        "Ce ZIP ne contient pas de page « %(subject)s » : nommez-la ainsi, ou n'y mettez qu'une page HTML."
    ),
}


def sentence_for_pause(reason: str) -> str:
    """Why a campaign is paused (`domain.pauses`), in the person's language."""
    pause = pauses.read(reason)
    if pause.code == pauses.FAILURE_RATE:
        facts = {
            "failed": pause.failed,
            "known": pause.known,
            "status": pause.status,
            "label": label(Status(pause.status), language=get_language() or "fr"),
            "times": pause.times,
        }
        return (
            gettext(
                "Elle s'est arrêtée d'elle-même : %(failed)s des %(known)s derniers messages ont échoué, "
                "le plus souvent « %(label)s » (statut %(status)s, %(times)s fois)."
            )
            % facts
        )
    if pause.code == pauses.ACCOUNT_CLOSED:
        return gettext("Le compte a été fermé.")
    if pause.code == pauses.COMMAND_LINE:
        return gettext("Par un opérateur de la plateforme.")
    if pause.code == pauses.PERSON:
        return gettext("Par %(name)s.") % {"name": pause.text} if pause.text else ""
    return pause.text


def sentence_for_kept(error: str) -> str:
    """What stopped a campaign (`CarillonError.kept`, or a code alone), in the person's language."""
    code, _colon, message = error.partition(": ")
    return str(SENTENCES.get(code) or message or error)


def sentence_for(error: CarillonError) -> str:
    """The sentence to show, in the person's language where we have one."""
    if isinstance(error, InsufficientCredit):
        return gettext("Crédit insuffisant : il faut %(needed)s crédits, il en reste %(available)s.") % {
            "needed": f"{error.needed / 100:g}",
            "available": f"{max(error.available, 0) / 100:g}",
        }
    sentence = str(SENTENCES.get(error.code, error.message))
    return (
        sentence % {"subject": error.subject}
        if isinstance(error, InvalidInput) and "%(subject)s" in sentence
        else sentence
    )
