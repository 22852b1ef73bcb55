"""The addresses of guests: the link that they were given, and below its number what it shows."""

from django.urls import path

from generation.api import route_builders  # noqa: F401 - it makes `id` known to addresses
from review.pages import guests

_LINK = "<id:link_id>/"

urlpatterns = [
    path("<str:token>", guests.enter, name="guest-enter"),
    path(_LINK, guests.cards, name="guest-cards"),
    path(f"{_LINK}password", guests.password, name="guest-password"),
    path(f"{_LINK}name", guests.name, name="guest-name"),
    path(f"{_LINK}judge", guests.judge, name="guest-judge"),
    path(f"{_LINK}pictures/<id:version_id>/<id:width_px>", guests.picture, name="guest-picture"),
    path(f"{_LINK}pictures.zip", guests.zip_file, name="guest-zip"),
    path(f"{_LINK}files/<id:version_id>/<str:filename>", guests.file, name="guest-file"),
]
