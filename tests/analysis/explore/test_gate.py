import asyncio

import pytest

from mscpool.analysis.explore.gate import LARGEST_UPLOAD, Gate

PORT, TOKEN = 8765, "key"
HOST, ORIGIN = "127.0.0.1:8765", "http://127.0.0.1:8765"
COOKIE = f"mscpool-{PORT}={TOKEN}"


async def page(scope, receive, send):
    """Stand for the page: read the whole body, and answer with its length."""
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.accept"})
        return
    size, more = 0, True
    while more:
        message = await receive()
        size, more = size + len(message.get("body", b"")), message.get("more_body", False)
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": str(size).encode()})


def ask(kind="http", method="GET", query="", body=(b"",), port=PORT, path="/", **headers):
    """Ask the gate; give what it sent."""
    parts, sent = list(body), []
    scope = {
        "type": kind,
        "method": method,
        "path": path,
        "query_string": query.encode(),
        "headers": [(n.replace("_", "-").encode(), v.encode()) for n, v in headers.items()],
    }

    async def receive():
        if kind == "websocket":
            return {"type": "websocket.connect"}
        return {"type": "http.request", "body": parts.pop(0), "more_body": bool(parts)}

    async def send(message):
        sent.append(message)

    asyncio.run(Gate(page, port, TOKEN)(scope, receive, send))
    return sent


def status(sent) -> int:
    return sent[0]["status"]


def test_the_cookie_opens_the_page():
    assert status(ask(host=HOST, cookie=COOKIE)) == 200
    assert status(ask(host=f"localhost:{PORT}", cookie=f"a=b; {COOKIE}")) == 200


@pytest.mark.parametrize(
    ("wanted", "headers"),
    {
        "no cookie": (403, {"host": HOST}),
        "a wrong cookie": (403, {"host": HOST, "cookie": f"mscpool-{PORT}=kez"}),
        "the cookie of another port": (403, {"host": HOST, "cookie": f"mscpool-1={TOKEN}"}),
        "no host": (400, {"cookie": COOKIE}),
        "another host": (400, {"host": "evil.example:8765", "cookie": COOKIE}),
        "another port's host": (400, {"host": "127.0.0.1:1", "cookie": COOKIE}),
        "another origin": (403, {"host": HOST, "cookie": COOKIE, "origin": "http://a.example"}),
        "no page's origin": (403, {"host": HOST, "cookie": COOKIE, "origin": "null"}),
    }.values(),
)
def test_others_are_refused(wanted, headers):
    assert status(ask(**headers)) == wanted


def test_what_changes_things_needs_an_origin():
    assert status(ask(method="POST", host=HOST, cookie=COOKIE)) == 403
    assert status(ask(method="POST", host=HOST, cookie=COOKIE, origin=ORIGIN)) == 200


def test_the_token_becomes_a_strict_cookie_and_leaves_the_address():
    sent = ask(query=f"token={TOKEN}&outcome=death&mu=Normal%280%2C1%29", host=HOST)
    headers = dict(sent[0]["headers"])
    assert status(sent) == 200
    assert headers[b"set-cookie"].decode() == f"{COOKIE}; HttpOnly; SameSite=Strict; Path=/"
    page = sent[1]["body"].decode()
    assert 'content="0;url=/?outcome=death&amp;mu=Normal%280%2C1%29"' in page
    assert TOKEN not in page.replace("key to", "")
    assert '<link rel="icon" href="data:,">' in page


def test_a_wrong_token_and_markup_in_an_address_are_refused():
    assert status(ask(query="token=kez", host=HOST)) == 403
    sent = ask(query=f'token={TOKEN}&a="><script>', host=HOST)
    assert b"<script" not in sent[1]["body"]


@pytest.mark.parametrize(
    ("opened", "headers"),
    [
        (True, {"host": HOST, "cookie": COOKIE, "origin": ORIGIN}),
        (False, {"host": HOST, "cookie": COOKIE}),
        (False, {"host": HOST, "cookie": COOKIE, "origin": "http://a.example"}),
        (False, {"host": HOST, "origin": ORIGIN}),
        (False, {"host": "a.example", "cookie": COOKIE, "origin": "http://a.example"}),
    ],
)
def test_a_websocket_opens_for_the_page_alone(opened, headers):
    sent = ask("websocket", **headers)
    assert sent[0]["type"] == ("websocket.accept" if opened else "websocket.close")


@pytest.mark.parametrize("stated", [True, False])
def test_a_body_is_counted_as_it_arrives(stated):
    half = bytes(LARGEST_UPLOAD // 2)
    about = {"host": HOST, "cookie": COOKIE, "origin": ORIGIN}
    for parts, wanted in (([half, half], 200), ([half, half, b"1"], 413)):
        length = {"content_length": str(sum(map(len, parts)))} if stated else {}
        assert status(ask(method="POST", body=parts, **about, **length)) == wanted
