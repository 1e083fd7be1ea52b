"""The ports of the stack's programs: from the environment or any free ones, and whether they can be listened on."""

import secrets
import socket
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Self

from deploy.local.errors import PortTakenError, StackError

LOOPBACK = "127.0.0.1"
LAST_PORT = 65535
OWN_RANGE = range(20_000, 32_000)  # below the ephemeral ports, which begin at 32768 (Linux) or 49152 (RFC 6335)


@dataclass(frozen=True, slots=True, kw_only=True)
class PortSet:
    """A set of ports by name; the variable DONDOC_<FIELD>_PORT overrides the default of a field."""

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Self:
        """Return the ports that *environment* sets, and the defaults for the rest."""
        names = (field.name for field in fields(cls))
        return cls(
            **{
                name: _parse_port(environment, port_variable(name))
                for name in names
                if port_variable(name) in environment
            }
        )

    @classmethod
    def free(cls) -> Self:
        """Return ports that are free at this moment."""
        names = [field.name for field in fields(cls)]
        return cls(**dict(zip(names, free_ports(len(names)), strict=True)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports(PortSet):
    """The ports of the programs of the stack."""

    kafka: int = 9092
    kafka_controller: int = 9093
    mongo: int = 27017
    smtp: int = 1025
    mailbox: int = 1080
    smpp: int = 2775


def port_variable(name: str) -> str:
    """Return the environment variable that sets the port *name*."""
    return f"DONDOC_{name.upper()}_PORT"


def free_ports(count: int) -> list[int]:
    """Return *count* different free ports below the range of ephemeral ports.

    So a server that is restarted finds its port still free: the kernel cannot have given it to a client meanwhile.
    """
    picked: dict[int, socket.socket] = {}
    try:
        while len(picked) < count:
            port = secrets.choice(OWN_RANGE)
            listener = socket.socket()
            try:
                listener.bind((LOOPBACK, port))
            except OSError:
                listener.close()
            else:
                picked[port] = listener
        return list(picked)
    finally:
        for listener in picked.values():
            listener.close()


def require_free(name: str, port: int, *, setting: str | None = None) -> None:
    """Raise `PortTakenError`, with the variable to change, unless *port* can be listened on."""
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((LOOPBACK, port))
        except OSError as error:
            remedy = setting or port_variable(name)
            raise PortTakenError(
                f"port {port} of {name} is taken ({error.strerror}); set {remedy} to a free port"
            ) from error


def _parse_port(environment: Mapping[str, str], name: str) -> int:
    text = environment[name]
    if not text.isdecimal() or not 0 < int(text) <= LAST_PORT:
        raise StackError(f"{name} is {text!r}; it must be a port number from 1 to {LAST_PORT}")
    return int(text)
