"""The addresses of the storyboards, added to the API's."""

from typing import Any

from generation.api.parsers import BoundedMultiPartParser
from generation.api.route_builders import LIST, ROUTES, View, both
from storyboards.api.views import FORM_BYTES, PictureView, StoryboardViewSet

_ID = "<str:storyboard_id>"
_BODY_BYTES = 8 * 2**20


def _view(actions: dict[str, Any], **options: Any) -> View:
    return StoryboardViewSet.as_view(actions, **options)


def _add() -> None:
    give = {"parser_classes": [BoundedMultiPartParser], "max_body_bytes": FORM_BYTES}
    for patterns in (
        both("storyboards", _view(LIST | {"post": "create"}, **give), "storyboards"),
        both(
            f"storyboards/{_ID}",
            _view({"get": "retrieve", "delete": "destroy"}),
            "storyboards-one",
        ),
        both(
            f"storyboards/{_ID}/boards",
            _view({"patch": "change_boards"}, max_body_bytes=_BODY_BYTES),
            "storyboard-boards",
        ),
        both(
            f"storyboards/{_ID}/confirm",
            _view({"post": "confirm"}, max_body_bytes=8 * 2**10),
            "storyboard-confirm",
        ),
        both("storyboard_pictures/<str:signed>", PictureView.as_view(), "storyboard-picture"),
    ):
        for pattern in patterns:
            ROUTES.add(pattern)


_add()
