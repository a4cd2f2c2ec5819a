"""Asks servers on loopback for their certificates as an HTTPS client does: verify.py ROOTS.pem (NAME PORT)..."""

import socket
import ssl
import sys

context = ssl.create_default_context(cafile=sys.argv[1])
for name, port in zip(sys.argv[2::2], sys.argv[3::2]):
    try:
        with socket.create_connection(("127.0.0.1", int(port)), timeout=10) as plain:
            with context.wrap_socket(plain, server_hostname=name):
                print("accepted")
    except ssl.SSLError as error:
        print("refused:", error.verify_message if isinstance(error, ssl.SSLCertVerificationError) else error)
