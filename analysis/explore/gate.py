"""Who may see the page: the browser that was given the token, at this address, and no other page.

The page is served on this machine only, but every program and every web page open on the machine
can reach it there. So the first address holds a token, which becomes a cookie; a request without
it, for another host, or from another page is refused before the page sees it.
"""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable, Iterable, Mapping, MutableMapping
from http.cookies import CookieError, SimpleCookie
from typing import Any
from urllib.parse import parse_qsl, urlencode

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[MutableMapping[str, Any], Receive, Send], Awaitable[None]]

#: Largest body of a request, in bytes.
LARGEST_UPLOAD = 5 * 1024 * 1024
TOKEN = "token"
#: What a page may load and whom it may speak to: itself.
_HEADERS = (
    (
        b"content-security-policy",
        b"default-src 'self' 'unsafe-inline' 'unsafe-eval' data: blob:; frame-ancestors 'none'",
    ),
    (b"referrer-policy", b"no-referrer"),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"cache-control", b"no-store"),
)
_ENTRY = (
    '<!doctype html><html lang="en"><meta charset="utf-8"><title>mscpool</title>'
    '<link rel="icon" href="data:,">'  # else the browser asks for one, and is refused
    '<meta http-equiv="refresh" content="0;url=/{query}"><p><a href="/{query}">mscpool</a></p>'
)


class Gate:
    """An ASGI application that stands before another.

    Parameters
    ----------
    app : callable
        The application behind it.
    port : int
        Where it is served.
    token : str
        What the first address must hold.
    """

    def __init__(self, app: Application, port: int, token: str) -> None:
        self.app, self.port, self.token = app, port, token
        self.hosts = {f"127.0.0.1:{port}", f"localhost:{port}"}
        self.cookie = f"mscpool-{port}"

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        """Let a request through, or refuse it."""
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        headers = _headers(scope["headers"])
        refused = self._refused(scope, headers)
        if scope["type"] == "websocket":
            if refused or not self._is_known(headers):
                await _close(receive, send)
            else:
                await self.app(scope, receive, send)
        elif refused:
            await _answer(send, *refused)
        elif (entered := self._entry(scope)) is not None:
            await entered(send)
        elif not self._is_known(headers):
            said = "Open the address that 'mscpool explore' printed: it holds the key to this page."
            await _answer(send, 403, said)
        else:
            await self._counted(scope, headers, receive, send)

    def _refused(self, scope: Mapping[str, Any], headers: Mapping[str, list[str]]):
        """Say why a request is refused whoever asks; None where it is not."""
        hosts, origins = headers.get("host", []), headers.get("origin", [])
        if len(hosts) != 1 or hosts[0] not in self.hosts:
            return 400, "This page is served to 127.0.0.1 alone."
        known = [f"http://{hosts[0]}"]
        # A browser states the origin of every websocket, and of every request that changes things.
        needed = scope["type"] == "websocket" or scope["method"] not in ("GET", "HEAD")
        if origins != known and (needed or origins):
            return 403, "This page answers no other page."
        return None

    def _is_known(self, headers: Mapping[str, list[str]]) -> bool:
        for line in headers.get("cookie", []):
            try:
                cookies = SimpleCookie(line)
            except CookieError:
                continue
            held = cookies.get(self.cookie)
            if held is not None and self._same(held.value):
                return True
        return False

    def _same(self, token: str) -> bool:
        return secrets.compare_digest(token.encode(), self.token.encode())

    def _entry(self, scope: Mapping[str, Any]):
        """Turn a right token in the address into a cookie, and leave the address without it.

        The way on is the page's own and no redirect: a browser that came from another page would
        hold back a strict cookie from that.
        """
        pairs = parse_qsl(scope.get("query_string", b"").decode("latin-1"), keep_blank_values=True)
        held = [value for name, value in pairs if name == TOKEN]
        if scope["path"] != "/" or not held or not self._same(held[-1]):
            return None
        rest = urlencode([(name, value) for name, value in pairs if name != TOKEN])
        page = _ENTRY.format(query=f"?{rest.replace('&', '&amp;')}" if rest else "")
        cookie = f"{self.cookie}={self.token}; HttpOnly; SameSite=Strict; Path=/"

        async def enter(send: Send) -> None:
            await _answer(send, 200, page, b"text/html; charset=utf-8", cookie)

        return enter

    async def _counted(
        self,
        scope: MutableMapping[str, Any],
        headers: Mapping[str, list[str]],
        receive: Receive,
        send: Send,
    ) -> None:
        """Let a request through as long as its body is small enough, counted as it arrives."""
        stated = headers.get("content-length", ["0"])[-1]
        received, begun, over, more = 0, False, False, True

        async def counted() -> Message:
            nonlocal received, over, more
            message = await receive()
            received += len(message.get("body", b""))
            if received > LARGEST_UPLOAD:
                over = True
                more = message.get("more_body", False)
                raise _TooLarge
            return message

        async def guarded(message: Message) -> None:
            nonlocal begun
            if over:
                return
            begun = True
            if message["type"] == "http.response.start":
                message = {**message, "headers": _sealed(message.get("headers", ()))}
            await send(message)

        try:
            if stated.isdigit() and int(stated) > LARGEST_UPLOAD:
                over = True
            else:
                await self.app(scope, counted, guarded)
        except _TooLarge:
            pass
        if over and not begun:
            if more:
                await _drained(receive, received)
            await _answer(send, 413, "A file may have 5 MB at most.")


async def _drained(receive: Receive, received: int) -> None:
    """Let a browser end what it sends, within reason: before that it reads no answer."""
    more = True
    while more and received < 20 * LARGEST_UPLOAD:
        message = await receive()
        received += len(message.get("body", b""))
        more = message["type"] == "http.request" and message.get("more_body", False)


class _TooLarge(Exception):
    """More arrived than an upload may have."""


def _sealed(headers: Iterable[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    """Add what every answer says to browsers, unless the answer says it itself."""
    own = list(headers)
    names = {name.lower() for name, _ in own}
    return own + [(name, value) for name, value in _HEADERS if name not in names]


def _headers(pairs: Iterable[tuple[bytes, bytes]]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name, value in pairs:
        found.setdefault(name.decode("latin-1").lower(), []).append(value.decode("latin-1"))
    return found


async def _answer(
    send: Send, status: int, body: str, kind: bytes = b"text/plain; charset=utf-8", cookie: str = ""
) -> None:
    text = body.encode()
    headers = [(b"content-type", kind), (b"content-length", str(len(text)).encode()), *_HEADERS]
    headers += [(b"set-cookie", cookie.encode())] if cookie else []
    headers += [(b"connection", b"close")] if status == 413 else []
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": text})


async def _close(receive: Receive, send: Send) -> None:
    """Refuse a websocket before it opens: the browser is told 403."""
    await receive()
    await send({"type": "websocket.close", "code": 1008})
