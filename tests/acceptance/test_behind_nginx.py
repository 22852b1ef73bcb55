"""A real nginx, as the documentation sets it up, before two real web processes."""

import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urljoin

import pytest

from tests import factories, nginx
from tests.event_streams import Ear
from tests.nginx import Client, Nginx
from tests.processes import PROJECT_ID, Site, Sites, request

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(nginx.PROGRAM is None, reason="nginx is not installed"),
]
ADDRESSES = re.compile(r"""(?:href|src|action|data-url)=["']([^"']+)["']""")
CODES = [f"{10 * n:04d}" for n in range(1, 9)]
MANY = [f"{n:04d}" for n in range(1, 200)]


@pytest.fixture(scope="module")
def ports() -> list[int]:
    return nginx.free_ports(3)


@pytest.fixture(scope="module")
def site(sites: Sites, ports: list[int]) -> Iterator[Site]:
    made = sites.new(**nginx.ENVIRONMENT, CORS_ALLOWED_ORIGINS="null,app://madsea,app://")
    nginx.web(made, ports[1])
    nginx.web(made, ports[2])
    yield made
    made.close()


@pytest.fixture(scope="module")
def configuration(tmp_path_factory: pytest.TempPathFactory, ports: list[int]) -> tuple[Path, str]:
    folder = tmp_path_factory.mktemp("behind")
    return folder, nginx.example(folder, ports[0], ports[1:])


@pytest.fixture(scope="module")
def proxy(site: Site, configuration: tuple[Path, str], ports: list[int]) -> Iterator[Nginx]:
    with nginx.started(configuration[0] / "documented", configuration[1], ports[0]) as running:
        yield running


@pytest.fixture
def client(proxy: Nginx, sites: Sites) -> Client:
    made = Client(proxy)
    made.headers["Authorization"] = f"Token {sites.access['token']}"
    return made


@pytest.fixture
def browser(proxy: Nginx, sites: Sites) -> Client:
    """The demo user in a browser, signed in."""
    made = Client(proxy)
    page = made.ask("GET", "/admin/login/?next=/madsea/admin/")
    given = {
        "username": sites.access["name"],
        "password": sites.access["password"],
        "csrfmiddlewaretoken": field(page.text),
        "next": "/madsea/admin/",
    }
    answer = made.ask(
        "POST", "/admin/login/", data=given, headers={"Referer": f"{made.base}/admin/login/"}
    )
    assert (answer.status_code, answer.headers["Location"]) == (302, "/madsea/admin/")
    return made


def field(page: str) -> str:
    found = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page)
    assert found
    return found[1]


def batch(client: Client, codes: list[str], mode: str = "manuel") -> str:
    answer = client.ask("POST", "/api/generate_ai_concept", json=request(codes, mode=mode))
    assert answer.status_code == 201, answer.text
    return str(answer.json()["batch_id"])


def uploaded(client: Client, batch_id: str, code: str) -> None:
    place = {"batch_id": batch_id, "sequence_id": "SQ0010", "plan": code}
    image = {"file": ("a.png", factories.png(color="#102030"), "image/png")}
    answer = client.ask("POST", "/api/generate_ai_concept/upload", data=place, files=image)
    assert answer.status_code == 201, answer.text


# Addresses -------------------------------------------------------------------------------------


def statuses(client: Client, addresses: list[str]) -> dict[str, int]:
    return {each: client.ask("GET", each).status_code for each in addresses}


def test_every_address_that_the_api_answers_leads_back_to_it(client: Client, site: Site) -> None:
    made = client.ask("POST", "/api/generate_ai_concept", json=request(CODES[:2], mode="manuel"))
    batch_id = made.json()["batch_id"]
    uploaded(client, batch_id, CODES[0])
    site.manage("derive")
    document = client.ask("GET", f"/api/generate_ai_concept/status?batch_id={batch_id}").json()
    page = client.ask("GET", "/api/plans?page_size=1&page=2").json()
    plan = client.ask("GET", f"/api/plans?plan={CODES[0]}").json()["results"][0]
    version = plan["versions"][0]
    found = [
        made.headers["Location"],
        document["logs_url"],
        document["results"][0]["url"],
        document["results"][0]["thumbnail_url"],
        page["next"],
        page["previous"],
        version["url"],
        version["thumbnail_url"],
    ]

    assert [each for each in found if not each.startswith(f"{client.base}/")] == []
    assert set(statuses(client, found).values()) == {200}


def test_signed_addresses_let_in_and_are_not_logged(client: Client, proxy: Nginx) -> None:
    image = {"file": ("a.png", factories.png(), "image/png")}
    place = {"project_id": PROJECT_ID, "season": "S02", "episode": "E202"}
    place |= {"sequence_id": "SQ0010", "plan": CODES[0]}
    url = client.ask("POST", "/api/panels", data=place, files=image).json()["url"]

    answer = Client(proxy).ask("GET", url)

    assert answer.status_code == 200
    assert "/files/" not in proxy.access_log


@pytest.mark.parametrize(
    ("asked", "location"),
    [
        ("", "{base}/"),
        ("/", "/madsea/admin/"),
        ("/admin", "/madsea/admin/"),
        ("/admin/", "/madsea/admin/login/?next=/madsea/admin/"),
        ("/admin/generation/batch", "/madsea/admin/login/?next=/madsea/admin/generation/batch"),
        ("/api/docs/", "/madsea/admin/login/?next=/madsea/api/docs/"),
    ],
)
def test_redirects_stay_below_the_path(proxy: Nginx, asked: str, location: str) -> None:
    stranger = Client(proxy)

    answer = stranger.ask("GET", asked)

    assert answer.headers["Location"] == location.format(base=stranger.base)


@pytest.mark.parametrize(
    "page",
    [
        "/admin/",
        "/admin/generation/batch/",
        "/admin/generation/planrun/queue/",
        "/admin/generation/server/",
        "/admin/generation/version/",
        "/admin/nowhere/",
        "/api/docs/",
        "/api/redoc/",
    ],
)
def test_what_a_page_leads_to_is_below_the_path_and_there(browser: Client, page: str) -> None:
    answer = browser.ask("GET", page)

    found = {each for each in ADDRESSES.findall(answer.text) if not each.startswith(("#", "data:"))}
    links = {urljoin(f"{browser.base}{page}", each) for each in found}
    own = {each for each in links if not each.startswith("javascript:")}
    assert {each for each in own if not each.startswith(f"{browser.base}/")} == set()
    shown = sorted(each for each in own if "/static/" in each)
    assert shown
    assert set(statuses(browser, shown).values()) == {200}


def test_the_documentation_asks_below_the_path(browser: Client) -> None:
    schema = browser.ask("GET", "/api/schema/?format=json").json()
    page = browser.ask("GET", "/api/docs/").text

    assert schema["servers"] == [{"url": "/madsea"}]
    assert '"/madsea/api/schema' in page


def test_cookies_are_for_the_path_and_for_tls_alone(browser: Client) -> None:
    seen = {(each.name, each.path, each.secure) for each in browser.cookies}

    assert seen == {("csrftoken-madsea", "/madsea/", True), ("sessionid-madsea", "/madsea/", True)}


def test_cookies_of_another_application_on_the_host_do_not_sign_out(browser: Client) -> None:
    cookies = "; ".join(f"{each.name}={each.value}" for each in browser.cookies)

    answer = browser.ask(
        "GET", "/admin/", headers={"Cookie": f"{cookies}; sessionid=another; csrftoken=another"}
    )

    assert answer.status_code == 200


# Several processes -----------------------------------------------------------------------------


def test_a_tag_of_one_process_is_good_for_the_other(client: Client, ports: list[int]) -> None:
    batch_id = batch(client, CODES[2:4])
    path = f"/api/generate_ai_concept/status?batch_id={batch_id}"
    tag = client.ask("GET", path).headers["ETag"]

    seen = [
        client.get(
            f"http://localhost:{port}/madsea{path}",
            headers={"If-None-Match": tag},
            timeout=60,
        ).status_code
        for port in ports[1:]
    ]

    assert seen == [304, 304]


def test_tries_to_guess_are_counted_over_all_processes(proxy: Nginx) -> None:
    guess = {"username": "somebody", "password": "guess"}

    seen = [
        Client(proxy)
        .ask("POST", "/api/token", json=guess, headers={"X-Forwarded-For": f"10.0.0.{n}"})
        .status_code
        for n in range(9)
    ]

    assert 429 in seen


# Events ----------------------------------------------------------------------------------------


def test_events_pass_as_they_happen_and_are_not_compressed(client: Client, sites: Sites) -> None:
    ear = Ear(sites.access["token"], headers={"Accept-Encoding": "gzip"})
    ear.connect(client.base, client)
    ear.wait_for(lambda it: it.names == ["reset"])

    batch_id = batch(client, CODES[5:7])

    ear.wait_for(lambda it: batch_id in [each["batch_id"] for each in it.all_of("batches")])
    assert "Content-Encoding" not in ear.answer_headers
    ear.cut()


# Other ways to set a proxy up ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("before", "after"),
    [
        # The path is cut off; the other way round is the documentation's.
        ("proxy_pass http://madsea;", "proxy_pass http://madsea/;"),
        ("proxy_set_header Host $http_host;", "proxy_set_header Host $proxy_host;"),
        ("proxy_http_version 1.1;", "proxy_http_version 1.0;"),
        ("proxy_http_version 1.1;", "proxy_http_version 1.1; proxy_buffering off;"),
        ("proxy_http_version 1.1;", "proxy_http_version 1.1; proxy_request_buffering off;"),
    ],
)
def test_a_proxy_that_is_set_up_otherwise_changes_no_address(
    site: Site, configuration: tuple[Path, str], sites: Sites, before: str, after: str
) -> None:
    folder, text = configuration
    (port,) = nginx.free_ports(1)
    listening = re.search(r"listen 127.0.0.1:\d+", text)
    assert listening
    changed = nginx.replaced(text, {listening[0]: f"listen 127.0.0.1:{port}"})
    if before == "proxy_pass http://madsea;":
        changed = changed.replace(
            "location /madsea/files/ {\n        access_log off;\n        proxy_pass http://madsea;",
            "location /madsea/files/ {\n        access_log off;\n        proxy_pass http://madsea/files/;",
        )
    changed = nginx.replaced(changed, {before: after})

    with nginx.started(folder / f"otherwise-{port}", changed, port) as running:
        client = Client(running)
        client.headers["Authorization"] = f"Token {sites.access['token']}"
        made = client.ask(
            "POST", "/api/generate_ai_concept", json=request(CODES[4:5], mode="manuel")
        )
        uploaded(client, made.json()["batch_id"], CODES[4])
        document = client.ask("GET", made.headers["Location"]).json()
        picture = client.ask("GET", document["results"][0]["url"])

    assert made.headers["Location"].startswith(f"{client.base}/api/")
    assert document["logs_url"].startswith(f"{client.base}/api/")
    assert picture.status_code == 200


# Bodies ----------------------------------------------------------------------------------------


def test_a_large_answer_is_compressed_and_told_as_such(client: Client) -> None:
    path = f"/api/generate_ai_concept/status?batch_id={batch(client, MANY)}"

    plain = client.ask("GET", path, headers={"Accept-Encoding": "identity"})
    packed = client.ask("GET", path, headers={"Accept-Encoding": "gzip"})
    again = client.ask(
        "GET", path, headers={"Accept-Encoding": "gzip", "If-None-Match": packed.headers["ETag"]}
    )

    assert "Content-Encoding" not in plain.headers
    assert packed.headers["Content-Encoding"] == "gzip"
    assert int(packed.headers["Content-Length"]) < len(plain.content) / 5
    assert packed.json() == plain.json()
    assert again.status_code == 304


def test_an_upload_of_the_largest_size_gets_to_madsea(client: Client) -> None:
    place = {"project_id": PROJECT_ID, "season": "S02", "episode": "E202"}
    place |= {"sequence_id": "SQ0010", "plan": CODES[0]}
    image = {"file": ("a.png", b"\x89PNG" + bytes(64 * 2**20 - 4), "image/png")}

    answer = client.ask("POST", "/api/panels", data=place, files=image)

    assert (answer.status_code, answer.headers["Content-Type"]) == (400, "application/json")


@pytest.mark.parametrize("origin", ["null", "app://madsea", "app://"])
def test_a_desktop_frontend_may_ask(client: Client, origin: str) -> None:
    asked = {
        "Origin": origin,
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization,content-type,idempotency-key",
    }

    answer = client.ask("OPTIONS", "/api/generate_ai_concept", headers=asked)

    assert answer.status_code == 200
    assert answer.headers["Access-Control-Allow-Origin"] == origin
    assert "idempotency-key" in answer.headers["Access-Control-Allow-Headers"]
