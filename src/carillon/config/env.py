"""Every setting of the platform: name, kind, default, meaning. Read once, from the environment, and loudly.

A secret may come from a file instead: `CARILLON_SECRET_KEY_FILE=/run/secrets/key`. An unknown `CARILLON_…` name stops the
start: a misspelt setting that is silently ignored costs more than a refusal. `docs/settings.md` is written from this table
(`python -m carillon.config.env`) and a guard test compares them.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

PREFIX = "CARILLON_"
FILE_SUFFIX = "_FILE"


class BadSetting(Exception):
    """A setting has a value that cannot be meant: names the variable, the value unless it is secret, and what is expected."""


def _text(value: str) -> str:
    return value


def _flag(value: str) -> bool:
    lowered = value.strip().lower()
    if lowered in {"1", "true", "yes", "on"}:
        return True
    if lowered in {"0", "false", "no", "off", ""}:
        return False
    raise ValueError("expected yes or no")


def _count(value: str) -> int:
    number = int(value)
    if number < 0:
        raise ValueError("expected 0 or more")
    return number


def _words(value: str) -> list[str]:
    return [word for word in (part.strip() for part in value.split(",")) if word]


def _folder(value: str) -> Path:
    path = Path(value).expanduser()
    if not value.strip():
        raise ValueError("expected the path of a folder")
    return path.absolute()


def _web_address(value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError("expected an address such as https://sms.example.org")
    if parts.path.strip("/") or parts.query or parts.fragment:
        raise ValueError("expected an address without a path")
    return value.rstrip("/")


def _database_url(value: str) -> str:
    if value and urlsplit(value).scheme not in {"postgres", "postgresql"}:
        raise ValueError("expected postgresql://user:password@host:5432/name")
    _ = urlsplit(value).port  # raises ValueError when it is no number
    return value


def _email_url(value: str) -> str:
    if value and urlsplit(value).scheme not in {"smtp", "smtps", "console", "file"}:
        raise ValueError("expected smtp://user:password@host:587, smtps://…:465, file: or console:")
    _ = urlsplit(value).port
    return value


def _zone(value: str) -> str:
    try:
        ZoneInfo(value)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError("expected a time zone such as Europe/Paris") from None
    return value


def _log_level(value: str) -> str:
    level = value.upper()
    if level not in {"DEBUG", "INFO", "WARNING", "ERROR"}:
        raise ValueError("expected DEBUG, INFO, WARNING or ERROR")
    return level


def default_home() -> str:
    """The user's data folder, as the XDG convention names it."""
    base = os.environ.get("XDG_DATA_HOME") or "~/.local/share"
    return str(Path(base).expanduser() / "carillon")


@dataclass(frozen=True, slots=True)
class Setting:
    name: str  # without the prefix
    read: Callable[[str], Any]
    default: str
    help: str
    is_secret: bool = False
    shown_default: str = ""  # for the documentation, when the default is computed


SETTINGS = (
    Setting(
        "HOME",
        _folder,
        "",
        "Folder of everything the platform keeps outside PostgreSQL, and of PostgreSQL itself when none is given.",
        shown_default="`$XDG_DATA_HOME/carillon`, else `~/.local/share/carillon`",
    ),
    Setting(
        "DATABASE_URL",
        _database_url,
        "",
        "PostgreSQL 14 or later: `postgresql://user:password@host:5432/name`. Empty: the server that comes with the platform, "
        "under the home folder, on a Unix socket.",
        is_secret=True,
    ),
    Setting(
        "DATABASE_POOL_SIZE",
        _count,
        "0",
        "Most connections in the pool of a process. 0: no pool, one connection per thread, kept open for a minute.",
        shown_default="`10` for `carillon web`, `0` for the others",
    ),
    Setting(
        "SECRET_KEY",
        _text,
        "",
        "Signs sessions and links. Several machines must share it.",
        is_secret=True,
        shown_default="made once and kept in the home folder",
    ),
    Setting(
        "PUBLIC_URL",
        _web_address,
        "http://127.0.0.1:8000",
        "Where people reach the web pages. With `https`, cookies are secure and browsers are told to come back by https only.",
    ),
    Setting("ALLOWED_HOSTS", _words, "", "Other host names to answer to, separated by commas, besides the public one."),
    Setting(
        "SHORT_URL",
        _text,
        "",
        "Base of the short links put in messages, such as `https://s.example.org`.",
        shown_default="the public address",
    ),
    Setting(
        "TRUSTED_PROXIES",
        _count,
        "0",
        "How many reverse proxies stand in front and set `X-Forwarded-For` and `X-Forwarded-Proto`. 0: those headers are "
        "ignored.",
    ),
    Setting("DEBUG", _flag, "no", "Pages show tracebacks. Never on a machine others can reach."),
    Setting("LOG_LEVEL", _log_level, "INFO", "DEBUG, INFO, WARNING or ERROR."),
    Setting(
        "EMAIL_URL",
        _email_url,
        "file:",
        "How e-mail leaves: `smtp://user:password@host:587` (STARTTLS), `smtps://user:password@host:465`, `console:`, or "
        "`file:` (one file per e-mail in the folder `mail` of the home folder).",
        is_secret=True,
    ),
    Setting("EMAIL_FROM", _text, "carillon@localhost", "Sender of the platform's e-mails."),
    Setting(
        "DEMO_MAILBOX",
        _flag,
        "no",
        "Only for a demonstration: the page `/mailbox/` shows to anyone the e-mails kept by `file:`, and the sign-in codes sent "
        "by SMS to test accounts.",
    ),
    Setting(
        "WEBHOOK_PRIVATE",
        _flag,
        "no",
        "Webhooks may call private addresses, and by http: for a trial or a closed network only.",
    ),
    Setting(
        "CLICK_DAYS",
        _count,
        "395",
        "Days after which the visits of short links become sums: who clicked what and when, and how often, stays in the report; "
        "each visit's own device and moment goes. 0: never. The default is 13 months, as the French authority advises for traces.",
    ),
    Setting(
        "METRICS_TOKEN",
        _text,
        "",
        "Bearer token that opens `/metrics` (Prometheus). Empty: only a signed-in operator reads it.",
        is_secret=True,
    ),
    Setting("TIME_ZONE", _zone, "Europe/Paris", "Time zone in which pages and reports show times."),
    Setting(
        "TEST_FAST_PASSWORDS",
        _flag,
        "no",
        "Only for automated tests: passwords are hashed quickly, that is, badly.",
    ),
)

_BY_NAME = {setting.name: setting for setting in SETTINGS}


def read_settings(environ: Mapping[str, str]) -> dict[str, Any]:
    """Values by name without the prefix. Raises BadSetting on an unknown name, an unreadable file or a value that cannot be."""
    for variable in environ:
        if variable.startswith(PREFIX):
            _check_known(variable.removeprefix(PREFIX))
    return {setting.name: _read_one(setting, environ) for setting in SETTINGS}


def _check_known(name: str) -> None:
    if name in _BY_NAME:
        return
    base = name.removesuffix(FILE_SUFFIX)
    if name.endswith(FILE_SUFFIX) and base in _BY_NAME and _BY_NAME[base].is_secret:
        return
    raise BadSetting(f"{PREFIX}{name} is not a setting of this platform: see docs/settings.md for the names.")


def _read_one(setting: Setting, environ: Mapping[str, str]) -> Any:
    variable = PREFIX + setting.name
    raw = environ.get(variable)
    file_name = environ.get(variable + FILE_SUFFIX) if setting.is_secret else None
    if file_name is not None:
        if raw is not None:
            raise BadSetting(f"{variable} and {variable}{FILE_SUFFIX} are both set: keep one.")
        try:
            raw = Path(file_name).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise BadSetting(f"{variable}{FILE_SUFFIX}: cannot read {file_name}: {error}") from error
    if raw is None:
        raw = setting.default
    if not raw and setting.name == "HOME":
        raw = default_home()
    try:
        return setting.read(raw)
    except ValueError as error:
        shown = "its value" if setting.is_secret else repr(raw)
        raise BadSetting(f"{variable}: {shown} is not possible: {error}.") from error


def as_markdown() -> str:
    """The page docs/settings.md."""
    lines = [
        "# Settings",
        "",
        "The platform reads its settings from environment variables when a process starts. Every one has a default that",
        "works. A value that cannot be meant, or a name that does not exist, stops the start with one sentence.",
        "",
        "A setting marked *secret* can be read from a file: put the path in the same name followed by `_FILE`.",
        "",
    ]
    for setting in SETTINGS:
        default = setting.shown_default or (f"`{setting.default}`" if setting.default else "empty")
        secret = " · *secret*" if setting.is_secret else ""
        lines += [f"## `{PREFIX}{setting.name}`", "", f"{setting.help}", "", f"Default: {default}{secret}", ""]
    return "\n".join(lines)


if __name__ == "__main__":
    print(as_markdown(), end="")
