"""libhalfopen.so.1 by ctypes: the structures and functions of halfopen/halfopen.h, as far as fate.py and liveness.py
need them."""

import ctypes
import os
from ctypes import POINTER, byref, c_char_p, c_int, c_int32, c_int64, c_size_t, c_uint8, c_uint32, sizeof

NO_ENDING = BY_OPERATION = NOT_KNOWN = FOR_EVER = -1


class Sized(ctypes.Structure):
    """What begins with its own size."""

    def __init__(self, **members):
        super().__init__(size=sizeof(self), **members)


class Fate(Sized):
    _fields_ = [("size", c_uint32), ("how", c_int32), ("or_else", c_int32), ("when", c_int32), ("again", c_int32),
                ("during", c_int32), ("error", c_int32), ("still_open", c_uint32), ("detail", c_char_p),
                ("last_heard_ms", c_int64), ("round_trip_us", c_int64), ("unacknowledged", c_uint32),
                ("unsent", c_uint32), ("retransmissions", c_uint32), ("icmp_version", c_uint8),
                ("icmp_type", c_uint8), ("icmp_code", c_uint8), ("reserved", c_uint8),
                ("icmp_router", c_uint8 * 16)]  # fmt: skip


class Meaning(Sized):
    _fields_ = [("size", c_uint32), ("error", c_int32), ("endings", c_int32 * 4), ("name", c_char_p),
                ("means", c_char_p), ("causes", c_char_p), ("advice", c_char_p)]  # fmt: skip


class Liveness(Sized):
    _fields_ = [("size", c_uint32), ("keepalive", c_int32), ("idle_s", c_int64), ("interval_s", c_int64),
                ("probes", c_int64), ("user_timeout_ms", c_int64)]  # fmt: skip


class Hang(Sized):
    _fields_ = [("size", c_uint32), ("reserved", c_uint32), ("idle_ms", c_int64), ("in_flight_ms", c_int64),
                ("connecting_ms", c_int64)]  # fmt: skip


FUNCTIONS = {
    "diagnose": (c_int, POINTER(Fate), c_int, c_int, c_int, c_int),
    "ending_of": (c_int, c_int, c_int),
    "to_string": (c_size_t, POINTER(Fate), c_char_p, c_size_t),
    "explain": (c_size_t, POINTER(Fate), c_char_p, c_size_t),
    "describe": (c_int, POINTER(Meaning), c_char_p),
    "ending_name": (c_char_p, c_int),
    "phase_name": (c_char_p, c_int),
    "retry_name": (c_char_p, c_int),
    "operation_name": (c_char_p, c_int),
    "noticed_within": (c_int, POINTER(Liveness), c_int64),
    "set_options": (c_int, c_int, POINTER(Liveness)),
    "liveness_of": (c_int, POINTER(Liveness), c_int),
    "report_icmp": (c_int, c_int, c_int),
    "would_hang": (c_int, POINTER(Hang), c_int),
    "would_hang_with": (c_int, POINTER(Hang), POINTER(Liveness), ctypes.c_void_p),
    "version": (c_char_p,),
}


def _load():
    place = os.environ.get("HALFOPEN_LIBRARY", "libhalfopen.so.1")
    try:
        library = ctypes.CDLL(place)
    except OSError as e:
        raise ImportError(f"{place} cannot be loaded: {e}. Debian's package is libhalfopen1; HALFOPEN_LIBRARY in the "
                          "environment names another place") from e  # fmt: skip
    for name, (returns, *takes) in FUNCTIONS.items():
        function = getattr(library, f"halfopen_{name}")
        function.restype, function.argtypes = returns, takes
    return library


_loaded = _load()


def call(name, *arguments):
    """A function of halfopen.h, without the beginning of its name."""
    return getattr(_loaded, f"halfopen_{name}")(*(byref(a) if isinstance(a, Sized) else a for a in arguments))


def checked(name, *arguments):
    """One that returns 0 or an errno: raises OSError."""
    error = call(name, *arguments)
    if error != 0:
        raise OSError(error, os.strerror(error))


def descriptor(sock):
    """Of a socket, of whatever has fileno(), or of a number; -1 of None and of what is closed."""
    if sock is None:
        return -1
    return sock if isinstance(sock, int) else sock.fileno()


def words(name):
    """The enumerators' names, in their order."""
    found = []
    while (word := call(f"{name}_name", len(found)).decode()) != "?":
        found.append(word)
    return tuple(found)


def text(name, fate):
    """What to_string() or explain() writes."""
    buffer = ctypes.create_string_buffer(call(name, fate, None, 0) + 1)
    call(name, fate, buffer, len(buffer))
    return buffer.value.decode(errors="replace")
