"""The entry point for those who serve Madsea over WSGI."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "madsea.settings")
application = get_wsgi_application()
