"""Guards for routes that are not for everybody: they answer this machine alone, or whoever has the key.

The key is a secret that two services share, such as intake and rules. A development machine needs none.
"""

import hmac
import ipaddress
import json
from http import HTTPStatus

from services.runtime.http.asgi import AsgiHandler, Receive, Scope, Send, send_response

# The headers by which a proxy says that it passes on somebody's request (RFC 7239, and what came before it).
_FORWARDING_HEADERS = frozenset({b"forwarded", b"via", b"x-forwarded-for", b"x-real-ip"})


def guard_route(handler: AsgiHandler, key: str | None = None) -> AsgiHandler:
    """Return *handler* for requests with the bearer *key*; without a key, for requests from this machine."""

    async def guard(scope: Scope, receive: Receive, send: Send) -> None:
        if key is None:
            if is_from_this_machine(scope):
                await handler(scope, receive, send)
            else:
                await refuse(send, HTTPStatus.FORBIDDEN, "only this machine may ask here; others ask the admin port")
        elif _has_key(scope, key):
            await handler(scope, receive, send)
        else:
            await refuse(send, HTTPStatus.UNAUTHORIZED, "send the key that this service was given, as a bearer token")

    return guard


def is_from_this_machine(scope: Scope) -> bool:
    """Whether a process on this machine asks for itself, and not as a proxy for somebody else."""
    client = scope.get("client")
    if client is None or is_passed_on(scope):
        return False
    address = ipaddress.ip_address(client[0])
    mapped = getattr(address, "ipv4_mapped", None)  # of a socket that takes IPv4 and IPv6
    return bool((mapped or address).is_loopback)


def is_passed_on(scope: Scope) -> bool:
    """Whether a proxy says that it passes on somebody's request."""
    return any(name in _FORWARDING_HEADERS for name, _ in scope["headers"])


def _has_key(scope: Scope, key: str) -> bool:
    given = [value for name, value in scope["headers"] if name == b"authorization"]
    # In constant time, so that how long it takes reveals nothing of the key.
    return len(given) == 1 and hmac.compare_digest(given[0], b"Bearer " + key.encode())


async def refuse(send: Send, status: HTTPStatus, detail: str) -> None:
    """Answer with a problem document (RFC 9457) that says why."""
    problem = {"type": "about:blank", "title": status.phrase, "status": status.value, "detail": detail}
    await send_response(
        send, json.dumps(problem).encode(), status=status.value, content_type="application/problem+json"
    )
