"""The side menu: what stands in it, for whom, in which order."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from django.urls import Resolver404, resolve
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from carillon.models import User


@dataclass(frozen=True, slots=True)
class Entry:
    label: Promise | str
    path: str
    icon: str
    role: str = "user"  # user | admin | operator | test (demo and test accounts)


@dataclass(frozen=True, slots=True)
class Group:
    title: Promise | str
    entries: tuple[Entry, ...]


GROUPS = (
    Group(
        "",
        (
            Entry(_("Tableau de bord"), "/", "home"),
            Entry(_("Mes campagnes"), "/campaigns/", "campaign"),
            Entry(_("Listes"), "/lists/", "list"),
            Entry(_("Modèles"), "/templates/", "template"),
            Entry(_("Réponses"), "/replies/", "inbox"),
            Entry(_("Liste noire"), "/blacklist/", "ban"),
            Entry(_("NPAI"), "/npai/", "phone-off"),
            Entry(_("Simulateur"), "/simulator/", "phone", role="test"),
        ),
    ),
    Group(
        _("Compte"),
        (
            Entry(_("Développeur"), "/developer/", "code"),
            Entry(_("Administration"), "/admin/", "settings", role="admin"),
            Entry(_("Mon compte"), "/account/", "user"),
        ),
    ),
    Group(_("Exploitation"), (Entry(_("Plateforme"), "/ops/", "activity", role="operator"),)),
)


def menu_for(user: User, path: str) -> list[dict[str, object]]:
    """Groups with the entries this user may open; the one `path` lies under is current."""
    shown = [(group, [entry for entry in group.entries if _may_open(entry, user)]) for group in GROUPS]
    current = max(
        (entry.path for _group, entries in shown for entry in entries if _is_under(path, entry.path)),
        key=len,
        default="",
    )
    return [
        {
            "title": group.title,
            "entries": [
                {"label": e.label, "path": e.path, "icon": e.icon, "is_current": e.path == current} for e in entries
            ],
        }
        for group, entries in shown
        if entries
    ]


@cache
def _is_built(path: str) -> bool:
    """A page that this version does not have is not offered."""
    try:
        resolve(path)
    except Resolver404:
        return False
    return True


def _may_open(entry: Entry, user: User) -> bool:
    if not _is_built(entry.path):
        return False
    if entry.role == "admin":
        return user.is_admin
    if entry.role == "operator":
        return user.is_operator
    if entry.role == "test":
        return user.account.is_test
    return True


def _is_under(path: str, root: str) -> bool:
    return path == root if root == "/" else path.startswith(root)
