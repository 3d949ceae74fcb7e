"""Listens on ports, [[port, protocol], ...] as JSON. The kernel answers TCP; UDP gets back what it sent.

Of IPv4 and IPv6."""

import json
import select
import socket
import sys

kept = []
for number, protocol in json.loads(sys.argv[1]):
    if protocol == "TCP":
        # Nobody accepts: connections wait in the backlog.
        kept.append(socket.create_server(("", number), family=socket.AF_INET6, backlog=1000, dualstack_ipv6=True))
    else:
        kept.append(socket.socket(socket.AF_INET6, socket.SOCK_DGRAM))
        kept[-1].setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        kept[-1].bind(("", number))
told = [one for one in kept if one.type == socket.SOCK_DGRAM]
while True:
    for one in select.select(told, [], [])[0]:
        one.sendto(*one.recvfrom(512))
