"""Certificates for tests, made with the openssl tool: an authority, servers and a client."""

import hashlib
import os
import subprocess


class Certificates:
    """Everything lies in one directory; `path("ca.crt")` and so on."""

    def __init__(self, directory):
        self.directory = directory
        self.authority("ca")
        self.issue("server", "ca", "subjectAltName=DNS:localhost,IP:127.0.0.1")
        self.issue("elsewhere", "ca", "subjectAltName=DNS:elsewhere.example")
        self.issue("expired", "ca", "subjectAltName=DNS:localhost", days=-1)
        self.issue("client", "ca", "subjectAltName=DNS:device")
        self.authority("strange")

    def path(self, name):
        return os.path.join(self.directory, name)

    def openssl(self, *arguments):
        subprocess.run(["openssl", *arguments], cwd=self.directory, check=True, capture_output=True)

    def authority(self, name):
        self.openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "30",
                     "-subj", f"/CN={name} authority", "-keyout", f"{name}.key", "-out", f"{name}.crt")

    def issue(self, name, authority, extension, days=30):
        self.openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", f"/CN={name}",
                     "-keyout", f"{name}.key", "-out", f"{name}.csr")
        with open(self.path(f"{name}.ext"), "w") as file:
            file.write(extension + "\n")
        self.openssl("x509", "-req", "-in", f"{name}.csr", "-CA", f"{authority}.crt", "-CAkey", f"{authority}.key",
                     "-CAcreateserial", "-days", str(days), "-extfile", f"{name}.ext", "-out", f"{name}.crt")

    def pin(self, name):
        """SHA-256 of the public key, as `pin` wants it."""
        pem = subprocess.run(["openssl", "x509", "-in", self.path(f"{name}.crt"), "-pubkey", "-noout"],
                             check=True, capture_output=True).stdout
        der = subprocess.run(["openssl", "pkey", "-pubin", "-outform", "der"], input=pem,
                             check=True, capture_output=True).stdout
        return hashlib.sha256(der).hexdigest()
