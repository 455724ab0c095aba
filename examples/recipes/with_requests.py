# requests and urllib3: they take socket options for each connection that they open, and set them before it is open, so
# the limit is connecting's too. The errno lies deep in their exceptions; halfopen.fate finds it. The socket is closed by
# then, so the kernel cannot be asked, and `retry` is unknown where a request may have left.
#
#     python3 with_requests.py 127.0.0.1 80          (Debian: python3-halfopen, python3-requests)
import sys

import requests
import requests.adapters
import urllib3

from halfopen import fate, liveness


class Noticing(requests.adapters.HTTPAdapter):
    """A dead peer is noticed within so many seconds."""

    def __init__(self, within):
        self._options = urllib3.connection.HTTPConnection.default_socket_options + liveness.socket_options(within)
        super().__init__()

    def init_poolmanager(self, *arguments, **named):
        super().init_poolmanager(*arguments, **named, socket_options=self._options)


with requests.Session() as session:
    session.mount("http://", Noticing(10))
    headers_here = False
    try:
        with session.get(f"http://{sys.argv[1]}:{sys.argv[2]}/", timeout=60, stream=True) as response:
            headers_here = True
            # urllib3 checks the length only if it is told to.
            response.raw.enforce_content_length = True
            print(response.content)
    except requests.RequestException as e:
        connecting = isinstance(e.args[0], urllib3.exceptions.MaxRetryError)
        if connecting:
            print(fate.diagnose(None, e, during="connect"))
        else:
            print(fate.diagnose(None, e, when="receiving_reply" if headers_here else "awaiting_reply"))
        sys.exit(1)
