"""Every setting of Madsea, read from the environment here and nowhere else."""

import os
import re
import sys
from pathlib import Path
from typing import Any

from django.utils.translation import gettext_lazy as _

from madsea import env_file, environment, private_files, service_urls

BASE_DIR = Path(__file__).resolve().parent.parent
TESTING = "pytest" in sys.modules

# What the environment itself does not say is read from the file .env, where there is one.
env_file.load(BASE_DIR / ".env")

# Where things are ----------------------------------------------------------------------------
MADSEA_HOME = environment.folder("MADSEA_HOME", BASE_DIR / "var", make=True)
# A share that is not mounted is waited for.
MADSEA_PROJECTS_ROOT = environment.folder("MADSEA_PROJECTS_ROOT", MADSEA_HOME / "projects")
MADSEA_WORKFLOWS = environment.folder("MADSEA_WORKFLOWS", BASE_DIR / "workflows")
PORT = environment.whole_number("PORT", 8000, low=1, high=65535)
MADSEA_HOST = environment.text("MADSEA_HOST", "127.0.0.1")
# The path below which Madsea is served; empty where it has the host to itself.
MADSEA_PATH = environment.path("MADSEA_PATH")
# The proxies whose word is taken for where a client is, whether it speaks TLS, and to which host.
MADSEA_TRUSTED_PROXIES = environment.networks("MADSEA_TRUSTED_PROXIES")
# Requests that the web process answers at once, each on a thread with a database connection.
MADSEA_WEB_THREADS = environment.whole_number("MADSEA_WEB_THREADS", 8, low=1, high=256)
# Who may listen to events at once in a web process; one user half of them.
MADSEA_LISTENERS = environment.whole_number("MADSEA_LISTENERS", 500, low=2, high=900)

# Ids of processes that each of Madsea's is to end with: set by whoever starts several.
MADSEA_ENDS_WITH = environment.process_ids("MADSEA_ENDS_WITH")

# ComfyUI -------------------------------------------------------------------------------------
COMFYUI_SERVERS = environment.addresses("COMFYUI_SERVERS")
# The certificates by which https servers are trusted, instead of the machine's own.
MADSEA_CA_BUNDLE = environment.certificates(
    "MADSEA_CA_BUNDLE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE", "SSL_CERT_DIR"
)
MADSEA_PREVIEW_PORT = environment.whole_number("MADSEA_PREVIEW_PORT", 8190, low=1, high=65535)
MADSEA_PREVIEW_URL = f"http://127.0.0.1:{MADSEA_PREVIEW_PORT}"

# The driver: seconds unless the name says otherwise -------------------------------------------
MADSEA_DEPTH = environment.whole_number("MADSEA_DEPTH", 2, low=1, high=8)
MADSEA_LEASE_S = environment.whole_number("MADSEA_LEASE_S", 15, low=1, high=300)
MADSEA_LINGER_S = environment.whole_number("MADSEA_LINGER_S", 20, low=0, high=3600)
MADSEA_DRIVER_LIFE_S = environment.whole_number("MADSEA_DRIVER_LIFE_S", 2400, low=1, high=86400)
MADSEA_TICK_S = environment.whole_number("MADSEA_TICK_S", 5, low=1, high=300)
MADSEA_SERVER_GONE_S = environment.whole_number("MADSEA_SERVER_GONE_S", 300, low=1, high=86400)
MADSEA_TRIES = environment.whole_number("MADSEA_TRIES", 3, low=1, high=20)
MADSEA_HUNG_S = environment.whole_number("MADSEA_HUNG_S", 600, low=1, high=86400)
MADSEA_WORKER_DEAD_S = environment.whole_number("MADSEA_WORKER_DEAD_S", 30, low=1, high=3600)
MADSEA_STAGING_S = environment.whole_number("MADSEA_STAGING_S", 3600, low=1, high=604800)
MADSEA_WATCHDOG_S = environment.whole_number("MADSEA_WATCHDOG_S", 60, low=5, high=3600)

# What a request may hold -----------------------------------------------------------------------
MADSEA_PLANS_MAX = 10_000
MADSEA_IMAGE_MAX_BYTES = (
    environment.whole_number("MADSEA_IMAGE_MAX_MIB", 64, low=1, high=4096) * 2**20
)
MADSEA_IMAGE_MAX_PIXELS = (
    environment.whole_number("MADSEA_IMAGE_MAX_MEGAPIXELS", 100, low=1, high=1000) * 10**6
)
# What decoding an image may take: processes of each of our own, their memory, seconds of computing.
MADSEA_DECODERS = environment.whole_number("MADSEA_DECODERS", 2, low=1, high=64)
MADSEA_DECODE_MEMORY_MIB = environment.whole_number(
    "MADSEA_DECODE_MEMORY_MIB", 2048, low=256, high=1_048_576
)
MADSEA_DECODE_S = environment.whole_number("MADSEA_DECODE_S", 30, low=1, high=3600)
# How large a workflow may be.
MADSEA_GRAPH_MAX_NODES = environment.whole_number(
    "MADSEA_GRAPH_MAX_NODES", 5_000, low=1, high=100_000
)
MADSEA_GRAPH_MAX_BYTES = environment.whole_number("MADSEA_GRAPH_MAX_MIB", 4, low=1, high=64) * 2**20
MADSEA_TEXT_MAX_CHARACTERS = environment.whole_number(
    "MADSEA_TEXT_MAX_CHARACTERS", 32_000, low=1_000, high=1_000_000
)
MADSEA_FILE_LINK_S = environment.whole_number("MADSEA_FILE_LINK_S", 3600, low=10, high=604800)
# How long a client's Idempotency-Key stands for the batch that it made.
MADSEA_IDEMPOTENCY_H = environment.whole_number("MADSEA_IDEMPOTENCY_H", 24, low=1, high=8760)

# What one zip of pictures may hold.
MADSEA_ZIP_MAX_FILES = environment.whole_number("MADSEA_ZIP_MAX_FILES", 2_000, low=1, high=100_000)
MADSEA_ZIP_MAX_GIB = environment.whole_number("MADSEA_ZIP_MAX_GIB", 16, low=1, high=4_096)

# Whether everybody who is signed in may do everything but give workflows: for trying out, and for
# small studios.
MADSEA_EVERYBODY_MAY = environment.flag(
    "MADSEA_EVERYBODY_MAY", default=environment.flag("DEBUG", default=False)
)

# Django ----------------------------------------------------------------------------------------
for name in ("secret_key", "demo_password"):
    private_files.keep_private(MADSEA_HOME / name)
for name in ("cache", "logs", "preview", "test"):
    private_files.keep_private_folder(MADSEA_HOME / name)
SECRET_KEY = private_files.kept_secret("SECRET_KEY", MADSEA_HOME / "secret_key")
DEBUG = environment.flag("DEBUG", default=False)
# Whether somebody said so: `make serve` turns DEBUG on for the preview server where nobody did.
DEBUG_IS_SAID = bool(environment.text("DEBUG"))
ALLOWED_HOSTS = environment.hosts("ALLOWED_HOSTS") or ["localhost", "127.0.0.1", "[::1]"]
CSRF_TRUSTED_ORIGINS = environment.origins("CSRF_TRUSTED_ORIGINS", web_only=True)
ROOT_URLCONF = "madsea.urls"
ASGI_APPLICATION = "madsea.asgi.application"
WSGI_APPLICATION = "madsea.wsgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
# What people read whose browser asks for neither, and mails; tests read English.
LANGUAGES = [("fr", "Français"), ("en", "English")]
LANGUAGE_CODE = environment.upper_case_choice(
    "LANGUAGE_CODE", "en" if TESTING else "fr", among=("FR", "EN")
).lower()
# What commands say at a terminal, where that names one of the two.
MADSEA_CONSOLE_LANGUAGE = environment.console_language(LANGUAGE_CODE)
# What belongs to no app: the web process, names, other packages' pages without French of their own.
LOCALE_PATHS = [BASE_DIR / "madsea" / "locale"]
USE_I18N = True
TIME_ZONE = environment.time_zone("TIME_ZONE", "UTC")
USE_TZ = True
APPEND_SLASH = False
LOGIN_URL = "admin:login"
LOGIN_REDIRECT_URL = "admin:index"

INSTALLED_APPS = [
    "unfold",
    "unfold.contrib.filters",
    "madsea.admin_pages.AdminPagesConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "corsheaders",
    "rest_framework",
    "rest_framework.authtoken",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "django_q",
    "generation",
    "storyboards",
    "review",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "madsea.web.compression.Compress",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "corsheaders.middleware.CorsMiddleware",
    "madsea.web.languages.LanguageMiddleware",
    "madsea.web.error_middleware.AnswerTrouble",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "generation.admin.unchanged_pages.UnchangedPages",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "madsea.web.error_handlers.Pages",
    "generation.api.query_parameters.RefuseUnknown",
]

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
            ]
        },
    }
]

AUTHENTICATION_BACKENDS = ["madsea.web.logins.CountingBackend"]
# The first makes hashes and checks them; the others read what another Django may have made.
PASSWORD_HASHERS = [
    "madsea.web.password_hashing.OneAtATimeHasher",
    "django.contrib.auth.hashers.PBKDF2SHA1PasswordHasher",
    "django.contrib.auth.hashers.ScryptPasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]

FORCE_SCRIPT_NAME = MADSEA_PATH or None
STATIC_URL = f"{MADSEA_PATH}/static/"
STATIC_ROOT = MADSEA_HOME / "static"
STATIC_ROOT.mkdir(parents=True, exist_ok=True)
STATICFILES_DIRS: list[Path] = []
WHITENOISE_USE_FINDERS = True
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if DEBUG
        else "madsea.web.static_files.HashedFiles"
    },
}
FILE_UPLOAD_MAX_MEMORY_SIZE = 4 * 2**20
DATA_UPLOAD_MAX_MEMORY_SIZE = 16 * 2**20
CSRF_FAILURE_VIEW = "madsea.web.error_handlers.csrf_failure"
X_FRAME_OPTIONS = "DENY"
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
# Browsers send the cookies with TLS alone. A trusted proxy says so.
MADSEA_HTTPS = environment.flag("MADSEA_HTTPS", default=False)
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = LANGUAGE_COOKIE_SECURE = MADSEA_HTTPS
# Another application on the same host neither gets our cookies nor has its own taken for ours.
SESSION_COOKIE_PATH = CSRF_COOKIE_PATH = LANGUAGE_COOKIE_PATH = f"{MADSEA_PATH}/"
SESSION_COOKIE_NAME = f"sessionid{MADSEA_PATH.replace('/', '-')}"
CSRF_COOKIE_NAME = f"csrftoken{MADSEA_PATH.replace('/', '-')}"
LANGUAGE_COOKIE_NAME = f"language{MADSEA_PATH.replace('/', '-')}"
LANGUAGE_COOKIE_AGE = 365 * 24 * 3600
LANGUAGE_COOKIE_HTTPONLY, LANGUAGE_COOKIE_SAMESITE = True, "Lax"

# Mails: the summary. Without EMAIL_HOST none is sent.
EMAIL_HOST = environment.text("EMAIL_HOST")
EMAIL_USE_SSL = environment.flag("EMAIL_USE_SSL", default=False)
EMAIL_USE_TLS = environment.flag("EMAIL_USE_TLS", default=False)
EMAIL_PORT = environment.whole_number(
    "EMAIL_PORT", 465 if EMAIL_USE_SSL else 587 if EMAIL_USE_TLS else 25, low=1, high=65535
)
EMAIL_HOST_USER = environment.text("EMAIL_HOST_USER")
EMAIL_HOST_PASSWORD = environment.text("EMAIL_HOST_PASSWORD")
EMAIL_TIMEOUT = 30
DEFAULT_FROM_EMAIL = environment.text("DEFAULT_FROM_EMAIL", "madsea@localhost")
# Who gets the summary, and the address of this site that stands in it.
MADSEA_SUMMARY_TO = environment.comma_list("MADSEA_SUMMARY_TO")
MADSEA_URL = next(iter(environment.addresses("MADSEA_URL")), "")

# The database: one machine on SQLite, a studio on PostgreSQL ------------------------------------
SQLITE_OPTIONS: dict[str, Any] = {
    "transaction_mode": "IMMEDIATE",
    "timeout": 20,
    "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
}
POSTGRES_OPTIONS: dict[str, Any] = {
    # Index reads are cheap on an SSD: PostgreSQL must know, or it reads whole tables. A transaction
    # that stays idle for 30 s is ended, so that a frozen process loses its locks.
    "options": "-c random_page_cost=1.1 -c idle_in_transaction_session_timeout=30000",
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 2,
    # What is asked for every plan (selectors.prepared_queries) is kept with its plan from the fifth
    # time on; Django's own statements never are.
    "prepare_threshold": 5,
}


def _database() -> dict[str, Any]:
    url = environment.text("DATABASE_URL", f"sqlite:///{MADSEA_HOME / 'madsea.sqlite3'}")
    config = service_urls.database("DATABASE_URL", url)
    # Kept, and looked at before they are used: the threads and processes that have one are few.
    config["CONN_MAX_AGE"] = 600
    config["CONN_HEALTH_CHECKS"] = True
    if config["ENGINE"] == "django.db.backends.sqlite3":
        # It holds tokens and hashes. What SQLite lays beside it gets the same rights.
        private_files.keep_private(
            Path(config["NAME"]), make=not (TESTING or config["NAME"] == ":memory:")
        )
        for suffix in ("-wal", "-shm", "-journal"):
            private_files.keep_private(Path(f"{config['NAME']}{suffix}"))
        config["OPTIONS"] = SQLITE_OPTIONS | config.get("OPTIONS", {})
        # Two test runs at once must not share a file.
        config["TEST"] = {"NAME": MADSEA_HOME / "test" / f"madsea-test-{os.getpid()}.sqlite3"}
        (MADSEA_HOME / "test").mkdir(parents=True, exist_ok=True)
    else:
        config["OPTIONS"] = POSTGRES_OPTIONS | config.get("OPTIONS", {})
    return config


DATABASES = {"default": _database()}

# django-q2: see docs/operations.md for why each value is what it is -------------------------------
REDIS_URL = environment.text("REDIS_URL")
if REDIS_URL:
    service_urls.queue("REDIS_URL", REDIS_URL)
MADSEA_WORKERS = environment.whole_number("MADSEA_WORKERS", 0, low=1, high=512)  # 0: servers + 2
Q_CACHE_DIR = MADSEA_HOME / "cache"
CACHES: dict[str, Any] = {
    "default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"},
    "q": {
        "BACKEND": "django.core.cache.backends.filebased.FileBasedCache",
        "LOCATION": Q_CACHE_DIR,
    },
}
Q_CLUSTER: dict[str, Any] = {
    "name": "madsea",
    "label": _("Background tasks"),
    "workers": MADSEA_WORKERS or max(1, len(COMFYUI_SERVERS)) + 2,
    "poll": 0.1,
    "queue_limit": 1,
    "bulk": 1,
    "timeout": MADSEA_DRIVER_LIFE_S + 1200,
    "retry": 2 * (MADSEA_DRIVER_LIFE_S + 1200) + 300,
    "ack_failures": True,
    "max_attempts": 1,
    "catch_up": False,
    "save_limit": 50,
    "save_limit_per": "func",
    "guard_cycle": 0.5,
    "recycle": 200,
    "max_rss": 600_000,
    "cache": "q",
    "ALT_CLUSTERS": {},
}
if REDIS_URL:
    # A Redis that is silent must not hold up who wakes drivers; reading waits for 1 s by nature.
    Q_CLUSTER["redis"] = environment.with_options(
        REDIS_URL, socket_connect_timeout=2, socket_timeout=5
    )
else:
    Q_CLUSTER["orm"] = "default"

# The API ------------------------------------------------------------------------------------------
CORS_ORIGINS = environment.origins("CORS_ALLOWED_ORIGINS")
# django-cors-headers takes a scheme without a host, as of desktop frontends, for a mistake.
CORS_ALLOWED_ORIGINS = [each for each in CORS_ORIGINS if not each.endswith("://")]
CORS_ALLOWED_ORIGIN_REGEXES = [
    f"^{re.escape(each)}$" for each in CORS_ORIGINS if each.endswith("://")
]
CORS_URLS_REGEX = r"^/(api|files)/.*$"
CORS_ALLOW_HEADERS = (
    "accept",
    "authorization",
    "content-type",
    "if-none-match",
    "x-csrftoken",
    "x-requested-with",
    "idempotency-key",
    "last-event-id",
)
CORS_EXPOSE_HEADERS = ("ETag", "Idempotent-Replayed", "Location", "Retry-After")
CORS_ALLOW_CREDENTIALS = False
REST_FRAMEWORK: dict[str, Any] = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "generation.api.authentication.QuickTokenAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": [
        "rest_framework.permissions.IsAuthenticated",
        "generation.api.permission_classes.MayAct",
    ],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PAGINATION_CLASS": "generation.api.pagination.Pages",
    "DEFAULT_SCHEMA_CLASS": "generation.api.schema_generator.Described",
    "EXCEPTION_HANDLER": "generation.api.errors.answer",
    "PAGE_SIZE": 100,
    "STRICT_JSON": True,
}
SPECTACULAR_SETTINGS: dict[str, Any] = {
    "TITLE": "Madsea",
    "DESCRIPTION": "Generate the plans of an episode and follow every one of them.",
    "VERSION": "0.1.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVERS": [{"url": MADSEA_PATH or "/"}],
    "PREPROCESSING_HOOKS": ["generation.api.schema_descriptions.one_of_each"],
    "POSTPROCESSING_HOOKS": ["generation.api.schema_generator.with_documents"],
    "COMPONENT_SPLIT_REQUEST": True,
    "SCHEMA_PATH_PREFIX": "/api",
    "EXTERNAL_DOCS": {"description": "The guide", "url": f"{MADSEA_PATH}/api/guide"},
    "PATH_CONVERTER_OVERRIDES": {"id": {"type": "integer", "minimum": 0}},
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
}

UNFOLD: dict[str, Any] = {
    "SITE_TITLE": "Madsea",
    "SITE_HEADER": "Madsea",
    "SITE_SUBHEADER": _("From plans to images"),
    "SITE_URL": None,
    # It would hold what was typed into forms alone, and none of the acts.
    "SHOW_HISTORY": False,
    "SITE_ICON": "generation.admin.navigation.icon",
    "SITE_FAVICONS": [
        {"rel": "icon", "type": "image/svg+xml", "href": "generation.admin.navigation.icon"},
    ],
    "STYLES": ["generation.admin.navigation.stylesheet"],
    "SCRIPTS": [
        "generation.admin.navigation.events_script",
        "generation.admin.navigation.live_script",
    ],
    "DASHBOARD_CALLBACK": "generation.admin.dashboard.home",
    "SIDEBAR": {"show_search": False, "navigation": "generation.admin.navigation.sidebar"},
    "COLORS": {
        "primary": {
            "50": "oklch(97.6% .015 220)",
            "100": "oklch(94.6% .032 219)",
            "200": "oklch(89.3% .06 218)",
            "300": "oklch(81.5% .096 218)",
            "400": "oklch(70.8% .118 221)",
            "500": "oklch(60.6% .112 224)",
            "600": "oklch(51.2% .098 227)",
            "700": "oklch(44.4% .085 229)",
            "800": "oklch(39.2% .071 231)",
            "900": "oklch(34.6% .058 233)",
            "950": "oklch(25.8% .047 236)",
        },
    },
}

# Logs ------------------------------------------------------------------------------------------
LOG_LEVEL = environment.upper_case_choice(
    "LOG_LEVEL", "INFO", among=("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")
)
LOGGING: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "line": {
            "()": "madsea.web.log_filters.EnglishLines",
            "format": "%(asctime)s %(levelname)s %(name)s: %(message)s",
        }
    },
    "filters": {
        "refusals": {"()": "madsea.web.log_filters.RefusalsInOneLine"},
        "signatures": {"()": "madsea.web.log_filters.HideSignatures"},
    },
    "handlers": {
        "console": {
            "class": "logging.StreamHandler",
            "formatter": "line",
            "filters": ["refusals", "signatures"],
        }
    },
    "root": {"handlers": ["console"], "level": LOG_LEVEL},
    "loggers": {
        # Without the handler of its own that Django has with DEBUG: each line would come twice.
        "django": {"handlers": []},
        "django-q": {"level": "WARNING" if LOG_LEVEL in {"DEBUG", "INFO"} else LOG_LEVEL},
        # What these tell of a request may hold its secrets.
        "urllib3": {"level": "ERROR"},
        # A hostile socket would fill the log with its errors; ours tell what matters of them.
        "websockets": {"level": "CRITICAL"},
        # Where another server than `manage.py web` runs the application, with a log of its own.
        "uvicorn.access": {"filters": ["signatures"]},
    },
}
