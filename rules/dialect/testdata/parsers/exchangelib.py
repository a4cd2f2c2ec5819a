# Reads POX and SOAP answers with exchangelib's own classes (Debian: python3-exchangelib).
#
#   python3 exchangelib.py pox|soap  <  JSON list of {address, text}  >  JSON list of readings
import json
import sys

sys.path.pop(0)  # this file's own folder, where "exchangelib" would be this file
from exchangelib.errors import EWSError
from exchangelib.services.get_user_settings import GetUserSettings


class Response:
    def __init__(self, text):
        self.content = text.encode()

    def iter_content(self):
        return self.content


def pox(text):
    from exchangelib.autodiscover.properties import Autodiscover  # before 5.4 alone

    answer = Autodiscover.from_bytes(text.encode())
    answer.raise_errors()
    r = answer.response
    servers = [
        {"protocol": p.type.lower(), "host": p.server, "port": p.port, "encryption": "ssl" if p.ssl else "none", "username": p.login_name}
        for p in r.account.protocols
    ]
    return {"name": r.user.display_name, "servers": servers}


def soap(text):
    service = object.__new__(GetUserSettings)  # without the connection that __init__ asks for
    _, body = service._get_soap_parts(Response(text))
    [user] = service._elems_to_objs(service._get_elements_in_response(service._get_soap_messages(body)))
    user.raise_errors()
    s = user.user_settings
    servers = [] if user.ews_url is None else [{"protocol": "ews", "url": user.ews_url}]
    return {"name": s["user_display_name"], "address": s["auto_discover_smtp_address"], "servers": servers}


def read(text):
    try:
        return {"pox": pox, "soap": soap}[sys.argv[1]](text)
    except EWSError as e:
        return {"none": type(e).__name__ + ": " + str(e)}


json.dump([read(document["text"]) for document in json.load(sys.stdin)], sys.stdout)
