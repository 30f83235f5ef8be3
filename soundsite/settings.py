"""The one settings module. Every value comes from the environment; README.md lists them all.

Nothing here, and nothing in the applications, differs by an `if DEBUG`.
"""

from __future__ import annotations

import logging
import os
from pathlib import Path

from celery.schedules import crontab
from csp.constants import SELF
from django.conf import global_settings

from soundsite import environment as read
from soundsite import logs, policies

BASE_DIR = Path(__file__).resolve().parent.parent

SOUNDSITE_DATA = read.folder("SOUNDSITE_DATA", default=BASE_DIR / "var", base=BASE_DIR)
SECRET_KEY = read.text("SECRET_KEY")
DEBUG = read.flag("DEBUG", default=False)
ALLOWED_HOSTS = read.names("ALLOWED_HOSTS", default="localhost,127.0.0.1,[::1]")
CSRF_TRUSTED_ORIGINS = read.origins("CSRF_TRUSTED_ORIGINS")
HTTPS_ONLY = read.flag("HTTPS_ONLY", default=False)
HSTS_SECONDS = read.whole_number("HSTS_SECONDS", default=0, minimum=0)
HSTS_PRELOAD = read.flag("HSTS_PRELOAD", default=False)
TRUSTED_PROXIES = read.whole_number("TRUSTED_PROXIES", default=0, minimum=0)
LOG_LEVEL = read.one_of(
    "LOG_LEVEL", "INFO", allowed=("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")
)
LOG_FORMAT = read.one_of("LOG_FORMAT", "TEXT", allowed=("TEXT", "JSON"))
METRICS_TOKEN = read.optional("METRICS_TOKEN")

# --- applications --------------------------------------------------------------------------

INSTALLED_APPS = [
    "unfold",
    "unfold.contrib.import_export",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.humanize",
    "django.contrib.messages",
    "django.contrib.postgres",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.usersessions",
    "csp",
    "django_htmx",
    "import_export",
    "ninja",
    "django_structlog",
    "tracks",
    "matcher",
    "matcher.api",
    "soundsite",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "soundsite.compression.CompressedStaticFiles",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django_structlog.middlewares.RequestMiddleware",
    "soundsite.policies.PoliciesMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "soundsite.language.SiteLocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "matcher.api.middleware.api_middleware",
]

ROOT_URLCONF = "soundsite.urls"
WSGI_APPLICATION = "soundsite.wsgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

# The site's red, as lightness and chroma by weight; the hue is one.
_PRIMARY = {
    "50": "97.7% .014", "100": "94.6% .033", "200": "90.2% .063", "300": "82.7% .1",
    "400": "71.4% .15", "500": "62.7% .18", "600": "53% .17", "700": "47% .155",
    "800": "40% .13", "900": "35% .11", "950": "27% .08",
}  # fmt: skip
UNFOLD = {
    "SITE_TITLE": "Soundsite",
    "SITE_HEADER": "Soundsite",
    "SITE_SYMBOL": "graphic_eq",
    "COLORS": {"primary": {weight: f"oklch({tone} 40)" for weight, tone in _PRIMARY.items()}},
    "DASHBOARD_CALLBACK": "soundsite.dashboard.dashboard",
    "SIDEBAR": {"navigation": "soundsite.navigation.navigation"},
}

# --- database and files --------------------------------------------------------------------

DATABASES = {
    "default": {
        **read.postgres("DATABASE_URL"),
        "CONN_MAX_AGE": 60,
        "CONN_HEALTH_CHECKS": True,
    }
}

MEDIA_ROOT = read.folder("MEDIA_ROOT", default=SOUNDSITE_DATA / "media", base=BASE_DIR)
# Media on an S3-compatible store instead, if one is named.
MEDIA_S3_BUCKET = read.optional("MEDIA_S3_BUCKET")
MEDIA_S3_ENDPOINT = read.origin("MEDIA_S3_ENDPOINT")
MEDIA_S3_PUBLIC_ENDPOINT = read.origin("MEDIA_S3_PUBLIC_ENDPOINT") or MEDIA_S3_ENDPOINT
MEDIA_S3_REGION = read.text("MEDIA_S3_REGION", default="us-east-1")
MEDIA_S3_KEY_ID = read.optional("MEDIA_S3_KEY_ID")
MEDIA_S3_SECRET = read.optional("MEDIA_S3_SECRET")
MEDIA_S3_LINK_SECONDS = read.whole_number("MEDIA_S3_LINK_SECONDS", default=3600, minimum=60)
if MEDIA_S3_BUCKET:
    STORAGES = {
        **global_settings.STORAGES,
        "default": {
            "BACKEND": "tracks.stores.S3Media",
            "OPTIONS": {
                "bucket_name": MEDIA_S3_BUCKET,
                "endpoint_url": MEDIA_S3_ENDPOINT,
                "public_endpoint": MEDIA_S3_PUBLIC_ENDPOINT,
                "region_name": MEDIA_S3_REGION,
                "access_key": MEDIA_S3_KEY_ID or None,
                "secret_key": MEDIA_S3_SECRET or None,
                "querystring_expire": MEDIA_S3_LINK_SECONDS,
            },
        },
    }
# An import by the administration's form: a folder of so many files, not the usual hundred.
DATA_UPLOAD_MAX_NUMBER_FILES = 5000
FILE_UPLOAD_PERMISSIONS = 0o600
FILE_UPLOAD_DIRECTORY_PERMISSIONS = 0o700

STATIC_URL = "/static/"
STATICFILES_DIRS = [BASE_DIR / "static"]
# The applications' own folders are served; there is nothing to collect first.
WHITENOISE_USE_FINDERS = True

# The rows of an import wait in the media store between the dry run and the administrator's word.
IMPORT_EXPORT_TMP_STORAGE_CLASS = "import_export.tmp_storages.MediaStorage"
# A title such as =HYPERLINK(...) is text to whoever opens an export in a spreadsheet.
IMPORT_EXPORT_ESCAPE_FORMULAE_ON_EXPORT = True

# --- HTTPS and what browsers are told --------------------------------------------------------

SECURE_SSL_REDIRECT = SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS_ONLY
LANGUAGE_COOKIE_SECURE = HTTPS_ONLY
SECURE_REDIRECT_EXEMPT = [r"^(healthz|readyz|metrics)$"]  # asked from inside, without TLS
SECURE_HSTS_SECONDS = HSTS_SECONDS
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = HSTS_PRELOAD
# What a proxy says counts only where there is one: anybody can send these headers.
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if TRUSTED_PROXIES else None
ALLAUTH_TRUSTED_PROXY_COUNT = TRUSTED_PROXIES
X_FRAME_OPTIONS = "DENY"
SECURE_REFERRER_POLICY = "same-origin"
# Players are led to the store by links of it.
_PLAYED = {"media-src": [SELF, MEDIA_S3_PUBLIC_ENDPOINT]} if MEDIA_S3_BUCKET else {}
CONTENT_SECURITY_POLICY = {"DIRECTIVES": {**policies.PAGES, **_PLAYED}}

# --- people --------------------------------------------------------------------------------

# Counts of tries to sign in and the like: one for all web processes, and there without the broker.
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.db.DatabaseCache",
        "LOCATION": "soundsite_cache",
        "OPTIONS": {"MAX_ENTRIES": 100_000},  # or many addresses could push a count out
    }
}

AUTHENTICATION_BACKENDS = [
    "django.contrib.auth.backends.ModelBackend",
    "allauth.account.auth_backends.AuthenticationBackend",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
ACCOUNT_LOGIN_METHODS = {"username", "email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "username*", "password1*", "password2*"]
ACCOUNT_EMAIL_VERIFICATION = "optional"
# Nobody learns by signing up whether an address has an account; it can be confirmed for one only.
ACCOUNT_PREVENT_ENUMERATION = "strict"
ACCOUNT_CHANGE_EMAIL = True
ACCOUNT_EMAIL_NOTIFICATIONS = True
ACCOUNT_REAUTHENTICATION_REQUIRED = True
MFA_TOTP_ISSUER = "Soundsite"
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "matcher:new"
LOGOUT_REDIRECT_URL = "/"

vars().update(read.email("EMAIL_URL", default="consolemail://"))
EMAIL_TIMEOUT = 10  # seconds; a mail server that says nothing must not hold up a page or a sweep

# --- uploads and jobs ----------------------------------------------------------------------

UPLOAD_MAX_BYTES = read.whole_number("UPLOAD_MAX_BYTES", default=100 * 1024 * 1024)
UPLOAD_MIN_SECONDS = read.whole_number("UPLOAD_MIN_SECONDS", default=5)
UPLOAD_MAX_SECONDS = read.whole_number("UPLOAD_MAX_SECONDS", default=1800)
UPLOADS_AT_ONCE = read.whole_number("UPLOADS_AT_ONCE", default=200)
UPLOADS_PER_DAY = read.whole_number("UPLOADS_PER_DAY", default=1000)
UPLOADS_KEPT_BYTES = read.whole_number("UPLOADS_KEPT_BYTES", default=10 * 1024**3)
QUEUE_MAX_JOBS = read.whole_number("QUEUE_MAX_JOBS", default=1000)
UPLOADS_KEPT_DAYS = read.whole_number("UPLOADS_KEPT_DAYS", default=30)
HEARTBEAT_SECONDS = read.whole_number("HEARTBEAT_SECONDS", default=5)
HEARTBEAT_TIMEOUT_SECONDS = read.whole_number("HEARTBEAT_TIMEOUT_SECONDS", default=20)
SWEEP_SECONDS = read.whole_number("SWEEP_SECONDS", default=15)
API_REQUESTS_PER_MINUTE = read.whole_number("API_REQUESTS_PER_MINUTE", default=120)
API_ANONYMOUS_REQUESTS_PER_MINUTE = read.whole_number(
    "API_ANONYMOUS_REQUESTS_PER_MINUTE", default=30
)
MAX_ATTEMPTS = read.whole_number("MAX_ATTEMPTS", default=3)
MATCH_SOFT_LIMIT_SECONDS = read.whole_number("MATCH_SOFT_LIMIT_SECONDS", default=240)
MATCH_HARD_LIMIT_SECONDS = read.whole_number("MATCH_HARD_LIMIT_SECONDS", default=270)
BROKER_VISIBILITY_SECONDS = read.whole_number("BROKER_VISIBILITY_SECONDS", default=600)

# --- Celery --------------------------------------------------------------------------------

REDIS_URL = read.redis("REDIS_URL")

CELERY_BROKER_URL = REDIS_URL
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "visibility_timeout": BROKER_VISIBILITY_SECONDS,
    # Messages of a killed worker are looked for every 5 s, not every 100 s as by default.
    "unacked_restore_interval": 5,
    "unacked_restore_throttle": 1,
    # A web request must not hang on a broker that is down: the sweep sends the nudge again.
    "socket_connect_timeout": 2,
    "socket_timeout": 10,
}
CELERY_TASK_PUBLISH_RETRY_POLICY = {"max_retries": 1, "interval_start": 0.1}
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TASK_SERIALIZER = "json"
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
# A job in hand is finished without a broker: its row is the truth, and the message that is handed
# out again finds nothing left to claim.
CELERY_WORKER_CANCEL_LONG_RUNNING_TASKS_ON_CONNECTION_LOSS = False
# A new process asks librosa for its filters, which takes seconds, on a busy machine minutes; one
# that is killed over it would begin anew and never be ready.
CELERY_WORKER_PROC_ALIVE_TIMEOUT = 600
os.environ.setdefault("NUMBA_CACHE_DIR", str(SOUNDSITE_DATA / "numba"))
CELERY_TASK_SOFT_TIME_LIMIT = MATCH_SOFT_LIMIT_SECONDS
CELERY_TASK_TIME_LIMIT = MATCH_HARD_LIMIT_SECONDS
CELERY_TASK_DEFAULT_QUEUE = "maintenance"
CELERY_TASK_ROUTES = {
    "matcher.tasks.match_upload": {"queue": "match"},
    "tracks.tasks.index_entry": {"queue": "index"},
    "tracks.tasks.find_duplicates": {"queue": "index"},
    "tracks.tasks.lay_out": {"queue": "index"},
    "tracks.tasks.import_step": {"queue": "index"},
    "tracks.tasks.train_version": {"queue": "train"},
    "tracks.tasks.evaluate_version": {"queue": "train"},
    "matcher.tasks.*": {"queue": "maintenance"},
    "tracks.tasks.*": {"queue": "maintenance"},
    "soundsite.tasks.*": {"queue": "maintenance"},
}
CELERY_BEAT_SCHEDULE = {
    "sweep uploads": {
        "task": "matcher.tasks.sweep_uploads",
        "schedule": SWEEP_SECONDS,
        "options": {"expires": SWEEP_SECONDS},
    },
    "send notices": {
        "task": "matcher.tasks.send_notices",
        "schedule": SWEEP_SECONDS,
        "options": {"expires": SWEEP_SECONDS},
    },
    "sweep index": {
        "task": "tracks.tasks.sweep_index",
        "schedule": SWEEP_SECONDS,
        "options": {"expires": SWEEP_SECONDS},
    },
    "delete expired uploads": {
        "task": "matcher.tasks.delete_expired",
        "schedule": 3600,
        "options": {"expires": 3600},
    },
    "remove orphan files": {
        "task": "soundsite.tasks.remove_orphans",
        "schedule": crontab(hour="3", minute="40"),
        "options": {"expires": 3600},
    },
    "forget expired sessions": {
        "task": "soundsite.tasks.forget_sessions",
        "schedule": crontab(hour="3", minute="50"),
        "options": {"expires": 3600},
    },
    "forget old answers of the API": {
        "task": "matcher.api.tasks.forget",
        "schedule": 3600,
        "options": {"expires": 3600},
    },
}
CELERY_BEAT_SCHEDULE_FILENAME = str(SOUNDSITE_DATA / "beat-schedule")

# --- language, time, logs ------------------------------------------------------------------

LANGUAGE_CODE = "en-gb"
LANGUAGES = [("en-gb", "English"), ("de", "Deutsch")]
LOCALE_PATHS = [BASE_DIR / "locale"]
LANGUAGE_COOKIE_AGE = 365 * 24 * 60 * 60
LANGUAGE_COOKIE_HTTPONLY = True
LANGUAGE_COOKIE_SAMESITE = "Lax"
TIME_ZONE = "UTC"
USE_TZ = True

# Lines have the ids of their request, task and upload, and nobody's name, address or file name.
LOGGING = logs.configuration(LOG_LEVEL, LOG_FORMAT)
DJANGO_STRUCTLOG_CELERY_ENABLED = True
DJANGO_STRUCTLOG_CELERY_DEFAULT_LOG_LEVEL = logging.DEBUG
DJANGO_STRUCTLOG_STATUS_START_LOG_LEVEL = logging.DEBUG
DJANGO_STRUCTLOG_STATUS_4XX_LOG_LEVEL = logging.INFO
DJANGO_STRUCTLOG_IP_LOGGING_ENABLED = False
DJANGO_STRUCTLOG_USER_ID_FIELD = ""
