"""A line between a client and a server that breaks."""

import socket
import struct
import threading


class BreakingLine:
    """Takes connections for the server on `port` and passes bytes both ways. Each of the first `times` connections is reset
    when the server, or the client, has sent so many bytes on it; all work when `times` is used up."""

    def __init__(self, port, from_server=None, from_client=None, times=1):
        self.server, self.limits, self.times = port, (from_client, from_server), times
        self.listener = socket.socket()
        self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.listener.bind(("127.0.0.1", 0))
        self.listener.listen(16)
        self.port = self.listener.getsockname()[1]
        # Connections, and bytes that the server has sent on all of them.
        self.connections, self.received = 0, 0
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            self.connections += 1
            limits = self.limits if self.connections <= self.times else (None, None)
            try:
                server = socket.create_connection(("127.0.0.1", self.server))
            except OSError:
                client.close()
                continue
            for side in (client, server):
                side.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for source, target, limit in ((client, server, limits[0]), (server, client, limits[1])):
                threading.Thread(target=self._pass, args=(source, target, limit, source is server), daemon=True).start()

    def _pass(self, source, target, left, is_server):
        try:
            while True:
                data = source.recv(700)
                if not data:
                    target.shutdown(socket.SHUT_WR)
                    return
                if is_server:
                    self.received += len(data)
                if left is not None:
                    left -= len(data)
                    if left <= 0:
                        return self._reset(source, target)
                target.sendall(data)
        except OSError:
            self._reset(source, target)

    @staticmethod
    def _reset(*sides):
        for side in sides:
            try:
                side.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                # The other thread reads from it: without this the socket lives as long as that does.
                side.shutdown(socket.SHUT_RDWR)
                side.close()
            except OSError:
                pass

    def close(self):
        self.listener.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
