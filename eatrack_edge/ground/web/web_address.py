"""Where the browser ground station listens, and the token that its viewers need."""

from __future__ import annotations

import ipaddress
import re
import secrets
import socket
from dataclasses import dataclass

from eatrack_edge.core.errors import MachineError, UsageError
from eatrack_edge.core.reasons import reason_of

DEFAULT_HOST, DEFAULT_PORT = "127.0.0.1", 8080
TOKEN_VARIABLE = "EATRACK_WEB_TOKEN"
_TOKEN = re.compile(r"[A-Za-z0-9_-]{16,128}")  # what a link and a cookie hold as it is
_HINT = "for example: --web on, --web 8080, --web 127.0.0.1:8080, --web 0.0.0.0:8080, --web [::]:8080"


@dataclass(frozen=True, slots=True)
class WebAddress:
    """An address to listen on.

    Attributes:
        host: A name or an IP address, IPv6 without brackets.
        port: 0 takes any that is free.
    """

    host: str
    port: int

    @property
    def is_loopback(self) -> bool:
        """Whether only this machine can reach it."""
        if self.host == "localhost":
            return True
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return False

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def parse_address(text: str) -> WebAddress:
    """The address of ``--web``: ``on``, a port, a host, or both. Without a host it is the loopback address.

    Raises:
        UsageError: It is none.

    >>> str(parse_address("on")), str(parse_address(":9000")), str(parse_address("0.0.0.0"))
    ('127.0.0.1:8080', '127.0.0.1:9000', '0.0.0.0:8080')
    """
    if text == "on":
        return WebAddress(DEFAULT_HOST, DEFAULT_PORT)
    if text.isascii() and text.isdecimal():
        text = f":{text}"
    # What begins as a number and is neither a port nor an IP address is a slip, and hardly this machine's name.
    if re.fullmatch(r"\d[^.:]*", text) and not text.isdecimal():
        raise UsageError(
            f"--web: not a port: `{text}`",
            hint="a port is a number up to 65535, such as --web 8080; a name needs one: --web NAME:8080",
        )
    match = re.fullmatch(r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]*)(?::([0-9]{1,5}))?", text)
    port = int(match[2]) if match and match[2] else DEFAULT_PORT
    if not match or not text or port > 65535:
        raise UsageError(f"--web: not an address: `{text}`", hint=_HINT)
    return WebAddress(match[1].strip("[]") or DEFAULT_HOST, port)


def choose_token(address: WebAddress, given: str) -> str:
    """The token that viewers need; empty where none is: on the loopback address, unless one is given.

    Raises:
        UsageError: The one that is given can be guessed, or does not fit into a link.
    """
    if given:
        if not _TOKEN.fullmatch(given):
            raise UsageError(
                f"the web token needs 16 to 128 letters, digits, `-` or `_`, got {len(given)} characters",
                hint="leave it out and one is made, or: python3 -c 'import secrets; print(secrets.token_urlsafe(16))'",
            )
        return given
    return "" if address.is_loopback else secrets.token_urlsafe(16)


def listen(address: WebAddress) -> socket.socket:
    """A socket that listens on the address, so that a port in use is noticed before the flight.

    Raises:
        MachineError: It cannot.
    """
    try:
        family, kind, protocol, _, place = socket.getaddrinfo(
            address.host, address.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listener = socket.socket(family, kind, protocol)
        try:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(place)
            listener.listen(64)
        except OSError:
            listener.close()
            raise
    except OSError as error:
        text = f"--web {address}: cannot listen: {reason_of(error)}"
        raise MachineError(text, hint="choose another: --web 8081") from error
    return listener


def allowed_hosts(address: WebAddress) -> frozenset[str]:
    """Names that a request may give as its host, besides IP addresses where the address is not loopback."""
    names = {"localhost", "127.0.0.1", "::1"}
    if address.is_loopback:
        return frozenset(names)
    own = socket.gethostname().lower()
    return frozenset(names | {address.host.lower(), own, f"{own.partition('.')[0]}.local"})


def page_link(address: WebAddress, token: str) -> str:
    """What to open in a browser, with the token where one is needed."""
    host = address.host
    if host in ("0.0.0.0", "::"):
        host = _own_address(socket.AF_INET6 if host == "::" else socket.AF_INET)
    return f"http://{WebAddress(host, address.port)}/" + (f"?token={token}" if token else "")


def _own_address(family: socket.AddressFamily) -> str:
    """This machine's address on its default route; its name where it has none. Nothing is sent."""
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.connect(("2001:db8::1" if family == socket.AF_INET6 else "192.0.2.1", 9))
            return str(probe.getsockname()[0])
    except OSError:
        return socket.gethostname()
