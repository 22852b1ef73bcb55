"""Single requests of strangers, each meant to cost much."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from lab.hostile.raw_requests import chunked, head, sized

KIB, MIB, GIB = 2**10, 2**20, 2**30
JSON = "Content-Type: application/json"
FORM = "Content-Type: application/x-www-form-urlencoded"
PARTS = "Content-Type: multipart/form-data; boundary=x"
TOKEN, LOGIN, PANELS = "/api/token", "/admin/login/", "/api/panels"
STATUS = "/api/generate_ai_concept/status?batch_id=0123456789abcdef"
PART = b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n'


@dataclass(frozen=True)
class Strange:
    """One request; a password that is checked costs what it costs."""

    title: str
    parts: Iterable[bytes]
    statuses: tuple[int, ...]
    hashes: bool = False


def endless(path: str, kind: str, n_bytes: int) -> Iterator[bytes]:
    """Yield a request whose body is as long as that."""
    yield head("POST", path, f"Content-Length: {n_bytes}", kind)
    for _ in range(n_bytes // (64 * KIB)):
        yield b"x" * 64 * KIB


def members(n_keys: int) -> bytes:
    """Return a JSON object of so many keys."""
    return b"{" + b",".join(b'"k%d":1' % n for n in range(n_keys)) + b"}"


def fields(n_fields: int) -> str:
    """Return a query or a form of so many fields."""
    return "&".join(f"a{n}" for n in range(n_fields))


def bodies() -> Iterator[Strange]:
    """Yield bodies that are large, deep or in pieces."""
    twice = members(100_000)[:-1] + b',"k1":1}'
    yield Strange("1 MB of keys, one twice", sized("POST", TOKEN, twice, JSON), (413,))
    many = members(1_200_000)
    yield Strange("14 MB of unknown keys", sized("POST", TOKEN, many, JSON), (413,))
    yield Strange("8 KB of unknown keys", sized("POST", TOKEN, members(700), JSON), (400,))
    deep = b"[" * 4000 + b"]" * 4000
    yield Strange("8 KB of brackets", sized("POST", TOKEN, deep, JSON), (400,))
    digits = b'{"username": ' + b"9" * 5000 + b"}"
    yield Strange("A number of 5,000 digits", sized("POST", TOKEN, digits, JSON), (400,))
    crumbs = chunked(TOKEN, b" ", 10**6, JSON)
    yield Strange("A million chunks of one byte", crumbs, (0, 400, 413))
    few = chunked(TOKEN, b" ", 1000, JSON)
    yield Strange("1,000 chunks of one byte", few, (400,))
    for path, statuses in ((PANELS, (401,)), (LOGIN, (403, 413)), ("/nowhere", (404,))):
        yield Strange(f"1 GiB for {path}", endless(path, PARTS, GIB), statuses)
        chunks = chunked(path, b"x" * 64 * KIB, 16 * KIB, PARTS)
        yield Strange(f"1 GiB in chunks for {path}", chunks, statuses)


def forms() -> Iterator[Strange]:
    """Yield forms for the admin's door."""
    for n_fields in (900, 1500):
        body = fields(n_fields).encode()
        yield Strange(f"{n_fields:,} fields", sized("POST", LOGIN, body, FORM), (400, 403))
    yield Strange("145 parts", sized("POST", LOGIN, PART * 145 + b"--x--", PARTS), (403,))
    yield Strange("One part without an end", sized("POST", LOGIN, PART[:20] * 400, PARTS), (403,))


def heads() -> Iterator[Strange]:
    """Yield heads that are large, or have many parts."""
    long = "x" * 15_000
    yield Strange("A token of 1 MB", [head("GET", STATUS, f"Authorization: {long * 70}")], (0, 400))
    yield Strange("A token of 15 KB", [head("GET", STATUS, f"Authorization: Token {long}")], (401,))
    yield Strange(
        "A session of 15 KB", [head("GET", "/admin/", f"Cookie: sessionid={long}")], (302,)
    )
    cookies = "; ".join(f"c{n}=1" for n in range(1900))
    yield Strange("1,900 cookies", [head("GET", "/admin/", f"Cookie: {cookies}")], (302,))
    yield Strange("3,900 headers", [head("GET", STATUS, *["a:"] * 3900)], (401,))
    tags = "If-None-Match: " + '"a",' * 3500
    yield Strange("3,500 tags", [head("GET", STATUS, tags)], (401,))
    key = sized("POST", "/api/generate_ai_concept", b"{}", f"Idempotency-Key: {long}")
    yield Strange("An idempotency key of 15 KB", key, (401,))
    forwarded = "X-Forwarded-For: " + "1.2.3.4, " * 1600
    yield Strange("1,600 forwarded addresses", [head("GET", STATUS, forwarded)], (401,))


def addresses() -> Iterator[Strange]:
    """Yield addresses that are long, or have many parts."""
    for path in ("/api/batches", LOGIN, "/api/docs", "/files/7/a.png", TOKEN):
        asked = head("GET", f"{path}?{fields(2500)}")
        yield Strange(f"2,500 parameters of {path}", [asked], (302, 400, 401, 404, 405))
    yield Strange("A path of 7,000 parts", [head("GET", "/" + "a/" * 7000)], (404,))
    yield Strange("The same in the admin", [head("GET", "/admin/" + "a/" * 7000)], (302, 404))
    yield Strange("A signature of 14 KB", [head("GET", f"/files/{'a:' * 7000}/a.png")], (404,))
    for path in ("/files/{}/a.png", "/api/versions/{}", "/api/plans/{}", "/api/servers/{}"):
        asked = head("GET", path.format("9" * 5000))
        yield Strange(f"{path} of 5,000 digits", [asked], (401, 404))
    for path in ("/api/schema", "/api/docs", "/admin/", LOGIN):
        yield Strange(f"{path} itself", [head("GET", path)], (200, 302, 401))


def passwords() -> Iterator[Strange]:
    """Yield passwords, which cost a hash each."""
    for name, password in (("somebody", "guess"), ("another", "x" * 4096), ("x" * 150, "guess")):
        body = json.dumps({"username": name, "password": password}).encode()
        title = f"A wrong password of {len(password):,} letters"
        yield Strange(title, sized("POST", TOKEN, body, JSON), (401,), hashes=True)


def every() -> Iterator[Strange]:
    """Yield all of them."""
    for kind in (bodies, forms, heads, addresses, passwords):
        yield from kind()
