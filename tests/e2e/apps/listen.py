"""Listens on ports, [[port, protocol], ...] as JSON. The kernel answers TCP; UDP gets back what it sent."""

import json
import select
import socket
import sys

kept = []
for number, protocol in json.loads(sys.argv[1]):
    if protocol == "TCP":
        # Nobody accepts: connections wait in the backlog.
        kept.append(socket.create_server(("", number), backlog=1000))
    else:
        kept.append(socket.socket(type=socket.SOCK_DGRAM))
        kept[-1].bind(("", number))
told = [one for one in kept if one.type == socket.SOCK_DGRAM]
while True:
    for one in select.select(told, [], [])[0]:
        one.sendto(*one.recvfrom(512))
