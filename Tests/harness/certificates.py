"""Certificates for tests, made with the openssl tool: an authority, servers and a client."""

import hashlib
import os
import ssl
import subprocess


class Certificates:
    """Everything lies in one directory; `path("ca.crt")` and so on."""

    def __init__(self, directory):
        self.directory = directory
        self.authority("ca")
        self.issue("server", "ca", "subjectAltName=DNS:localhost,IP:127.0.0.1")
        self.issue("elsewhere", "ca", "subjectAltName=DNS:elsewhere.example")
        self.issue("address-as-name", "ca", "subjectAltName=DNS:127.0.0.1")
        self.issue("six", "ca", "subjectAltName=IP:::1")
        self.issue("127.0.0.1", "ca", "basicConstraints=CA:FALSE")
        self.issue_expired("expired", "ca", "subjectAltName=DNS:localhost")
        self.issue("client", "ca", "subjectAltName=DNS:device")
        self.authority("strange")

    def path(self, name):
        return os.path.join(self.directory, name)

    def server_context(self, name):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.path(f"{name}.crt"), self.path(f"{name}.key"))
        return context

    def openssl(self, *arguments):
        subprocess.run(["openssl", *arguments], cwd=self.directory, check=True, capture_output=True)

    def authority(self, name):
        self.openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "30",
                     "-subj", f"/CN={name} authority", "-keyout", f"{name}.key", "-out", f"{name}.crt")

    def request(self, name, extension):
        self.openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", f"/CN={name}",
                     "-keyout", f"{name}.key", "-out", f"{name}.csr")
        self.write(f"{name}.ext", extension)

    def issue(self, name, authority, extension):
        self.request(name, extension)
        self.openssl("x509", "-req", "-in", f"{name}.csr", "-CA", f"{authority}.crt", "-CAkey", f"{authority}.key",
                     "-CAcreateserial", "-days", "30", "-extfile", f"{name}.ext", "-out", f"{name}.crt")

    def issue_expired(self, name, authority, extension):
        """By `openssl ca`, which takes dates of the past in every version; `x509` takes none before 3.4, and from 3.5
        on no negative number of days."""
        self.request(name, extension)
        self.write("index", "")
        self.write("serial", "01")
        self.write("ca.cnf", "[ca]\ndefault_ca = all\n[all]\ndatabase = index\nserial = serial\nnew_certs_dir = .\npolicy = any\n"
                             "[any]\ncommonName = supplied")
        self.openssl("ca", "-batch", "-notext", "-config", "ca.cnf", "-md", "sha256", "-in", f"{name}.csr",
                     "-cert", f"{authority}.crt", "-keyfile", f"{authority}.key", "-extfile", f"{name}.ext",
                     "-startdate", "20200101000000Z", "-enddate", "20200201000000Z", "-out", f"{name}.crt")

    def write(self, name, text):
        with open(self.path(name), "w") as file:
            file.write(text + "\n" if text else "")

    def pin(self, name):
        """SHA-256 of the public key, as `pin` wants it."""
        pem = subprocess.run(["openssl", "x509", "-in", self.path(f"{name}.crt"), "-pubkey", "-noout"],
                             check=True, capture_output=True).stdout
        der = subprocess.run(["openssl", "pkey", "-pubin", "-outform", "der"], input=pem,
                             check=True, capture_output=True).stdout
        return hashlib.sha256(der).hexdigest()
