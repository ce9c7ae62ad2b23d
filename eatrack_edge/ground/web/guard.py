"""Who may talk to the ground station: checks of host, origin, token and size before any route is reached."""

from __future__ import annotations

import hmac
import ipaddress
from typing import NamedTuple
from urllib.parse import parse_qs, urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_LONGEST_TARGET = 1024  # characters of a path with its query; the longest of ours has 150
_MOST_HEADER_BYTES = 16 * 1024
_SECURITY_HEADERS = {
    # Everything comes from this server; no inline script or style, no frame around it, no form.
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; connect-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
    "Cache-Control": "no-store",
}
NEEDS_TOKEN = "This ground station needs its token: open the link that `eatrack-edge fly` printed.\n"


class Refusal(NamedTuple):
    """Why a request is not answered."""

    status: int
    reason: str


class Guard:
    """Lets a request through to the application, or refuses it. A WebSocket is refused before it is accepted.

    Args:
        app: The application.
        hosts: Names that a request may give as its host; see ``allowed_hosts``.
        accepts_addresses: Whether any IP address is taken as a host too: only names can be rebound.
        token: That every request but ``/healthz`` needs; empty needs none.
        cookie: Name of the cookie that holds it.
    """

    def __init__(self, app: ASGIApp, hosts: frozenset[str], accepts_addresses: bool, token: str, cookie: str) -> None:
        self._app = app
        self._hosts, self._accepts_addresses = hosts, accepts_addresses
        self._token, self._cookie = token.encode(), cookie

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Check a request, and pass it on."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        refusal = self.refusal(scope)
        if scope["type"] == "websocket":
            if refusal is None:
                await self._app(scope, receive, send)
            else:
                await send({"type": "websocket.close", "code": 1008, "reason": refusal.reason})
            return
        sets_cookie = refusal is None and bool(self._token) and self._matches(_query_token(scope))

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.update(_SECURITY_HEADERS)
                if sets_cookie:
                    # Sent back by this page alone, and out of reach of scripts.
                    value = f"{self._cookie}={self._token.decode()}; Path=/; HttpOnly; SameSite=Strict"
                    headers.append("Set-Cookie", value)
            await send(message)

        if refusal is not None:
            answer = PlainTextResponse(refusal.reason, refusal.status, headers={"Connection": "close"})
            await answer(scope, receive, send_guarded)
        else:
            await self._app(scope, receive, send_guarded)

    def refusal(self, scope: Scope) -> Refusal | None:
        """Why a request is refused; ``None`` where it is not."""
        headers = Headers(scope=scope)
        if len(scope["path"]) + len(scope["query_string"]) > _LONGEST_TARGET:
            return Refusal(414, "the address is too long\n")
        if sum(len(name) + len(value) for name, value in scope["headers"]) > _MOST_HEADER_BYTES:
            return Refusal(431, "the headers are too long\n")
        if scope["type"] == "http":
            if scope["method"] not in ("GET", "HEAD"):
                return Refusal(405, "commands are sent over the WebSocket; everything else is read with GET\n")
            if headers.get("content-length", "0") != "0" or "transfer-encoding" in headers:
                return Refusal(413, "a request has no body here\n")
        if not self._is_known_host(headers):
            return Refusal(421, "this host name is not the ground station's\n")
        if not _is_same_origin(headers) or _is_foreign_fetch(headers, scope["path"]):
            return Refusal(403, "requests of other sites are refused\n")
        if self._token and scope["path"] != "/healthz" and not self._has_token(scope, headers):
            return Refusal(401, NEEDS_TOKEN)
        return None

    def _is_known_host(self, headers: Headers) -> bool:
        name = _host_name(headers.get("host", ""))
        if name in self._hosts:
            return True
        return self._accepts_addresses and _is_ip_address(name)

    def _has_token(self, scope: Scope, headers: Headers) -> bool:
        kind, _, bearer = headers.get("authorization", "").partition(" ")
        given = [_query_token(scope), bearer if kind.lower() == "bearer" else ""]
        for part in headers.get("cookie", "").split(";"):
            name, _, value = part.strip().partition("=")
            given += [value] if name == self._cookie else []
        return any(self._matches(one) for one in given)

    def _matches(self, given: str) -> bool:
        """Whether this is the token, in a time that does not depend on how much of it is right."""
        return hmac.compare_digest(given.encode("utf-8", "replace"), self._token)


def _query_token(scope: Scope) -> str:
    try:
        fields = parse_qs(str(scope["query_string"], "latin-1"), max_num_fields=16)
    except ValueError:  # more fields than that
        return ""
    return fields.get("token", [""])[0]


def _host_name(host: str) -> str:
    """The name in a Host header, without its port: an SSH tunnel has a port of its own."""
    try:
        return (urlsplit(f"//{host}").hostname or "").rstrip(".")
    except ValueError:
        return ""


def _is_ip_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def _is_same_origin(headers: Headers) -> bool:
    """Whether a browser sent this for our own page. Browsers send WebSockets of any page, with the page's origin."""
    host = headers.get("host", "").lower()
    origins = [value.lower() for value in headers.getlist("origin")]
    return all(origin in (f"http://{host}", f"https://{host}") for origin in origins)


def _is_foreign_fetch(headers: Headers, path: str) -> bool:
    """Whether another site embeds something of ours: an image has no origin. A link to the page itself is fine."""
    site = headers.get("sec-fetch-site", "none")
    is_link = headers.get("sec-fetch-mode") == "navigate" and headers.get("sec-fetch-dest") == "document"
    return site not in ("none", "same-origin") and not (is_link and path == "/")
