"""How a TCP connection ended, in which phase, and whether the request may be sent again.

    from halfopen import fate

    try:
        reply = sock.recv(4096)
    except OSError as e:
        f = fate.diagnose(sock, e)
        log(f)                              # "peer_reset or peer_rebooted while awaiting_reply: ..."
        if f.again == "safe": ...

It asks the kernel, so call it before the socket is closed; with None for the socket it says what the exception alone
can tell. Needs libhalfopen.so.1 (Debian: libhalfopen1) and the standard library. Every function may be called from any
thread. The words are those of `halfopen explain`.
"""

import dataclasses
import errno
import http.client
import ipaddress
import socket
import ssl

from halfopen import _library

__all__ = ["ENDINGS", "Fate", "Meaning", "OPERATIONS", "PHASES", "RETRIES", "diagnose", "ending_of", "error_of",
           "explain"]  # fmt: skip

ENDINGS = _library.words("ending")
PHASES = _library.words("phase")
RETRIES = _library.words("retry")
OPERATIONS = _library.words("operation")


@dataclasses.dataclass(frozen=True)
class Fate:
    """str() of it is one line for a log, `explanation` a sentence for a person. Times are in seconds."""

    how: str  # the ending, one of ENDINGS
    or_else: str | None  # the other ending that the same evidence fits
    when: str  # the phase
    again: str  # "safe", "unknown" or "pointless": may the request be sent again?
    during: str  # the operation
    error: int  # errno; 0 for end-of-file
    detail: str  # what is not an errno, such as "end-of-file"
    # What the kernel knew (TCP_INFO in tcp(7)).
    still_open: bool
    last_heard: float | None  # since the peer's last segment but an RST
    round_trip: float  # 0 if it was never measured
    unacknowledged: int  # bytes sent and not acknowledged
    unsent: int  # bytes written and not yet sent
    retransmissions: int
    router: str | None  # who sent an ICMP error while connecting
    line: str
    explanation: str

    def __str__(self):
        return self.line

    def could_be(self, ending):
        """The evidence allows that this was the ending."""
        return ending in (self.how, self.or_else)


@dataclasses.dataclass(frozen=True)
class Meaning:
    """What a word means: plain sentences, "" if there is nothing to say."""

    name: str
    means: str
    causes: str
    advice: str
    error: int  # of an errno, its number
    endings: tuple[str, ...]  # of an errno, those of which it may speak, likeliest first


def _chain(exception):
    """The exception, and those that it was made of: what it has as arguments (urllib3), its cause, its context."""
    seen, todo = set(), [exception]
    while todo:
        e = todo.pop(0)
        if not isinstance(e, BaseException) or id(e) in seen:
            continue
        seen.add(id(e))
        yield e
        todo += [*e.args, getattr(e, "reason", None), e.__cause__, e.__context__]


def error_of(exception):
    """The errno that an exception, or one that it was made of, has; 0 if it tells of an end-of-file, EAGAIN if of a
    time limit of the program's own. ValueError if it is about no connection, such as a name that is not known."""
    for e in _chain(exception):
        if isinstance(e, (EOFError, http.client.RemoteDisconnected, http.client.IncompleteRead, ssl.SSLEOFError)):
            return 0
        no_errno = isinstance(e, (ssl.SSLError, socket.gaierror, socket.herror))  # numbers of their own
        if isinstance(e, OSError) and isinstance(e.errno, int) and e.errno > 0 and not no_errno:
            return e.errno
        if isinstance(e, TimeoutError):
            return errno.EAGAIN
    raise ValueError(f"it names no errno: {exception!r}")


def _number(words, word, what):
    if word not in words:
        raise ValueError(f"no {what}: {word!r}; there are: {', '.join(words)}")
    return words.index(word)


def _word(words, number):
    return words[number] if 0 <= number < len(words) else None


def diagnose(sock, error, during="read", when=None):
    """What became of a connection on which `during` failed.

    sock: a socket, whatever has fileno(), or None; error: the exception, an errno, or 0 for an end-of-file where bytes
    were owed; during: "connect", "accept", "read" or "write"; when: a phase, if the program knows it better than the
    operation tells, such as "receiving_reply"."""
    made = _library.Fate()
    number = error if isinstance(error, int) else error_of(error)
    phase = _library.BY_OPERATION if when is None else _number(PHASES, when, "phase")
    operation = _number(OPERATIONS, during, "operation")
    _library.checked("diagnose", made, _library.descriptor(sock), operation, number, phase)
    router = None
    if made.icmp_version and any(made.icmp_router):
        router = str(ipaddress.ip_address(bytes(made.icmp_router)[: 4 if made.icmp_version == 4 else 16]))
    return Fate(
        how=_word(ENDINGS, made.how),
        or_else=_word(ENDINGS, made.or_else),
        when=_word(PHASES, made.when),
        again=_word(RETRIES, made.again),
        during=during,
        error=made.error,
        detail=made.detail.decode(),
        still_open=bool(made.still_open),
        last_heard=None if made.last_heard_ms == _library.NOT_KNOWN else made.last_heard_ms / 1000,
        round_trip=made.round_trip_us / 1e6,
        unacknowledged=made.unacknowledged,
        unsent=made.unsent,
        retransmissions=made.retransmissions,
        router=router,
        line=_library.text("to_string", made),
        explanation=_library.text("explain", made),
    )


def ending_of(during, error):
    """The ending that an errno of this operation speaks of, without asking the kernel."""
    return _word(ENDINGS, _library.call("ending_of", _number(OPERATIONS, during, "operation"), error))


def explain(word):
    """What an ending, a phase, a retry or an errno means; KeyError if it is none of these."""
    made = _library.Meaning()
    try:
        _library.checked("describe", made, word.encode())
    except FileNotFoundError as e:  # ENOENT
        raise KeyError(word) from e
    endings = tuple(ENDINGS[e] for e in made.endings if e != _library.NO_ENDING)
    return Meaning(made.name.decode(), made.means.decode(), made.causes.decode(), made.advice.decode(), made.error, endings)
