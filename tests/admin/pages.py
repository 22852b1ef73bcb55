"""What tests read of a page, and the forms that they send."""

import re
from dataclasses import dataclass
from html import unescape
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


def choose(client: Client, model: str, act: str, rows: list[Any], query: str = "") -> Any:
    """Choose an act for rows of their list; return the answer."""
    form = {"action": act, "_selected_action": [row.pk for row in rows], "index": 0}
    return client.post(url(model) + query, form)


def select(client: Client, model: str, act: str, rows: list[Any]) -> list[str]:
    """Do an act to rows chosen in their list; return what the page says then."""
    return said(choose(client, model, act, rows))


def press(client: Client, model: str, row: Any, act: str) -> list[str]:
    """Press a row's button; return what the page says then."""
    return said(client.post(url(model, row.pk, act)))


@dataclass(frozen=True)
class Asked:
    """A page that asks before it does anything."""

    text: str
    url: str
    form: dict[str, str]


def asked(response: Any) -> Asked:
    """Return the question that an answer is."""
    assert response.status_code == 200, response.status_code
    html = response.content.decode()
    (section,) = re.findall(r'<section class="[^"]*madsea-question".*?</section>', html, re.DOTALL)
    (action,) = re.findall(r'<form method="post" action="([^"]+)"', section)
    fields = re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', section)
    return Asked(section, action, {name: unescape(value) for name, value in fields})


def agree(client: Client, question: Asked) -> list[str]:
    """Answer yes; return what the page says then."""
    return said(client.post(question.url, question.form))


def press_and_agree(client: Client, model: str, row: Any, act: str) -> list[str]:
    """Press a row's button and answer yes; return what the page says then."""
    return agree(client, asked(client.post(url(model, row.pk, act))))


def select_and_agree(client: Client, model: str, act: str, rows: list[Any]) -> list[str]:
    """Choose an act for rows of their list and answer yes; return what the page says then."""
    return agree(client, asked(choose(client, model, act, rows)))


def said(response: Any) -> list[str]:
    assert response.status_code == 302, response.status_code
    return [str(message) for message in get_messages(response.wsgi_request)]
