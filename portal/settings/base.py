"""Settings shared by every way of running Nebulet."""

from pathlib import Path
from typing import Any

from csp.constants import SELF, UNSAFE_INLINE
from django.templatetags.static import static
from django.utils.translation import gettext_lazy as _

from portal import VERSION
from portal.settings.databases import database
from portal.settings.environment import Environment
from portal.settings.images import ImageFile

ENV = Environment.read()
BASE_DIR = Path(__file__).resolve().parents[2]

NAME = ENV.name
PUBLIC_URL = ENV.public_url
STATE_DIR = ENV.state_dir
VENDOR_DATA_FILE = ENV.vendor_data
REGION = "RegionOne"
NETWORK_CIDR = ENV.network_cidr
ADMIN_PASSWORD = ENV.admin_password

INSTALLED_APPS = [
    "unfold.apps.BasicAppConfig",
    "unfold.contrib.guardian",
    "portal.core",
    "accounts",
    "images",
    "compute.network",
    "compute",
    "portal.dashboard",
    "portal.core.apps.OperatorAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "guardian",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "channels",
    "csp",
]

MIDDLEWARE = [
    "portal.core.middleware.RequestIdMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "portal.core.pages.ContentPolicy",
    "portal.core.pages.Session",
    "portal.core.pages.Language",
    "django.middleware.common.CommonMiddleware",
    "portal.core.pages.Forgery",
    "portal.core.pages.SignedIn",
    "accounts.middleware.ContextMiddleware",
    "portal.core.pages.Messages",
    "portal.core.pages.Frames",
]

ROOT_URLCONF = "portal.urls"
WSGI_APPLICATION = "portal.wsgi.application"
ASGI_APPLICATION = "portal.asgi.application"
APPEND_SLASH = False

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "portal.dashboard.kit.context.shell",
            ]
        },
    }
]

# Identity
AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["accounts.backends.PasswordBackend", "accounts.backends.PolicyBackend"]
ANONYMOUS_USER_NAME = None
GUARDIAN_MONKEY_PATCH_USER = False
SILENCED_SYSTEM_CHECKS = ["auth.W004", "guardian.W001"]  # names are unique per domain; grants are read by the rule engine
PASSWORD_HASHERS = [
    "accounts.hashers.OwaspArgon2Hasher",
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
    "accounts.hashers.RandomSecretHasher",
]
LOGIN_URL = "/account/sign-in/"
LOGIN_REDIRECT_URL = "/"
PASSWORD_MIN_LENGTH = ENV.passwords.min_length
PASSWORD_REGEX = ENV.passwords.regex
PASSWORD_REGEX_WORDS = ENV.passwords.regex_words
PASSWORD_UNIQUE_LAST = ENV.passwords.unique_last
PASSWORD_EXPIRES_DAYS = ENV.passwords.expires_days
PASSWORD_MIN_AGE_DAYS = ENV.passwords.min_age_days
PASSWORD_CHANGE_AT_FIRST_USE = ENV.passwords.change_at_first_use
SIGN_IN_TRIES = ENV.sign_in_tries
SIGN_IN_TRIES_PER_ADDRESS = 20
SIGN_IN_WAIT_S = ENV.sign_in_wait_s
SIGN_IN_LONGEST_WAIT_S = 15 * 60
TOKEN_LIFETIME_S = 3600 * 4
EXPIRED_TOKEN_WINDOW_S = 3600 * 48
MAX_PROJECT_TREE_DEPTH = 5
LIMIT_MODEL = ENV.limit_model
FERNET_KEY_DIR = ENV.secrets / "fernet"
CREDENTIAL_KEY_DIR = ENV.secrets / "credential"
RECEIPT_LIFETIME_S = 300
QUEUE_KEY_FILE = ENV.secrets / "queue-key"
POLICY_FILES = {
    "identity": BASE_DIR / "accounts" / "policy.json",
    "image": BASE_DIR / "images" / "policy.json",
    "compute": BASE_DIR / "compute" / "policy.json",
    "network": BASE_DIR / "compute" / "network" / "policy.json",
    "portal": BASE_DIR / "portal" / "policy.json",
}

# Stores and hosts
_IMAGES = ImageFile.read(ENV.image_settings, ENV.state_dir)
IMAGE_STORES = _IMAGES.stores
IMAGE_DEFAULT_STORE = _IMAGES.default_store
IMAGE_STAGING_DIR = _IMAGES.staging
IMAGE_IMPORT_METHODS = _IMAGES.import_methods
IMAGE_FETCH = _IMAGES.fetch
IMAGE_SHOW_LOCATIONS = _IMAGES.show_multiple_locations
IMAGE_SECURE_HASH = _IMAGES.do_secure_hash
IMAGE_MAX_BYTES = 1 << 40
IMAGE_MAX_VIRTUAL_BYTES = ENV.images.max_virtual_bytes
IMAGE_CONVERSION_FORMAT = ENV.images.conversion_format
IMAGE_INJECT_PROPERTIES = ENV.images.inject
IMAGE_INJECT_IGNORED_ROLES = ENV.images.inject_ignored_roles
IMAGE_CERTIFICATES_DIR = ENV.state_dir / "certificates"
IMAGE_PROTECTED_PROPERTIES = BASE_DIR / "images" / "properties.json"
SCHEDULER_FILTERS = [
    "compute.scheduler.filters.retry.RetryFilter",
    "compute.scheduler.filters.compute_up.ComputeFilter",
    "compute.scheduler.filters.availability_zone.AvailabilityZoneFilter",
    "compute.scheduler.filters.ram.RamFilter",
    "compute.scheduler.filters.disk.DiskFilter",
    "compute.scheduler.filters.core.CoreFilter",
    "compute.scheduler.filters.image_properties.ImagePropertiesFilter",
    "compute.scheduler.filters.same_host.SameHostFilter",
    "compute.scheduler.filters.different_host.DifferentHostFilter",
    "compute.scheduler.filters.affinity.ServerGroupAffinityFilter",
    "compute.scheduler.filters.anti_affinity.ServerGroupAntiAffinityFilter",
]
SCHEDULER_WEIGHERS = [
    ("compute.scheduler.weighers.ram.RamWeigher", 1.0),
    ("compute.scheduler.weighers.soft_affinity.ServerGroupSoftAffinityWeigher", 1.0),
    ("compute.scheduler.weighers.soft_anti_affinity.ServerGroupSoftAntiAffinityWeigher", 1.0),
]
CPU_ALLOCATION_RATIO = ENV.cpu_allocation_ratio
RAM_ALLOCATION_RATIO = ENV.ram_allocation_ratio
DISK_ALLOCATION_RATIO = ENV.disk_allocation_ratio
HOST_SILENT_S = 45
OPERATION_TIMEOUTS_S = ENV.timeouts_s
SHELVED_OFFLOAD_TIME_S = ENV.shelved_offload_time_s  # until a shelved server leaves its host; -1: never by itself
RECLAIM_INSTANCE_INTERVAL_S = ENV.reclaim_interval_s
RESIZE_CONFIRM_WINDOW_S = ENV.resize_confirm_window_s
CONSOLE_TOKEN_LIFETIME_S = 600
VIEWER_BIND = ENV.bind
VIEWER_PORT = ENV.viewer_port
FAULTS = ENV.faults  # for tests alone, see portal.core.faults

# Database, queue, channels, cache
DATABASES = {"default": database(ENV.database_url)}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
BROKER_URL = ENV.broker_url
REDIS_URL = ENV.redis_url
CHANNEL_LAYERS = {
    "default": {
        "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
        "CONFIG": {"hosts": [ENV.redis_url], "prefix": "nebulet"},
    }
}
CACHES = {
    "default": {
        "BACKEND": "portal.core.caches.SharedRedisCache",
        "LOCATION": ENV.redis_url,
        "KEY_PREFIX": "nebulet:cache",
    }
}

# Language and time
USE_TZ = True
TIME_ZONE = "UTC"
USE_I18N = True
LANGUAGE_CODE = "en"
LANGUAGES = [("en", _("English")), ("zh-hans", _("Simplified Chinese"))]
LOCALE_PATHS = [BASE_DIR / "portal" / "locale"]

# Static files
STATIC_URL = "/static/"
STATIC_ROOT = ENV.state_dir / "static"
STATICFILES_DIRS = [("dist", BASE_DIR / "static" / "dist")]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}
WHITENOISE_MAX_AGE = 31536000

# Safety
ALLOWED_HOSTS = ENV.allowed_hosts
CSRF_TRUSTED_ORIGINS = [ENV.public_url]
CSRF_COOKIE_NAME = f"{ENV.name}_csrf_{ENV.port}"
SESSION_COOKIE_NAME = f"{ENV.name}_session_{ENV.port}"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = ENV.public_url.startswith("https:")
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_AGE = 12 * 3600
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
DATA_UPLOAD_MAX_MEMORY_SIZE = 2 * 1024 * 1024
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "script-src": [SELF],
        "style-src": [SELF, UNSAFE_INLINE],
        "img-src": [SELF, "data:", "blob:"],
        "font-src": [SELF, "data:"],
        "connect-src": [SELF],
        "object-src": ["'none'"],
        "frame-ancestors": ["'none'"],
        "base-uri": ["'none'"],
        "form-action": [SELF],
    },
}
UNFOLD = {
    "SITE_TITLE": "Nebulet",
    "SITE_HEADER": "Nebulet",
    "SITE_SUBHEADER": _("Administration"),
    "SITE_SYMBOL": "cloud",
    "SITE_FAVICONS": [{"rel": "icon", "type": "image/svg+xml", "href": lambda _request: static("dist/favicon.svg")}],
    "SITE_URL": "/",
    "SHOW_HISTORY": True,
    "COLORS": {
        "primary": {
            "50": "oklch(97% .014 254.6)",
            "100": "oklch(93.2% .032 255.6)",
            "200": "oklch(88.2% .059 254.1)",
            "300": "oklch(80.9% .105 251.8)",
            "400": "oklch(70.7% .165 254.6)",
            "500": "oklch(62.3% .214 259.8)",
            "600": "oklch(54.6% .245 262.9)",
            "700": "oklch(48.8% .243 264.4)",
            "800": "oklch(42.4% .199 265.6)",
            "900": "oklch(37.9% .146 265.5)",
            "950": "oklch(28.2% .091 267.9)",
        }
    },
}

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [],
    "DEFAULT_PERMISSION_CLASSES": [],
    "UNAUTHENTICATED_USER": None,
    "DEFAULT_RENDERER_CLASSES": ["portal.core.api.codec.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["portal.core.api.codec.JSONParser"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Nebulet",
    "VERSION": VERSION,
    "DESCRIPTION": "OpenStack's identity, image, compute and network APIs.",
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
    "PREPROCESSING_HOOKS": ["portal.core.api.schema.once"],
}

LOGGING_CONFIG = None
LOG: dict[str, Any] = {
    "debug": ENV.debug,
    "form": ENV.log_format,
    "switch": ENV.state_dir / "run" / "debug",
    "files": ENV.state_dir / "log" / "services",
}
