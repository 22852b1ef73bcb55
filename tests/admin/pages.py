"""What tests read of a page, and the forms that they send."""

from typing import Any

from django.contrib.messages import get_messages
from django.test import Client


def url(model: str, pk: int | None = None, act: str = "") -> str:
    place = f"/admin/generation/{model}/"
    if pk is None:
        return place
    return f"{place}{pk}/{act}/" if act else f"{place}{pk}/change/"


def text(client: Client, address: str) -> str:
    response = client.get(address)
    assert response.status_code == 200, response.status_code
    return response.content.decode()


def select(client: Client, model: str, act: str, rows: list[Any]) -> list[str]:
    """Do an act to rows chosen in their list; return what the page says then."""
    form = {"action": act, "_selected_action": [row.pk for row in rows], "index": 0}
    return said(client.post(url(model), form))


def press(client: Client, model: str, row: Any, act: str) -> list[str]:
    """Press a row's button; return what the page says then."""
    return said(client.post(url(model, row.pk, act)))


def said(response: Any) -> list[str]:
    assert response.status_code == 302, response.status_code
    return [str(message) for message in get_messages(response.wsgi_request)]
