"""`python -m tests.benchmarks.polling`: many clients that follow one batch, once a second each.

As the frontend does it: the first answer whole, then `since` the last revision, with its ETag. Each
waits for its answer before it asks again. Writes (moment, seconds, status) of every answer as JSON.
"""

import argparse
import asyncio
import json
import os
import sys
import time
from typing import Any

import aiohttp

EVERY_S = 1.0
TIMEOUT = aiohttp.ClientTimeout(total=60)

Answer = tuple[float, float, int]


async def poll(url: str, batch_id: str, n_clients: int, ends_at: float) -> list[Answer]:
    """Follow a batch with so many clients until then (seconds since 1970)."""
    headers = {"Authorization": f"Token {os.environ['MADSEA_BENCH_TOKEN']}"}
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(
        headers=headers, connector=connector, timeout=TIMEOUT
    ) as session:
        clients = [
            _client(session, url, {"batch_id": batch_id}, n * EVERY_S / n_clients, ends_at)
            for n in range(n_clients)
        ]
        return [answer for answers in await asyncio.gather(*clients) for answer in answers]


async def _client(
    session: aiohttp.ClientSession, url: str, given: dict[str, str], after_s: float, ends_at: float
) -> list[Answer]:
    answers: list[Answer] = []
    etag = ""
    due = time.time() + after_s
    while due < ends_at:
        await asyncio.sleep(max(0.0, due - time.time()))
        began = time.time()
        headers = {"If-None-Match": etag} if etag else {}
        async with session.get(url, params=given, headers=headers) as answer:
            body = await answer.read()
        answers.append((began, time.time() - began, answer.status))
        etag = answer.headers.get("ETag", "")
        if answer.status == 200:
            document: dict[str, Any] = json.loads(body)
            given["since"] = str(document["revision"])
        due = max(due + EVERY_S, time.time())
    return answers


def main() -> None:
    """Poll and write the answers."""
    parser = argparse.ArgumentParser()
    parser.add_argument("url")
    parser.add_argument("batch_id")
    parser.add_argument("n_clients", type=int)
    parser.add_argument("seconds", type=float)
    given = parser.parse_args()
    ends_at = time.time() + given.seconds
    json.dump(asyncio.run(poll(given.url, given.batch_id, given.n_clients, ends_at)), sys.stdout)


if __name__ == "__main__":
    main()
