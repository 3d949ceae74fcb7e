"""What Spark says where it does not get an application's dependencies, and what it means.

Dependencies are app.file, app.jars, app.files, app.pyFiles, app.archives and app.packages. What an application itself
reads is another matter: stack frames tell the two apart. Standard library and Python 3.8 only: see ``known_faults``.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterable, Sequence

from known_faults import Explained, Fault, first_of

MOST_NOTES = 20
"""Lines before an error that are looked at."""
_SUBMIT = "SparkSubmit.prepareSubmitEnvironment"
_START, _ADD = "SparkContext.<init>", "SparkContext.add"
_FRAME = re.compile(
    r"\s{1,8}at org\.apache\.spark\."
    r"(?:deploy\.SparkSubmit\.prepareSubmitEnvironment|SparkContext\.(?:<init>|addFile|addJar))\("
)
_NOTE = re.compile(
    r"\s{0,8}(?:Server access error at url |Host [^\s]{1,255} not found\. url=|SERVER ERROR: )"
    r"|.{0,200}SparkContext: Added (?:file|archive|JAR) "
)
FETCHES = "kindling: Spark fetches "
"""How spark-job's programs begin a line for each address that values name, with the name of the value at its end."""
_ADDED = "SparkContext: Added "
_UNRESOLVED = ("unresolved dependency: ", "download failed: ")
_ADDRESS = re.compile(r"\b(?!https?://wiki\.apache\.org/)[a-z][a-z0-9+.-]{0,31}://[^\s?,;\"'<>()\[\]]{1,300}")
"""Without what follows a "?": it may be long, and a signature."""
_USER = re.compile(r"(?<=://)[^\s/@]{1,300}@")
_FILES = (
    re.compile(r"can't open file '([^']{1,1024})'"),
    re.compile(r"Local jar (\S{1,1024}) does not exist"),
    re.compile(
        r"java\.io\.FileNotFoundException: (?:File )?(?:file:)?(\S{1,1024}?)"
        r"(?: does not exist| \(No such file or directory\)|$)"
    ),
    re.compile(r"java\.nio\.file\.NoSuchFileException: (\S{1,1024})"),
    re.compile(r"Input path does not exist: (\S{1,1024})"),
)
_OF_START = _FILES[:2]
"""What is said of an application's own file, by no exception."""
LIBRARIES = {
    "org.apache.hadoop.fs.s3a.S3AFileSystem": "hadoop-aws",
    "org.apache.hadoop.fs.azurebfs.AzureBlobFileSystem": "hadoop-azure",
    "org.apache.hadoop.fs.azurebfs.SecureAzureBlobFileSystem": "hadoop-azure",
    "org.apache.hadoop.fs.gs.GoogleHadoopFileSystem": "hadoop-gcp",
    "com.google.cloud.hadoop.fs.gcs.GoogleHadoopFileSystem": "gcs-connector",
}
"""Class of a file system -> what has it."""
_LIBRARY = re.compile(r"Class ([\w.]{1,128}) not found")
_CODE = re.compile(r"HTTP response code: (\d{3})\b")
_SETTINGS = re.compile(r"Ivy settings (?:file|from) (\S{1,1024})")
_HOSTS = (
    re.compile(r"UnknownHostException: ([\w.-]{1,255})(?=[:,;)]|$)", re.MULTILINE),
    re.compile(r"[Nn]ames? matching (?:IP address )?([\w.:-]{1,255}) found"),
    re.compile(r"Certificate for <([\w.:-]{1,255})> doesn't match"),
    re.compile(r"[Cc]onnect to ([\w.-]{1,255}:\d{1,5})\b"),
    re.compile(r" to ([\w.-]{1,255}:\d{1,5}) failed on "),
)
_SCHEME = re.compile(r"No FileSystem for scheme \"?([\w+.-]{1,64})")
_COORDINATES = re.compile(
    r"(?:unresolved dependency: |download failed: |The coordinate provided is: )([^\s,!\]]{1,300})"
)
_MOST_COORDINATES = _MOST_ADDRESSES = 3
_REPOSITORIES = "app.repositories"
_FETCHED = re.compile(r"kindling: Spark fetches (\S{1,1024}) \((app\.\w{1,32})\)")
A_DEPENDENCY = "a file of app.file, app.jars, app.pyFiles, app.files or app.archives"
_REACH = (
    "correct the address{in_value}, set global.proxy.url if an HTTP proxy is between, "
    "or let the pods reach it (network.egress of spark-namespace)"
)

FILE_NOT_FOUND = Fault(
    "file-not-found",
    ("FileNotFoundException: File file:", "NoSuchFileException: /"),
    "the file {path} does not exist where the driver looks for it",
    "correct app.file, or what else of app names it (local:// is a place in the image or a volume), or give the source "
    "by --set-file app.source",
    cure_of_conf="correct what names it in sparkConf (local:// is a place in the image or a volume)",
)
FAULTS = (
    Fault(
        "fetch-not-trusted",
        ("PKIX path building failed",),
        "no CA that Java knows has signed the certificate of the server of {address}",
        "set global.trust.configMap to the ConfigMap with the certificate of the server's CA",
    ),
    Fault(
        "fetch-other-name",
        (
            "No subject alternative ",
            "No name matching ",
            "doesn't match any of the subject alternative names",
        ),
        "the certificate of {host} is of other hosts, so Java does not fetch {address}",
        "write the name that the certificate has in the address, or ask the server's admin for another certificate",
    ),
    Fault(
        "fetch-expired",
        ("CertificateExpiredException", "CertificateNotYetValidException"),
        "the certificate of the server of {address} has expired, or is not valid yet",
        "ask the server's admin for a new certificate, or the cluster's admin whether the nodes' clocks are right",
    ),
    Fault(
        "fetch-no-tls",
        ("Unsupported or unrecognized SSL message",),
        "what answers at the address of {address} speaks no TLS",
        "write http:// in the address, or correct its port",
    ),
    Fault(
        "fetch-proxy",
        ("Unable to tunnel through proxy", "response code: 407 for URL: "),
        "the HTTP proxy refuses to pass on the request for {address}",
        "ask the proxy's admin to let it pass, or correct global.proxy.url",
    ),
    Fault(
        "fetch-tls",
        ("SSLHandshakeException", "SSLPeerUnverifiedException", "SSLException: Received fatal alert"),
        "the server of {address} and Java do not agree on TLS",
        "ask the server's admin whether it has TLS 1.2 or newer, and whether it asks clients for certificates",
    ),
    Fault(
        "packages-settings",
        ("requirement failed: Ivy settings file ", "Failed when loading Ivy settings from "),
        "Spark finds no settings of Ivy in {settings}",
        "set global.ivySettings to name and key of the Secret with ivysettings.xml, and no path in sparkConf",
        cure_of_conf="correct the path of spark.jars.ivySettings in sparkConf: a file of the image or of volumes",
    ),
    Fault(
        "packages-unreachable",
        ("Server access error at url ", " not found. url=", "SERVER ERROR: "),
        "the Maven repository of {address}, which is asked for {coordinates}, does not answer",
        "name a repository that the pods reach in app.repositories or global.ivySettings, "
        "or set global.proxy.url if an HTTP proxy is between",
        _UNRESOLVED[0],
        "name a repository that the pods reach by spark.jars.repositories in sparkConf, "
        "or set global.proxy.url if an HTTP proxy is between",
    ),
    Fault(
        "packages-not-found",
        _UNRESOLVED,
        "no Maven repository gives {coordinates}",
        "correct app.packages, or name the repository that has it, and its password, by app.repositories or "
        "global.ivySettings",
        cure_of_conf="correct spark.jars.packages in sparkConf, or name the repository that has it by "
        "spark.jars.repositories, or by spark.jars.ivySettings and its password",
    ),
    Fault(
        "packages-malformed",
        ("Provided Maven Coordinates must be in the form",),
        "{coordinates} is not of the form group:artifact:version",
        "correct app.packages",
        cure_of_conf="correct spark.jars.packages in sparkConf",
    ),
    Fault(
        "fetch-not-found",
        ("FileNotFoundException: http://", "FileNotFoundException: https://"),
        "the server has no {address} (HTTP 404 or 410)",
        "correct the address{in_value}",
    ),
    Fault(
        "fetch-denied",
        ("response code: 401 for URL: ", "response code: 403 for URL: "),
        "the server does not give {address} without a login: Spark sends no credentials over HTTP",
        "put it into S3 (global.s3.secret) or a Maven repository (global.ivySettings), or fetch it in "
        "driver.initContainers with a Secret",
        cure_of_conf="put it into S3 (global.s3.secret), or fetch it in driver.initContainers with a Secret",
    ),
    Fault(
        "fetch-server-error",
        ("Server returned HTTP response code: 5", "response code: 429 for URL: "),
        "the server of {address} has a problem, or too much to do (HTTP {code})",
        "run it again, or ask the server's admin",
    ),
    Fault(
        "fetch-refused",
        ("Server returned HTTP response code: ",),
        "the server refuses the request for {address} (HTTP {code})",
        "correct the address{in_value}, or ask the server's admin",
    ),
    Fault(
        "fetch-no-credentials",
        ("NoAuthWithAWSException", "No AWS Credentials provided"),
        "the driver has no credentials for {address}",
        "set global.s3.secret.name to the Secret with an AWS credentials file, or AWS_ACCESS_KEY_ID and "
        "AWS_SECRET_ACCESS_KEY from a Secret in driver.env, executor.env and, in mode cluster, submitter.env",
        cure_of_conf="set global.s3.secret.name to the Secret with an AWS credentials file, or AWS_ACCESS_KEY_ID and "
        "AWS_SECRET_ACCESS_KEY from a Secret in driver.env and executor.env",
    ),
    Fault(
        "fetch-no-bucket",
        ("UnknownStoreException", "NoSuchBucket"),
        "the object store has no such bucket: {address}",
        "correct the bucket's name, or global.s3.endpoint",
    ),
    Fault(
        "fetch-denied",
        ("AccessDeniedException: s3a://",),
        "the object store does not let the driver read {address} (HTTP 403)",
        "correct the keys in the Secret that global.s3.secret names, or ask for the right to read it",
    ),
    Fault(
        "fetch-not-found",
        ("No such file or directory: s3a://",),
        "the bucket has no {address}",
        "correct the address{in_value}",
    ),
    Fault(
        "fetch-not-found",
        ("File does not exist: hdfs://", "FileNotFoundException: File hdfs://"),
        "HDFS has no {address}",
        "correct the address{in_value}",
    ),
    FILE_NOT_FOUND,
    Fault(
        "fetch-archive",
        ("ZipException", "not in gzip format", "does not look like a tar archive", "Error reading Zip content"),
        "{address} is no archive of the kind that its name ends with, or is broken",
        "make it anew and look at what the server gives; .zip, .jar, .tar.gz, .tgz and .tar are unpacked",
    ),
    Fault(
        "class-not-found",
        tuple(f"Class {name} not found" for name in LIBRARIES),
        "the class {class_name} is not on the class path, so Spark does not fetch {address}",
        "set image to one with {library}; in mode cluster it may be in app.packages instead",
        cure_of_conf="set image to one with {library}",
    ),
    Fault(
        "fetch-scheme",
        ('No FileSystem for scheme "s3"', 'No FileSystem for scheme "s3n"'),
        "Hadoop reads S3 by s3a://, not by {scheme}://",
        "write s3a:// in the address",
    ),
    Fault(
        "fetch-scheme",
        ("No FileSystem for scheme ",),
        "the image has nothing that reads {scheme}://",
        "write an address of https://, s3a:// or hdfs://, or set image to one that has the file system's jar",
    ),
    Fault(
        "fetch-host-unknown",
        ("IllegalArgumentException: java.net.UnknownHostException: ",),
        "neither Hadoop's configuration nor the pod's DNS knows {host}, where Spark looks for {address}",
        "correct the address{in_value}, or set global.hadoop.configMap to the ConfigMap with hdfs-site.xml, which "
        "names the NameNodes of a nameservice",
    ),
    Fault(
        "fetch-host-unknown",
        ("UnknownHostException: ",),
        "the pod's DNS knows no host {host}, where Spark looks for {address}",
        _REACH,
    ),
    Fault(
        "fetch-unreachable",
        ("Connection refused", "onnect timed out", "onnection timed out", "No route to host", "Network is unreachable"),
        "{host} takes no connection for {address}",
        _REACH,
    ),
    Fault(
        "fetch-unreachable",
        ("Read timed out",),
        "{host} takes a connection for {address}, but does not answer",
        _REACH,
    ),
    Fault(
        "fetch-unreachable",
        ("Connection reset", "Unexpected end of file from server", "Error writing to server", "Broken pipe"),
        "{host} ends the connection by which Spark asks for {address}",
        "run it again; if it recurs, correct the address's port, or ask the server's admin (it may want a certificate "
        "of clients)",
    ),
)
"""From what says most to what says least: the first that fits counts."""


def is_frame(line: str) -> bool:
    """Whether a line is a stack frame by which ``fault_of`` tells who asked for a file."""
    return _FRAME.match(line) is not None


def is_note(line: str) -> bool:
    """Whether a line before an error says more of it: which repository did not answer, which file was next."""
    return _NOTE.match(line) is not None


def notes_of(lines: Iterable[str]) -> list[str]:
    """The last of such lines: those of values, which stand before all others, and the rest."""
    values: deque[str] = deque(maxlen=MOST_NOTES)
    others: deque[str] = deque(maxlen=MOST_NOTES)
    for line in lines:
        if line.startswith(FETCHES):
            values.append(line)
        elif is_note(line):
            others.append(line)
    return [*values, *others]


def fault_of(error: str, notes: Sequence[str] = ()) -> Explained | None:
    """The fault that an error tells of: an exception with its causes and the frames of it, and lines before it."""
    if not _of_dependencies(error):
        return None
    unresolved = any(words in error for words in _UNRESOLVED)
    text = "\n".join([*(note for note in notes if _ADDED not in note), error]) if unresolved else error
    found = first_of(FAULTS, text)
    return found[0].explained(found[1], _names(found[1], text, notes)) if found else None


def missing_file(lines: Sequence[str], *, of_start: bool = False) -> Explained | None:
    """The file of the image or a volume that lines say is not there; ``of_start``: without what exceptions say."""
    for pattern in _OF_START if of_start else _FILES:
        for line in reversed(lines):
            if pattern.search(line):
                return FILE_NOT_FOUND.explained(line.strip(), _names(line, line, ()))
    return None


def _of_dependencies(error: str) -> bool:
    """Whether spark-submit or the start of a SparkContext asked for what was not there."""
    frames = [line for line in error.splitlines() if is_frame(line)]
    has_start, has_add = (any(place in frame for frame in frames) for place in (_START, _ADD))
    return (has_start and has_add) or any(_SUBMIT in frame for frame in frames)


def _names(line: str, text: str, notes: Sequence[str]) -> dict[str, str]:
    """What the error names, from its line, else from the whole of it, else from what was done before."""
    added = [note.partition(_ADDED)[2] for note in notes[-1:] if _ADDED in note] if _START in text else []
    addresses = (_ADDRESS.search(words) for words in (line, text, *added))
    told = next((_USER.sub("", found[0].rstrip(":.")) for found in addresses if found), "")
    host = next((found for pattern in _HOSTS if (found := pattern.search(text))), None)
    address, in_value = _with_value(told, host[1] if host else "", notes)
    scheme, code, settings, library = (pattern.search(line) for pattern in (_SCHEME, _CODE, _SETTINGS, _LIBRARY))
    path = next((found for pattern in _FILES if (found := pattern.search(line))), None)
    coordinates = dict.fromkeys(name.replace("#", ":").replace(";", ":") for name in _COORDINATES.findall(text))
    return {
        "address": address,
        "in_value": in_value,
        "host": host[1] if host else "the server",
        "scheme": scheme[1] if scheme else "it",
        "code": code[1] if code else "error",
        "settings": settings[1] if settings else "the file",
        "path": path[1] if path else "of app",
        "class_name": library[1] if library else "of its file system",
        "library": LIBRARIES.get(library[1], "its file system") if library else "its file system",
        "coordinates": ", ".join([name.rstrip(":") for name in coordinates][:_MOST_COORDINATES]) or "a package",
    }


def _with_value(told: str, host: str, notes: Sequence[str]) -> tuple[str, str]:
    """An address with the value that names it, and " in VALUE", as far as an error and the lines of _FETCHED say.

    Where the error tells no address, those that it may be of: of its host, if it tells that.
    """
    named = {found[1]: found[2] for found in map(_FETCHED.match, notes) if found}
    if told:
        value = next((value for address, value in named.items() if _is_of(told, address, value)), "")
        return (f"{told} of {value}", f" in {value}") if value else (told, "")
    files = {address: value for address, value in named.items() if value != _REPOSITORIES}
    may_be = {address: value for address, value in files.items() if host and f"//{host}" in address} or files
    if not may_be:
        return A_DEPENDENCY, ""
    listed = [f"{address} of {value}" for address, value in may_be.items()]
    others = [f"{len(listed) - _MOST_ADDRESSES} others"] if len(listed) > _MOST_ADDRESSES else []
    names = " or ".join(dict.fromkeys(may_be.values()))
    return f"{'one of ' if len(listed) > 1 else ''}{', '.join(listed[:_MOST_ADDRESSES] + others)}", f" in {names}"


def _is_of(told: str, address: str, value: str) -> bool:
    return told.startswith(address.rstrip("/")) if value == _REPOSITORIES else told == address
