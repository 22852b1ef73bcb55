"""The entry point of the web process."""

import os

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "madsea.settings")
django.setup(set_prefix=False)

from django.conf import settings  # noqa: E402 - only once Django knows them

from madsea.web import ThreadedHandler  # noqa: E402

application = ThreadedHandler(settings.MADSEA_WEB_THREADS)
