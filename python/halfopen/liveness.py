"""How soon a dead peer is noticed: one number as socket options, and how long a socket would hang.

    from halfopen import liveness

    liveness.set_liveness(sock, 10)         # after connect or accept: within 10 s, idle or not
    liveness.would_hang(sock).idle          # 10.0; None: for ever

Needs libhalfopen.so.1 (Debian: libhalfopen1) and the standard library. A sock is a socket, or whatever has fileno(), as
asyncio's writer.get_extra_info("socket") has. Times are in seconds. What the kernel refuses raises OSError. Every function
may be called from any thread.
"""

import dataclasses
import socket

from halfopen import _library

__all__ = ["Hang", "Liveness", "liveness_of", "noticed_within", "report_icmp", "set_liveness", "socket_options",
           "would_hang"]  # fmt: skip


@dataclasses.dataclass(frozen=True)
class Liveness:
    """The socket options that decide when a dead peer is noticed (tcp(7)), and Linux's own defaults."""

    keepalive: bool = False  # SO_KEEPALIVE
    idle: int = 7200  # TCP_KEEPIDLE: silence before the first probe
    interval: int = 75  # TCP_KEEPINTVL: from probe to probe
    probes: int = 9  # TCP_KEEPCNT
    user_timeout: float = 0.0  # TCP_USER_TIMEOUT; 0: tcp_retries2 decides


@dataclasses.dataclass(frozen=True)
class Hang:
    """How long a program that waits on a socket whose peer is gone would wait. None: for ever."""

    idle: float | None  # from the peer's last segment
    in_flight: float | None  # from the write
    connecting: float | None  # from the first SYN


def _milliseconds(seconds):
    return round(seconds * 1000)


def _made(c):
    return Liveness(bool(c.keepalive), c.idle_s, c.interval_s, c.probes, c.user_timeout_ms / 1000)


def _in_c(options):
    return _library.Liveness(keepalive=options.keepalive, idle_s=options.idle, interval_s=options.interval,
                             probes=options.probes, user_timeout_ms=_milliseconds(options.user_timeout))  # fmt: skip


def noticed_within(seconds):
    """The options with which a dead peer is noticed after that time, idle or with data in flight. Less than 2 s is
    taken for that, more than 32767 s too. liveness.hpp says how exact it is."""
    made = _library.Liveness()
    _library.checked("noticed_within", made, _milliseconds(seconds))
    return _made(made)


def socket_options(seconds):
    """The same as (level, name, value), the arguments of setsockopt: for libraries that take socket options, such as
    urllib3. They set them before they connect, so the time limits connecting too."""
    options = noticed_within(seconds)
    return [
        (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1),
        (socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, options.interval),
        (socket.IPPROTO_TCP, socket.TCP_KEEPCNT, options.probes),
        (socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, _milliseconds(options.user_timeout)),
        (socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, options.idle),
    ]


def set_liveness(sock, within):
    """Sets the options on a connected TCP socket: a number of seconds, or a Liveness. Returns the Liveness."""
    options = within if isinstance(within, Liveness) else noticed_within(within)
    _library.checked("set_options", _library.descriptor(sock), _in_c(options))
    return options


def liveness_of(sock):
    """What a socket has set."""
    made = _library.Liveness()
    _library.checked("liveness_of", made, _library.descriptor(sock))
    return _made(made)


def report_icmp(sock, at_once=True):
    """ICMP errors about an open connection are told at once instead of at the end (IP_RECVERR)."""
    _library.checked("report_icmp", _library.descriptor(sock), at_once)


def would_hang(of):
    """Of a socket as it is now, with this network namespace's settings; or of a Liveness, with Linux's own."""
    made = _library.Hang()
    if isinstance(of, Liveness):
        _library.checked("would_hang_with", made, _in_c(of), None)
    else:
        _library.checked("would_hang", made, _library.descriptor(of))
    length = [None if ms == _library.FOR_EVER else ms / 1000 for ms in (made.idle_ms, made.in_flight_ms, made.connecting_ms)]
    return Hang(*length)
