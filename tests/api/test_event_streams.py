"""`GET /api/events`: who may listen, to what, and what is heard."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.contrib.auth.models import User
from django.db import connections
from django.test import Client
from rest_framework.authtoken.models import Token
from rest_framework.test import APIClient

from generation.api import event_streams
from generation.models import Batch, Episode, Plan
from generation.runtime import event_feed
from generation.runtime.event_feed import Feed, Listener
from generation.services import batch_controls, episode_changes, plan_attributes
from madsea.web.threaded_asgi_handler import ThreadedHandler
from tests import factories

URL = "/api/events"
WAIT_S = 60


class Always:
    def holds(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def feed(monkeypatch: pytest.MonkeyPatch) -> Feed:
    """Those who listen in this test alone."""
    made = Feed()
    monkeypatch.setattr(event_streams, "FEED", made)
    return made


@pytest.fixture
def episode(db: None) -> Episode:
    return factories.episode()


# Who may ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("query", "status", "code"),
    [
        ("", 400, "required"),
        ("?episode_id=x", 400, "invalid"),
        ("?episode_id=999999", 404, "unknown_episode"),
        ("?episode_id=1&page=2", 400, "unknown_parameter"),
    ],
)
def test_what_cannot_be_listened_to_is_refused(
    api: APIClient, episode: Episode, query: str, status: int, code: str
) -> None:
    answer = api.get(URL + query, headers={"Accept": "text/event-stream"})

    assert (answer.status_code, answer.json()["code"]) == (status, code)


def test_whoever_is_not_signed_in_hears_nothing(anonymous: APIClient, episode: Episode) -> None:
    assert anonymous.get(f"{URL}?episode_id={episode.pk}").status_code == 401


def test_nobody_waits_for_the_end_of_a_head(api: APIClient, episode: Episode) -> None:
    assert api.head(f"{URL}?episode_id={episode.pk}").status_code == 405


def test_a_stream_is_neither_held_back_nor_kept_nor_compressed(
    api: APIClient, episode: Episode
) -> None:
    answer = api.get(
        f"{URL}?episode_id={episode.pk}",
        headers={"Accept": "text/event-stream", "Accept-Encoding": "gzip"},
    )

    assert answer.headers["Content-Type"] == "text/event-stream"
    assert answer.headers["X-Accel-Buffering"] == "no"
    assert answer.headers["Cache-Control"] == "no-cache, no-transform"
    assert "Content-Encoding" not in answer.headers


def test_a_session_may_listen_too(client: Client, artist: User, episode: Episode) -> None:
    client.force_login(artist)

    assert client.get(f"{URL}?episode_id={episode.pk}").status_code == 200


def fill_own(feed: Feed, artist: User) -> None:
    feed.n_by_user[artist.pk] = 2


def fill_all(feed: Feed, artist: User) -> None:
    feed._listeners.update({Listener(-1, 1, Always()): None for _ in range(4)})


@pytest.mark.parametrize("fill", [fill_own, fill_all])
def test_one_too_many_is_told_when_to_come_again(
    api: APIClient,
    artist: User,
    episode: Episode,
    feed: Feed,
    settings: Any,
    fill: Callable[[Feed, User], None],
) -> None:
    settings.MADSEA_LISTENERS = 4
    fill(feed, artist)

    answer = api.get(f"{URL}?episode_id={episode.pk}")

    assert (answer.status_code, answer.json()["code"]) == (429, "throttled")
    assert answer.headers["Retry-After"] == "30"


# What is heard -----------------------------------------------------------------------------------


class Connection:
    """A client's side of a stream, as an ASGI server hands it on."""

    def __init__(self) -> None:
        self.leaves = asyncio.Event()
        self.has_ended = False
        self._text = ""
        self._more = asyncio.Event()
        self._n_received = 0

    async def receive(self) -> dict[str, Any]:
        self._n_received += 1
        if self._n_received == 1:
            return {"type": "http.request", "body": b"", "more_body": False}
        await self.leaves.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: dict[str, Any]) -> None:
        self._text += message.get("body", b"").decode()
        if message["type"] == "http.response.body" and not message.get("more_body"):
            self.has_ended = True
        self._more.set()

    @property
    def blocks(self) -> list[dict[str, str]]:
        """What came so far, without what is not whole."""
        whole = self._text.split("\n\n")[:-1]
        return [
            dict(line.split(": ", 1) for line in each.split("\n") if ": " in line) for each in whole
        ]

    @property
    def events(self) -> list[tuple[str, dict[str, Any]]]:
        return [
            (block["event"], json.loads(block["data"])) for block in self.blocks if "data" in block
        ]

    @property
    def last_id(self) -> str:
        return [block["id"] for block in self.blocks if "id" in block][-1]

    async def until(self, what: Callable[[], bool]) -> None:
        """Wait until something is so of what has come."""
        async with asyncio.timeout(WAIT_S):
            while not what():
                self._more.clear()
                await self._more.wait()


@asynccontextmanager
async def listening(
    handler: ThreadedHandler, token: str, episode: Episode | None, last_id: str = ""
) -> AsyncIterator[Connection]:
    """Listen while the block lasts, to all episodes where none is given.

    Who comes first has heard something when it begins.
    """
    made = Connection()
    headers = {"host": "localhost", "authorization": f"Token {token}"}
    headers |= {"last-event-id": last_id} if last_id else {}
    scope = {
        "type": "http",
        "method": "GET",
        "path": URL,
        "query_string": f"episode_id={episode.pk if episode else 'all'}".encode(),
        "client": ("127.0.0.1", 1234),
        "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
    }
    task = asyncio.create_task(handler(scope, made.receive, made.send))
    try:
        if not last_id:
            await made.until(lambda: bool(made.events))
        yield made
    finally:
        made.leaves.set()
        async with asyncio.timeout(WAIT_S):
            await task


Story = Callable[[ThreadedHandler, str], Awaitable[Any]]


@pytest.fixture
def play(artist: User, settings: Any) -> Callable[[Story], Any]:
    """Plays a story to a handler of one thread and an artist's token."""
    settings.ALLOWED_HOSTS = ["localhost"]

    def run(story: Story) -> Any:
        token, _ = Token.objects.get_or_create(user=artist)

        async def told() -> Any:
            handler = ThreadedHandler(1)
            try:
                return await story(handler, token.key)
            finally:
                # Their threads stay, and the database is to be dropped.
                await handler._on_a_thread(connections.close_all)
                await sync_to_async(connections.close_all)()

        return asyncio.run(told())

    return run


def note(plan: Plan, text: str) -> None:
    plan_attributes.write(plan, {"notes": text}, by=None, source="api")


heard_live = pytest.mark.django_db(transaction=True)


@heard_live
def test_whoever_comes_first_is_told_to_read_and_then_what_changes(
    play: Callable[[Story], Any], batch: Batch
) -> None:
    async def story(handler: ThreadedHandler, token: str) -> Any:
        async with listening(handler, token, batch.episode) as ear:
            await sync_to_async(batch_controls.steer)(batch, actor=None, priority=7)
            await ear.until(lambda: len(ear.events) == 2)
            return ear.events

    first, second = play(story)

    assert first == ("reset", {})
    assert second[0] == "changed"
    assert second[1]["batches"] == [
        {
            "batch_id": batch.public_id,
            "revision": 2,
            "status": "started",
            "progress": 0,
            "counts": {
                "total": 3,
                "queued": 3,
                "waiting": 0,
                "running": 0,
                "done": 0,
                "error": 0,
                "cancelled": 0,
            },
        }
    ]


@heard_live
def test_whoever_comes_back_is_told_exactly_what_it_missed(
    play: Callable[[Story], Any], plans: list[Plan]
) -> None:
    episode = plans[0].sequence.episode

    async def story(handler: ThreadedHandler, token: str) -> Any:
        async with listening(handler, token, episode) as before:
            await sync_to_async(note)(plans[0], "heard")
            await before.until(lambda: len(before.events) == 2)
        for plan in plans[1:]:
            await sync_to_async(note)(plan, "missed")
        async with listening(handler, token, episode, before.last_id) as after:
            await after.until(lambda: bool(after.events))
            return after.events

    missed = [plan.pk for plan in plans[1:]]
    assert play(story) == [("changed", {"batches": [], "plans": missed, "versions": []})]


@heard_live
@pytest.mark.parametrize("last_id", ["99999", "-1", "something else"])
def test_whoever_comes_back_with_an_id_that_is_none_is_told_to_read(
    play: Callable[[Story], Any], episode: Episode, last_id: str
) -> None:
    async def story(handler: ThreadedHandler, token: str) -> Any:
        async with listening(handler, token, episode, last_id) as ear:
            await ear.until(lambda: bool(ear.events))
            return ear.events

    assert play(story) == [("reset", {})]


@heard_live
def test_another_episode_is_not_heard(play: Callable[[Story], Any], plans: list[Plan]) -> None:
    other = factories.episode(code="E203")
    others = factories.plans({"SQ0010": ["0010"]}, of=other)

    async def story(handler: ThreadedHandler, token: str) -> Any:
        async with listening(handler, token, other) as ear:
            await sync_to_async(note)(plans[0], "elsewhere")
            await sync_to_async(note)(others[0], "here")
            await ear.until(lambda: len(ear.events) == 2)
            return ear.events[-1][1]["plans"]

    assert play(story) == [others[0].pk]


@heard_live
def test_who_shows_lists_hears_of_every_episode(
    play: Callable[[Story], Any], plans: list[Plan]
) -> None:
    others = factories.plans({"SQ0010": ["0010"]}, of=factories.episode(code="E203"))

    async def story(handler: ThreadedHandler, token: str) -> Any:
        async with listening(handler, token, None) as ear:
            await sync_to_async(note)(plans[0], "here")
            await sync_to_async(note)(others[0], "and elsewhere")
            await ear.until(lambda: others[0].pk in _plans_told(ear))
            return _plans_told(ear)

    assert play(story) == {plans[0].pk, others[0].pk}


def _plans_told(ear: Connection) -> set[int]:
    return {pk for _, told in ear.events for pk in told.get("plans", [])}


@heard_live
def test_more_than_can_be_named_is_told_as_a_reset(
    play: Callable[[Story], Any], episode: Episode
) -> None:
    def many() -> None:
        episode_changes.record(episode.pk, plan_ids=range(episode_changes.NAMED_MAX + 1))

    async def story(handler: ThreadedHandler, token: str) -> Any:
        async with listening(handler, token, episode) as ear:
            await sync_to_async(many)()
            await ear.until(lambda: len(ear.events) == 2)
            return ear.events[-1]

    assert play(story) == ("reset", {})


# What it costs, and how it ends -------------------------------------------------------------------


@heard_live
def test_those_who_listen_hold_no_thread_and_leave_nothing_behind(
    play: Callable[[Story], Any], episode: Episode, feed: Feed
) -> None:
    async def story(handler: ThreadedHandler, token: str) -> Any:
        # The handler has one thread, and each of them was answered on it.
        async with (
            listening(handler, token, episode),
            listening(handler, token, episode),
            listening(handler, token, episode),
        ):
            meanwhile = feed.n_listeners
        return meanwhile, feed.n_listeners, sum(feed.n_by_user.values())

    assert play(story) == (3, 0, 0)


@heard_live
def test_a_hundred_who_listen_cost_as_many_queries_as_one(
    episode: Episode, django_assert_num_queries: Any
) -> None:
    episode_changes.record(episode.pk, plan_ids=[1])
    episode_changes.number()

    with django_assert_num_queries(4):
        event_feed._read([(episode.pk, 0)], [])
    with django_assert_num_queries(4):
        event_feed._read([(episode.pk + place, place % 2) for place in range(100)], [])


def beating(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(event_feed, "HEARTBEAT_S", 0.0)


@heard_live
def test_a_heartbeat_tells_the_id_to_come_back_with_and_is_no_event(
    play: Callable[[Story], Any], plans: list[Plan], monkeypatch: pytest.MonkeyPatch
) -> None:
    beating(monkeypatch)
    other = factories.episode(code="E203")

    async def story(handler: ThreadedHandler, token: str) -> Any:
        async with listening(handler, token, other) as ear:
            before = ear.last_id
            await sync_to_async(note)(plans[0], "elsewhere")
            await ear.until(lambda: ear.last_id != before)
            return len(ear.events), int(ear.last_id) - int(before)

    assert play(story) == (1, 1)


def end_token(artist: User) -> None:
    Token.objects.filter(user=artist).delete()


def disable(artist: User) -> None:
    User.objects.filter(pk=artist.pk).update(is_active=False)


@heard_live
@pytest.mark.parametrize("end", [end_token, disable])
def test_whoever_may_not_listen_any_more_is_let_go_at_the_next_heartbeat(
    play: Callable[[Story], Any],
    artist: User,
    episode: Episode,
    monkeypatch: pytest.MonkeyPatch,
    end: Callable[[User], None],
) -> None:
    beating(monkeypatch)

    async def story(handler: ThreadedHandler, token: str) -> Any:
        async with listening(handler, token, episode) as ear:
            await sync_to_async(end)(artist)
            await ear.until(lambda: ear.has_ended)
            return True

    assert play(story)


@heard_live
def test_all_are_let_go_when_the_process_stops(
    play: Callable[[Story], Any], episode: Episode, feed: Feed
) -> None:
    async def story(handler: ThreadedHandler, token: str) -> Any:
        async with listening(handler, token, episode) as one, listening(handler, token, episode):
            feed.close()
            await one.until(lambda: one.has_ended)
            return True

    assert play(story)


@heard_live
def test_whoever_reads_too_slowly_is_told_the_rest_together(
    play: Callable[[Story], Any],
    plans: list[Plan],
    feed: Feed,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(event_feed, "WAITING_MAX", 1)
    listener = Listener(1, plans[0].sequence.episode_id, Always())

    async def story(_: ThreadedHandler, __: str) -> Any:
        messages = feed.messages(listener)
        first = [await anext(messages), await anext(messages)]
        for plan in plans:
            await sync_to_async(note)(plan, "while it reads")
            async with asyncio.timeout(WAIT_S):
                while not listener.waiting or (plan != plans[0] and not listener.is_behind):
                    await asyncio.sleep(0.01)
        last = [await anext(messages), await anext(messages)]
        await messages.aclose()  # type: ignore[attr-defined]
        return [json.loads(each.decode().split("data: ")[1]) for each in [*first[1:], *last]]

    reset, kept, rest = play(story)

    assert reset == {}
    assert kept["plans"] == [plans[0].pk]
    assert rest["plans"] == [plan.pk for plan in plans[1:]]
