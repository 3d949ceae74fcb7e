"""Listens on ports, [[port, protocol], ...] as JSON, at addresses of IPv4 and IPv6.

The kernel answers TCP; UDP gets back what it sent.
"""

import json
import select
import socket
import sys

both = socket.has_dualstack_ipv6()  # a kernel may be told to do without IPv6
family = socket.AF_INET6 if both else socket.AF_INET
kept = []
for number, protocol in json.loads(sys.argv[1]):
    if protocol == "TCP":
        # Nobody accepts: connections wait in the backlog.
        kept.append(socket.create_server(("", number), family=family, backlog=1000, dualstack_ipv6=both))
    else:
        kept.append(socket.socket(family, socket.SOCK_DGRAM))
        if both:
            kept[-1].setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        kept[-1].bind(("", number))
told = [one for one in kept if one.type == socket.SOCK_DGRAM]
while True:
    for one in select.select(told, [], [])[0]:
        one.sendto(*one.recvfrom(512))
