"""The entry point for those who serve Madsea over WSGI.

What the web process does before a view is asked (`madsea.web.threaded_asgi_handler`: who may send
how much, how long, and the turns of logins) is then for the server or a proxy to do.
"""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "madsea.settings")
application = get_wsgi_application()
