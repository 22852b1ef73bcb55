"""The addresses of the web process."""

from importlib import import_module

from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path
from django.views.generic import RedirectView
from django.views.i18n import set_language

# They add theirs to the API's addresses.
import_module("storyboards.api.urls")
import_module("review.api.urls")
admin.autodiscover()

urlpatterns: list[URLPattern | URLResolver] = [
    path("", RedirectView.as_view(pattern_name="admin:index")),
    path("admin", RedirectView.as_view(pattern_name="admin:index")),
    path("admin/language/", set_language, name="set_language"),
    path("admin/", admin.site.urls),
    path("review/", include("review.pages.urls")),
    path("r/", include("review.pages.guest_urls")),
    path("", include("generation.api.urls")),
]

handler400 = "madsea.web.error_handlers.bad_request"
handler403 = "madsea.web.error_handlers.permission_denied"
handler404 = "madsea.web.error_handlers.unknown_address"
handler500 = "madsea.web.error_handlers.server_error"
