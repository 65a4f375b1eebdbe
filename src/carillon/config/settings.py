"""Django's settings, worked out from the platform's own (`carillon.config.env`)."""

from __future__ import annotations

import os
import secrets
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured

from carillon.config.env import BadSetting, read_settings
from carillon.config.postgres import DATABASE_NAME, PORT, ROLE, make_home, socket_folder

try:
    _env = read_settings(os.environ)
except BadSetting as bad:
    raise ImproperlyConfigured(str(bad)) from None

PACKAGE = Path(__file__).resolve().parent.parent
HOME: Path = _env["HOME"]
MEDIA_ROOT = HOME / "media"  # uploaded lists, pictures and sounds: shared storage when there are several machines
PUBLIC_URL: str = _env["PUBLIC_URL"]
SHORT_URL: str = _env["SHORT_URL"] or PUBLIC_URL
TRUSTED_PROXIES: int = _env["TRUSTED_PROXIES"]
HAS_OWN_DATABASE = not _env["DATABASE_URL"]  # true: the server of the wheel, which our launcher starts and stops


def _secret_key() -> str:
    """The given key, or one made at the first start and kept, readable by its owner only."""
    if _env["SECRET_KEY"]:
        return str(_env["SECRET_KEY"])
    path = HOME / "secret_key"
    make_home(HOME)
    if not path.exists():
        draft = HOME / f"secret_key.{secrets.token_hex(4)}"
        draft.touch(mode=0o600)
        draft.write_text(secrets.token_urlsafe(48), encoding="ascii")
        try:
            os.link(draft, path)  # two processes starting together end with the same key
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    return path.read_text(encoding="ascii").strip()


def _database() -> dict[str, Any]:
    options: dict[str, Any] = {"application_name": "carillon"}
    database: dict[str, Any] = {
        "ENGINE": "django.db.backends.postgresql",
        "OPTIONS": options,
        "CONN_HEALTH_CHECKS": True,
    }
    if _env["DATABASE_URL"]:
        url = urlsplit(_env["DATABASE_URL"])
        query = dict(parse_qsl(url.query))
        database |= {
            "NAME": unquote(url.path.lstrip("/")),
            "USER": unquote(url.username or ""),
            "PASSWORD": unquote(url.password or ""),
            "HOST": query.pop("host", None) or unquote(url.hostname or ""),
            "PORT": str(url.port or query.pop("port", "")),
        }
        options |= query
    else:
        database |= {"NAME": DATABASE_NAME, "USER": ROLE, "HOST": str(socket_folder(HOME)), "PORT": str(PORT)}
    if _env["DATABASE_POOL_SIZE"]:
        options["pool"] = {"min_size": 1, "max_size": _env["DATABASE_POOL_SIZE"], "timeout": 30}
        database["CONN_MAX_AGE"] = 0  # the pool keeps connections, Django must give them back
    else:
        database["CONN_MAX_AGE"] = 60
    return database


def _email() -> dict[str, Any]:
    url = urlsplit(_env["EMAIL_URL"])
    backends = "django.core.mail.backends"
    if url.scheme == "console":
        return {"EMAIL_BACKEND": f"{backends}.console.EmailBackend"}
    if url.scheme in {"smtp", "smtps"}:
        return {
            "EMAIL_BACKEND": f"{backends}.smtp.EmailBackend",
            "EMAIL_HOST": url.hostname or "localhost",
            "EMAIL_PORT": url.port or (465 if url.scheme == "smtps" else 587),
            "EMAIL_HOST_USER": unquote(url.username or ""),
            "EMAIL_HOST_PASSWORD": unquote(url.password or ""),
            "EMAIL_USE_SSL": url.scheme == "smtps",
            "EMAIL_USE_TLS": url.scheme == "smtp" and bool(url.username),
            "EMAIL_TIMEOUT": 30,
        }
    return {"EMAIL_BACKEND": f"{backends}.filebased.EmailBackend", "EMAIL_FILE_PATH": str(HOME / "mail")}


DEBUG: bool = _env["DEBUG"]
SECRET_KEY = _secret_key()
ROOT_URLCONF = "carillon.config.urls"
ASGI_APPLICATION = "carillon.config.asgi.application"
AUTH_USER_MODEL = "carillon.User"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

INSTALLED_APPS = [
    "procrastinate.contrib.django",
    "carillon.config.apps.CarillonConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django_htmx",
    "ninja",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "carillon.web.compression.PageCompression",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "carillon.web.middleware.Headers",
    "carillon.web.middleware.Preferences",
    "carillon.web.middleware.Seen",
    "carillon.web.middleware.Toasts",
    "carillon.web.middleware.Errors",
]

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [PACKAGE / "web" / "templates", PACKAGE / "api" / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "carillon.web.context.frame",
            ],
            "builtins": [
                "django.templatetags.i18n",
                "django.templatetags.l10n",
                "django.templatetags.static",
                "django_htmx.templatetags.django_htmx",
                "carillon.web.tags",
            ],
        },
    }
]

DATABASES = {"default": _database()}

PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.ScryptPasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
if _env["TEST_FAST_PASSWORDS"]:
    PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]

LANGUAGE_CODE = "fr"
LANGUAGES = [("fr", "Français"), ("en", "English")]
LOCALE_PATHS = [PACKAGE / "locale"]
USE_I18N = True
USE_TZ = True
TIME_ZONE: str = _env["TIME_ZONE"]

STATIC_URL = "/static/"
STATICFILES_DIRS = [folder for folder in [PACKAGE / "web" / "static", PACKAGE / "api" / "static"] if folder.is_dir()]
STATIC_ROOT = None
WHITENOISE_USE_FINDERS = True  # no collectstatic step: the files are served from the package
WHITENOISE_AUTOREFRESH = DEBUG

_public = urlsplit(PUBLIC_URL)
_is_https = _public.scheme == "https"
ALLOWED_HOSTS = sorted({_public.hostname or "", "localhost", "127.0.0.1", "[::1]", *_env["ALLOWED_HOSTS"]})
CSRF_TRUSTED_ORIGINS = [PUBLIC_URL]
CSRF_COOKIE_HTTPONLY = True
CSRF_FAILURE_VIEW = "carillon.web.middleware.stale"
CSRF_COOKIE_SECURE = _is_https
SESSION_COOKIE_SECURE = _is_https
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_NAME = "carillon_session"
SESSION_COOKIE_AGE = 12 * 3600  # without a visit
AUTHENTICATION_BACKENDS = ["carillon.web.backend.People"]
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
SECURE_HSTS_SECONDS = 31_536_000 if _is_https else 0
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if TRUSTED_PROXIES else None
X_FRAME_OPTIONS = "DENY"

# A list of 1,000,000 lines is a file of some 60 MB; it goes to disk by chunks, so only form fields need a small bound.
DATA_UPLOAD_MAX_MEMORY_SIZE = 10 * 1024 * 1024
FILE_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024
FILE_UPLOAD_PERMISSIONS = 0o600

DEFAULT_FROM_EMAIL: str = _env["EMAIL_FROM"]
SERVER_EMAIL = DEFAULT_FROM_EMAIL
globals().update(_email())
METRICS_TOKEN: str = _env["METRICS_TOKEN"]
WEBHOOK_PRIVATE: bool = _env["WEBHOOK_PRIVATE"]
CLICK_DAYS: int = _env["CLICK_DAYS"]
MAILBOX: Path | None = HOME / "mail" if _env["DEMO_MAILBOX"] and _env["EMAIL_URL"].startswith("file:") else None

PROCRASTINATE_AUTODISCOVER_MODULE_NAME = ""  # the worker loads the jobs (carillon.config.worker)

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s: %(message)s"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["stderr"], "level": _env["LOG_LEVEL"]},
    "loggers": {name: {"level": "WARNING"} for name in ("django.server", "procrastinate", "httpx")},
}
