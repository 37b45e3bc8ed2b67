import socket, struct, threading, collections


class Sniff:
    def __init__(self, lo, hi):
        self.s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
        self.s.bind(("lo", 0))
        self.s.settimeout(0.5)
        self.lo, self.hi = lo, hi
        self.c = collections.Counter()
        self.run = True
        self.last = {}
        self.t = threading.Thread(target=self.loop, daemon=True)
        self.t.start()

    def loop(self):
        while self.run:
            try:
                p, addr = self.s.recvfrom(4000)
            except TimeoutError:
                continue
            if addr[2] == 4:
                continue
            if p[12:14] != b"\x08\x00" or p[23] != 17:
                continue
            ihl = (p[14] & 15) * 4
            u = p[14 + ihl :]
            sp, dp = struct.unpack("!HH", u[:4])
            r = u[8:]
            if (
                self.lo <= sp <= self.hi
                and len(r) > 12
                and r[0] >> 6 == 2
                and not 72 <= (r[1] & 127) <= 76
            ):
                seq, ts, ssrc = struct.unpack("!HII", r[2:12])
                k = (sp, dp, r[1] & 127, len(r) - 12, ssrc)
                d = ts - self.last.get(k, ts)
                self.last[k] = ts
                self.c[k + (d,)] += 1

    def take(self):
        c, self.c = self.c, collections.Counter()
        return {k: v for k, v in c.items() if v > 2}

    def stop(self):
        self.run = False
        self.t.join()
