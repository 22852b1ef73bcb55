"""Origins and the path: what is read of the environment about who asks, and where."""

import pytest
from django.core.exceptions import ImproperlyConfigured

from madsea import environment

NAME = "MADSEA_TEST"


@pytest.mark.parametrize(
    ("raw", "origins"),
    [
        ("https://a.studio", ["https://a.studio"]),
        ("https://A.Studio/", ["https://a.studio"]),
        ("http://a:8080,null", ["http://a:8080", "null"]),
        # As browsers name them.
        ("https://a:443,http://a:80,http://a:443", ["https://a", "http://a", "http://a:443"]),
        ("http://[::1]:3000", ["http://[::1]:3000"]),
        ("app://madsea, app://., app://", ["app://madsea", "app://.", "app://"]),
        (
            "tauri://localhost,capacitor://localhost,file://",
            ["tauri://localhost", "capacitor://localhost", "file://"],
        ),
        ("null,null", ["null"]),
        ("", []),
    ],
)
def test_origins_are_those_of_pages_and_of_desktop_frontends(
    raw: str, origins: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(NAME, raw)

    assert environment.origins(NAME) == origins


@pytest.mark.parametrize(
    "raw",
    [
        "*",
        "https://*.studio",
        "a.studio",
        "https://",
        "https://a/frontend",
        "https://a?b",
        "https://a#b",
        "https://me:s3cret@a",
        "https://a:0",
        "https://a:99999",
        "https://a:",
        "https://stüdio",
        "app:madsea",
        "https://a https://b",
        "NULL",
    ],
)
def test_what_is_no_origin_is_refused_by_name(raw: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(NAME, raw)

    with pytest.raises(ImproperlyConfigured, match=NAME) as refused:
        environment.origins(NAME)

    assert "s3cret" not in str(refused.value)


@pytest.mark.parametrize("raw", ["null", "app://madsea"])
def test_forms_are_sent_by_web_pages_only(raw: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(NAME, raw)

    with pytest.raises(ImproperlyConfigured, match=NAME):
        environment.origins(NAME, web_only=True)


def test_forms_may_come_from_every_host_of_a_domain(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(NAME, "https://*.studio")

    assert environment.origins(NAME, web_only=True) == ["https://*.studio"]


@pytest.mark.parametrize(
    ("raw", "path"),
    [
        ("", ""),
        ("/", ""),
        ("madsea", "/madsea"),
        ("/madsea/", "/madsea"),
        ("/tools/madsea_2", "/tools/madsea_2"),
    ],
)
def test_a_path_has_one_slash_before_it(
    raw: str, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(NAME, raw)

    assert environment.path(NAME) == path


@pytest.mark.parametrize(
    "raw", ["/a//b", "/a/../b", "/a b", "https://a/b", "/a?b", "/a%2fb", "/ä", "/a;b"]
)
def test_a_path_that_is_none_is_refused(raw: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(NAME, raw)

    with pytest.raises(ImproperlyConfigured, match=NAME):
        environment.path(NAME)
