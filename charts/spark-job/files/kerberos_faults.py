"""What Hadoop and Java say of Kerberos and of a secure HDFS, and what it means.

Standard library and Python 3.8 only: see ``known_faults``.
"""

from __future__ import annotations

import re

from known_faults import Explained, Fault, first_of, line_with

_LOGIN = "failure to login: "
_PRINCIPAL = re.compile(r"failure to login: for principal: ([^\s,]{1,256})")
_DENIED = re.compile(r"Permission denied: user=([^\s,]{1,256}), access=([A-Z_]{1,64}), inode=\"([^\"]{1,1024})\"")
_OF_EXECUTOR = re.compile(
    r"-exec-\d{1,9}/\d|Lost task [\d.]{1,20} in stage [\d.]{1,20} \(TID \d{1,20}\) \(\S{1,300} executor \d"
)
_NAMENODES = (
    re.compile(r"DestHost:destPort ([\w.-]{1,255}:\d{1,5})"),
    re.compile(r" to ([\w.-]{1,255}:\d{1,5}) failed on "),
    re.compile(r"destination host is: \"?([\w.-]{1,255})\"?(?:[/\w.]{0,64}:(\d{1,5}))?"),
    re.compile(r"UnknownHostException: ([\w.-]{1,255})"),
)
_CORE_SITE = "core-site.xml of global.hadoop.configMap"
_HDFS_SITE = "hdfs-site.xml of global.hadoop.configMap"

NO_TOKEN = Fault(
    "kerberos-no-token",
    ("Client cannot authenticate via:[TOKEN, KERBEROS]",),
    "executors have no delegation token of this file system",
    "list its URL in global.hadoop.accessFileSystems if it is not fs.defaultFS; Spark 4 needs Java 17 or 21",
)
"""Of an executor; the same words of a driver mean that it is not logged in."""
LOST_TOKEN = Fault(
    "kerberos-java",
    NO_TOKEN.signs,
    "executors lost the tokens that the driver sent: on Java {java} threads do not take over their maker's login",
    "set image to one with Java 17 or 21",
)
"""The same, where the driver got tokens and runs on Java 22 or newer."""
NO_DATA_PROTECTION = Fault(
    "hdfs-data-protection",
    ("Could not obtain block", "could only be written to 0 of the "),
    "the DataNode ends each connection: client and DataNode do not agree on dfs.data.transfer.protection",
    f"set dfs.data.transfer.protection to the cluster's value in {_HDFS_SITE}",
)
"""Where connections to DataNodes were reset; else HDFS has lost the block, or cannot be reached."""
FAULTS = (
    Fault(
        "kerberos-no-realm",
        ("Can't get Kerberos realm", "Cannot locate default realm"),
        "Java finds no krb5.conf, or one without default_realm",
        "set global.kerberos.configMap to the ConfigMap with krb5.conf, or set global.kerberos.realm and kdcs",
    ),
    Fault(
        "keytab-without-principal",
        ("Unable to obtain password from user",),
        "the keytab has no key of {principal}, or the driver may not read the keytab",
        "make global.kerberos.principal, realm included, one that klist -k shows of global.kerberos.keytab",
        _LOGIN,
    ),
    Fault(
        "keytab-not-found",
        ("requirement failed: Keytab file: ",),
        "the keytab is not where the driver looks for it",
        "set global.kerberos.keytab to name and key of the Secret with the keytab, and no path in sparkConf",
    ),
    Fault(
        "kerberos-no-kdc",
        ("Cannot locate KDC", "Unable to locate KDC for realm"),
        "krb5.conf names no KDC of the realm of {principal}",
        "add the realm and its KDCs to krb5.conf of global.kerberos.configMap, or set global.kerberos.realm and kdcs",
    ),
    Fault(
        "keytab-stale",
        ("Pre-authentication information was invalid",),
        "the key of {principal} is another since its keytab was made",
        "make the keytab anew, and put it into the Secret that global.kerberos.keytab names",
    ),
    Fault(
        "keytab-stale",
        ("Checksum failed",),
        "the key of {principal} is another since its keytab was made",
        "make the keytab anew, and put it into the Secret that global.kerberos.keytab names",
        _LOGIN,
    ),
    Fault(
        "principal-unknown",
        ("Client not found in Kerberos database",),
        "the KDC does not know {principal}",
        "correct global.kerberos.principal, or ask the KDC's admin to add the principal",
    ),
    Fault(
        "principal-expired",
        ("Client's entry in database expired",),
        "the KDC says that {principal} has expired",
        "ask the KDC's admin to prolong the principal",
    ),
    Fault(
        "password-expired",
        ("Password has expired",),
        "the password of {principal} has expired, and its keytab with it",
        "ask the KDC's admin for a keytab with a new key; put it into the Secret that global.kerberos.keytab names",
        _LOGIN,
    ),
    Fault(
        "clock-skew",
        ("Clock skew too great",),
        "the clocks of the node and of the KDC differ by more than five minutes",
        "ask the cluster's admin to synchronise the nodes' clocks with the KDC's (NTP)",
    ),
    Fault(
        "kerberos-no-rule",
        ("No rules applied to ",),
        "no rule of hadoop.security.auth_to_local makes a user's name of the principal",
        f"set default_realm of krb5.conf to the principal's realm, or add a rule for it in {_CORE_SITE}",
    ),
    Fault(
        "hdfs-rpc-protection",
        ("No common protection layer between client and server",),
        "client and server do not agree on how calls are protected",
        f"set hadoop.rpc.protection to the cluster's value in {_CORE_SITE}",
    ),
    Fault(
        "hdfs-server-principal",
        ("Failed to specify server's Kerberos principal name",),
        "the client is not told the NameNode's principal",
        f"set dfs.namenode.kerberos.principal in {_HDFS_SITE}",
    ),
    Fault(
        "hdfs-server-principal",
        ("Server has invalid Kerberos principal: ",),
        "{namenode} has another principal than the client expects",
        f"set dfs.namenode.kerberos.principal in {_HDFS_SITE} to what it has, its whole name in place of _HOST; "
        "of several clusters dfs.namenode.kerberos.principal.pattern too",
    ),
    Fault(
        "hdfs-realm",
        ("Server not found in Kerberos database", "Fail to create credential", "No service creds"),
        "no KDC that the driver knows gives it a ticket for {namenode}",
        "correct the address, or ask the KDC's admin whether its realm is trusted; name that realm in krb5.conf",
        "GSS initiate failed",
    ),
    Fault(
        "hdfs-client-simple",
        ("SIMPLE authentication is not enabled",),
        "HDFS asks for Kerberos, and the client's configuration does not",
        f"set hadoop.security.authentication to kerberos in {_CORE_SITE}",
    ),
    Fault(
        "kerberos-ticket-ended",
        ("Failed to find any Kerberos tgt",),
        "the driver's ticket has ended, or is not valid yet",
        "set global.kerberos.keytab instead of global.kerberos.ticketCache, or have the cache renewed; compare the "
        "clocks if it is",
    ),
    Fault(
        "kerberos-not-logged-in",
        NO_TOKEN.signs,
        "the driver has neither a valid ticket nor a token",
        "set global.kerberos.principal and global.kerberos.keytab, or have global.kerberos.ticketCache renewed",
    ),
    Fault(
        "kdc-unreachable",
        (
            "Connection refused",
            "Cannot get a KDC reply",
            "Receive timed out",
            "onnect timed out",
            "onnection timed out",
            "No route to host",
            "PortUnreachableException",
            "UnknownHostException",
        ),
        "the KDC does not answer",
        "correct the KDC's name and port in krb5.conf, let the pods reach it (network.egress of spark-namespace), or "
        "ask the KDC's admin",
        _LOGIN,
    ),
    Fault(
        "kdc-unreachable",
        (
            "Mechanism level: Connection refused",
            "Mechanism level: Cannot get a KDC reply",
            "Mechanism level: Receive timed out",
        ),
        "the KDC does not answer",
        "correct the KDC's name and port in krb5.conf, let the pods reach it (network.egress of spark-namespace), or "
        "ask the KDC's admin",
        "GSS initiate failed",
    ),
    Fault(
        "token-ended",
        ("has expired", "can't be found in cache"),
        "a delegation token has ended, and no other took its place",
        "set global.kerberos.keytab instead of tokens; if it is set, see why the driver failed to update tokens",
        "InvalidToken",
    ),
    Fault(
        "hdfs-permission",
        ("Permission denied: user=",),
        "HDFS does not let {user} have {access} on {inode}",
        "ask HDFS's admin for that right, or set global.kerberos.principal and keytab of a principal that has it",
        "inode=",
    ),
    Fault(
        "kerberos-login",
        (_LOGIN,),
        "the login of {principal} at the KDC failed",
        "look at the lines after it in the driver's log, and check global.kerberos",
    ),
)
"""From what says most to what says least: the first that fits counts."""
UNREACHED = (
    Fault(
        "hdfs-unreachable",
        ("IllegalArgumentException: java.net.UnknownHostException: ",),
        "neither Hadoop's configuration nor the pod's DNS knows {namenode}",
        f"correct the address, or name the NameNodes of the nameservice in {_HDFS_SITE}",
    ),
    Fault(
        "hdfs-unreachable",
        (" failed on connection exception: ", " failed on socket timeout exception: ", "No Route to Host from "),
        "{namenode} takes no connection",
        "correct the address, let the pods reach it (network.egress of spark-namespace), or ask HDFS's admin",
    ),
)
"""Of a NameNode that an application itself asks: what spark-submit fetches from one is told by ``fetch_faults``."""


def unreached(error: str) -> Explained | None:
    """The NameNode that did not answer, if an error tells of one."""
    found = first_of(UNREACHED, error)
    return found[0].explained(found[1], _names(error)) if found else None


def namenode(error: str) -> str:
    """What a sentence calls the NameNode: with its address, if the error has one."""
    found = next((match for pattern in _NAMENODES if (match := pattern.search(error))), None)
    return " ".join(["the NameNode", *([":".join(filter(None, found.groups()))] if found else [])])


def fault_of(error: str) -> Explained | None:
    """The fault that an error tells of: an exception with its causes, or one line of it."""
    of_executor = _OF_EXECUTOR.search(error) is not None
    found = first_of((NO_TOKEN, *FAULTS) if of_executor else FAULTS, error)
    return found[0].explained(found[1], _names(error)) if found else None


def explained(fault: Fault, error: str, java: str = "") -> Explained:
    """A fault that an error has a sign of, with the names that it has."""
    return fault.explained(line_with(fault.sign_in(error), error), {"java": java, **_names(error)})


def _names(error: str) -> dict[str, str]:
    found, denied = _PRINCIPAL.search(error), _DENIED.search(error)
    user, access, inode = denied.groups() if denied else ("the user", "what it asks for", "a file")
    principal = found[1] if found else "the principal"
    return {"principal": principal, "user": user, "access": access, "inode": inode, "namenode": namenode(error)}
