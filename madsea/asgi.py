"""The entry point of the web process."""

import os

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "madsea.settings")
django.setup(set_prefix=False)

from django.conf import settings  # noqa: E402 - only once Django knows them

from madsea.web.asgi_handler import ThreadedHandler  # noqa: E402
from madsea.web.proxies import Proxied  # noqa: E402

# What proxies forward is believed here, from those of the settings alone, and nowhere else.
application = Proxied(
    ThreadedHandler(settings.MADSEA_WEB_THREADS),
    settings.MADSEA_TRUSTED_PROXIES,
    settings.MADSEA_PATH,
)
