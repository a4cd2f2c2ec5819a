# Reads what has no client that could be run here with parsers of Python's standard library, by the names of the formats' documents:
# a profile as a property list, which libplist (Debian: libplist-utils) has turned into a binary one first, and MobileSync as XML.
#
#   python3 standard.py mobileconfig|mobilesync  <  JSON list of {address, text}  >  JSON list of readings
import json
import plistlib
import subprocess
import sys
import xml.etree.ElementTree as ET


def mobileconfig(text):
    binary = subprocess.run(["plistutil"], input=text.encode(), stdout=subprocess.PIPE, check=True).stdout
    assert binary.startswith(b"bplist"), "plistutil left the profile as it was"
    profile = plistlib.loads(text.encode())
    assert plistlib.loads(binary) == profile, "libplist reads another profile"
    assert profile["PayloadType"] == "Configuration" and profile["PayloadVersion"] == 1
    reading = {"name": profile["PayloadDisplayName"], "servers": []}
    for p in profile["PayloadContent"]:
        reading["address"] = p["EmailAddress"]
        if p["PayloadType"] == "com.apple.eas.account":
            reading["servers"].append({"protocol": "activesync", "host": p["Host"], "encryption": "ssl" if p["SSL"] else "none", "username": p["UserName"]})
            continue
        kind = {"EmailTypeIMAP": "imap", "EmailTypePOP": "pop3"}[p["EmailAccountType"]]
        for direction, protocol in (("Incoming", kind), ("Outgoing", "smtp")):
            at = direction + "MailServer"
            reading["servers"].append({
                "protocol": protocol, "host": p[at + "HostName"], "port": p[at + "PortNumber"],
                "encryption": "tls" if p[at + "UseSSL"] else "none", "username": p[at + "Username"],
            })
    return reading


def mobilesync(text):
    base = "http://schemas.microsoft.com/exchange/autodiscover/"
    names = {"f": base + "responseschema/2006", "m": base + "mobilesync/responseschema/2006"}
    root = ET.fromstring(text.encode())
    assert root.tag == "{%s}Autodiscover" % names["f"], root.tag
    code = root.findtext("m:Response/m:Error/m:ErrorCode", None, names)
    if code is not None:
        return {"none": "error " + code}
    servers = [
        {"protocol": {"MobileSync": "activesync"}[s.findtext("m:Type", None, names)], "url": s.findtext("m:Url", None, names)}
        for s in root.iterfind("m:Response/m:Action/m:Settings/m:Server", names)
    ]
    user = root.find("m:Response/m:User", names)
    return {"name": user.findtext("m:DisplayName", None, names), "address": user.findtext("m:EMailAddress", None, names), "servers": servers}


json.dump([globals()[sys.argv[1]](document["text"]) for document in json.load(sys.stdin)], sys.stdout)
