"""What others wrote takes bounded time and memory to read, and ends in an answer or in the error that is documented.

Times are bounds that a linear reader keeps a hundred times over; what they replaced took minutes.
"""

from __future__ import annotations

import contextlib
import gzip
import importlib
import json
import pkgutil
import re
import socket
import threading
import time
from base64 import b64encode
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import last_error
import pytest
import refusal
from hypothesis import given, settings
from hypothesis import strategies as st
from kubernetes import client

import kindling
import spark_ui_proxy
from kindling import driver_log, foreign, limits, paging, releases
from kindling.causes import explain, waiting
from kindling.causes.refused import explain_refusal
from kindling.connection import Connection, answers, message_of
from kindling.deadline import within
from kindling.errors import KindlingError
from kindling.facts import Container, Evidence, Pod, Run
from kindling.reader import LOG_BYTES, Reader
from kindling.tokens import Token

LONG_S = 2.0
LENGTH = 64 * 1024
"""More than is read of a message."""
WORDS = (
    "admission webhook ", "ValidatingAdmissionPolicy ", " denied ", " denied request: ", "pods", "networkpolicies",
    "statefulsets", ' "x" is forbidden: ', " is forbidden: ", "exceeded quota: a", ", requested: ", ", used: ",
    ", limited: ", "failed quota: a", ": must specify ", 'violates PodSecurity "',
    "'kindling-guard-a' denied request: ",
    " allowed: ", " (guard.secrets", "error looking up service account a/", 'User "', '" cannot ', 'resource "',
    "minimum cpu usage per Container is ", 'resources.requests: Invalid value: "1', "Message: ", ". Received status: ",
    "Failure executing: POST at: https://a/b", ". Received status: Status(", ", metadata=ListMeta(", "code=422",
    'Pod "a" is invalid: ', 'spec.a: Invalid value: "', "[spec.a[0].b: Required value", "the API server answered ",
    "the driver does not start: A: ", 'image "a', "kindling: Spark fetches a", " (app.jars)", "spark-drv-0",
    "-driver-pvc-1",
    "; trying again in ", "The executor with id ", "Max number of executor failures (1",
    "Traceback (most recent call last):", 'Exception in thread "', "aError", "a.b.", "Caused by: ",
    "can't open file '", "java.io.FileNotFoundException: File ",
    "Failed to load class a.", "ClassNotFoundException: ", "untolerated taint {", "Insufficient .", 'secret "',
    "{", "[",
    "26/11/21 08:02:33 ERROR ", '{"level":', " ", "\t", ":", ".", "a", "1", "\n", "'", '"', "/", "%41", "$(A", "\x1b[",
)  # fmt: skip
"""What the parsers look for, again and again and in any order."""


@contextlib.contextmanager
def soon(what: object = "") -> Iterator[None]:
    """It takes no more of the processor than a linear reader would, a hundred times over."""
    begin = time.process_time()
    yield
    assert time.process_time() - begin < LONG_S, f"{what} takes {time.process_time() - begin:.1f} s"


def modules() -> Iterator[Any]:
    """All that reads text of a cluster, of a log or of a request."""
    for package in (kindling, spark_ui_proxy):
        for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if not found.name.endswith("__main__"):
                yield importlib.import_module(found.name)
    yield from (last_error, refusal)


def patterns() -> Iterator[tuple[str, re.Pattern[Any]]]:
    """Every regular expression of those modules."""
    for module in modules():
        left: list[Any] = list(vars(module).values())
        while left:
            value = left.pop()
            if isinstance(value, re.Pattern):
                yield f"{module.__name__}: {value.pattern!r}"[:80], value
            elif isinstance(value, tuple):
                left += value


PATTERNS = sorted(dict(patterns()).items())


def test_the_regular_expressions_are_found() -> None:
    assert len(PATTERNS) > 25
    assert any("exceeded quota" in name for name, _ in PATTERNS)


@pytest.mark.parametrize("pattern", [pytest.param(pattern, id=name) for name, pattern in PATTERNS])
def test_a_regular_expression_takes_one_pass(pattern: re.Pattern[Any]) -> None:
    own = re.findall(r"[\w '\"(:.,-]{2,}", str(pattern.pattern).replace("\\", ""))
    for word in {*own, *"a1 .:/[{('\"\\%", "\t", "\n"}:
        for text in (word * (LENGTH // len(word)), own[0] + word * (LENGTH // len(word)) if own else ""):
            for given_text in (text, f"{text}\n\0"):
                whole: Any = given_text.encode() if isinstance(pattern.pattern, bytes) else given_text
                with soon(word):
                    pattern.search(whole)


READERS: dict[str, Callable[[str], Any]] = {
    "the cause of a refusal": lambda text: explain_refusal("driver", text, Evidence("", text)),
    "refusals in a log": lambda text: driver_log.refusals(driver_log.plain(text.splitlines())),
    "a failed run": lambda text: explain(failed(text)),
    "a waiting pod": lambda text: [waiting.explain_waiting(pod) for pod in waiting_pods(text)],
    "the last error of a driver": lambda text: last_error.LastError().read(text),
    "a termination message": last_error.printable,
    "a refusal in a driver's log": refusal.refusal_of,
    "an error of the API server": lambda text: message_of(client.ApiException(http_resp=None, reason=text)),
}


def failed(text: str) -> Run:
    """A run that failed, whose log and pod say one thing."""
    container = Container("driver", state="terminated", reason="Error", message=text, exit_code=1)
    pod = Pod("driver", "driver", "Failed", containers=(container,))
    return Run("run", "team", drivers=(pod, pod), log=tuple(driver_log.plain(text.splitlines())), log_of="driver")


def waiting_pods(text: str) -> Iterator[Pod]:
    """Pods that wait, each for another reason, of which the cluster says one thing."""
    yield Pod("driver", "driver", "Pending", unscheduled=f"Unschedulable: {text}")
    for reason in ("ImagePullBackOff", "CreateContainerConfigError", "RunContainerError"):
        container = Container("driver", image=text, state="waiting", reason=reason, message=text)
        yield Pod("driver", "driver", "Pending", containers=(container,))


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize(
    "words",
    [
        ("admission webhook ",),
        ("ValidatingAdmissionPolicy ",),
        ("pods admission webhook ", " denied"),
        ("exceeded quota: a", ", requested: ", ", used: "),
        ("'kindling-guard-a' denied request: ", " allowed: ", " (guard.a"),
        ("pods is forbidden: Message: ", ". Received status:"),
        ("Failure executing: POST at: https://a/b", ". Message: "),
        ('Pod "a" is invalid: ', 'spec.a: Invalid value: "', "b"),
        ("the driver does not start: A: ", 'image "a'),
    ],
    ids=lambda words: words[0].strip()[:20],
)
def test_words_again_and_again_take_one_pass(reader: str, words: tuple[str, ...]) -> None:
    text = "".join(word * (LENGTH // len(words) // len(word)) for word in words)
    with soon(reader):
        READERS[reader](text)


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("deep", ["[" * 50_000, '{"level":' * 50_000, '{"level":' + "[" * 50_000 + "]" * 50_000 + "}"])
def test_deep_json_is_text_to_its_readers(reader: str, deep: str) -> None:
    with soon(reader):
        READERS[reader](deep)


@pytest.mark.parametrize("reader", READERS)
@settings(max_examples=150, deadline=None)
@given(st.data())
def test_no_text_makes_a_reader_fail(reader: str, data: st.DataObject) -> None:
    word = st.sampled_from(WORDS) | st.text(max_size=8)
    pieces = data.draw(st.lists(st.tuples(word, st.integers(1, 300)), max_size=8))
    with soon(reader):
        READERS[reader]("".join(text * count for text, count in pieces))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(
        st.sampled_from(["level", "message", "msg", "ts", "logger", "exception", "pods"]), inner, max_size=6),
    max_leaves=12,
)  # fmt: skip


@settings(deadline=None)
@given(JSON)
def test_no_json_makes_a_reader_of_lines_fail(value: Any) -> None:
    entry: dict[str, Any] = {"level": "ERROR", "message": value}
    line = json.dumps(entry | (value if isinstance(value, dict) else {}))
    assert driver_log.plain([line])
    last_error.LastError().read(line)
    assert isinstance(refusal.refusal_of(line), str)


def test_a_refusal_that_is_long_keeps_its_beginning() -> None:
    words = f'admission webhook "policy.example" denied the request: {"no " * 10_000}'
    (told,) = driver_log.refusals(driver_log.plain([f"x: {words}"]))
    assert told.startswith('admission webhook "policy.example" denied the request: no no')
    assert len(told) <= foreign.LONGEST + 2


@settings(deadline=None)
@given(JSON)
def test_shallow_json_stays_as_it_is(value: Any) -> None:
    text = json.dumps(value).encode()
    assert foreign.shallow(text) == text


@pytest.mark.parametrize("levels", [101, 250, 5_000, 20_000])
def test_deep_json_is_read_without_what_stands_too_deep(levels: int) -> None:
    deep = '{"a":' * levels + "1" + "}" * levels
    text = f'{{"a \\" {{[": "}}]\\\\", "deep": {deep}, "list": [{deep}, 2], "after": [1, {{"b": "{{"}}]}}'
    with soon():
        found = json.loads(foreign.shallow(text.encode()))
    assert found['a " {['] == "}]\\"
    assert found["list"][1] == 2
    assert found["after"] == [1, {"b": "{"}]


@settings(deadline=None)
@given(st.binary(max_size=300) | st.lists(st.sampled_from([b"[", b"]", b"{", b"}", b'"', b"\\", b"a"])).map(b"".join))
def test_no_bytes_make_the_reader_of_depth_fail(text: bytes) -> None:
    foreign.shallow(text * 300)


@settings(deadline=None)
@given(st.binary(max_size=2000))
def test_what_gzip_packed_is_unpacked(content: bytes) -> None:
    assert foreign.unpacked(gzip.compress(content), 2000) == content


def test_a_bomb_of_gzip_is_not_unpacked() -> None:
    bomb = gzip.compress(b"\0" * (100 * 1024 * 1024), compresslevel=1)
    with soon(), pytest.raises(ValueError, match="more than 1048576 bytes when unpacked"):
        foreign.unpacked(bomb, 1024 * 1024)


def item(content: object) -> Any:
    """A ConfigMap as helm (or somebody) writes a record into it."""
    packed = content if isinstance(content, bytes) else gzip.compress(json.dumps(content).encode())
    meta = client.V1ObjectMeta(
        name="sh.helm.release.v1.x.v1", namespace="team", creation_timestamp=datetime.now(UTC), resource_version="1"
    )
    return client.V1ConfigMap(metadata=meta, data={"release": b64encode(packed).decode()})


def record(manifest: str, **changes: object) -> dict[str, object]:
    """What a record holds."""
    return {"name": "x", "version": 1, "info": {"status": "deployed"}, "manifest": manifest, **changes}


def read(content: object) -> releases.Record:
    """The record and its objects."""
    found = releases._record("configmap", item(content))
    found.held()
    return found


LAUGHS = "a: &a0 [x, x]\n" + "".join(f"b{n}: &a{n} [*a{n - 1}, *a{n - 1}, *a{n - 1}]\n" for n in range(1, 40))
MERGES = "a: &m0 {x: 1, y: 2}\n" + "".join(
    f"b{n}: &m{n} {{<<: [*m{n - 1}, *m{n - 1}, *m{n - 1}]}}\n" for n in range(1, 40)
)


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (gzip.compress(b"[" * 100_000), "nested too deeply"),
        (gzip.compress(b"\0" * (releases.MOST_UNPACKED + 1)), "when unpacked"),
        (gzip.compress(b"{}")[:-12], "its end is missing"),
        (b"no gzip", "not packed by gzip"),
        (gzip.compress(b"no json"), "Expecting value"),
        ({"name": "x"}, "it has no info"),
        (record("", version="1"), "it has no version"),
        (record("", info={"status": ["deployed"]}), "it has no status"),
        (record("a: " + "[" * 5_000), "nested too deeply"),
        (record("a: [}"), "it holds no YAML"),
        (record("a" * 2_000_000), "more than 1048576 characters"),
        (record(LAUGHS), "too many fields"),
        (record(MERGES), "too many fields"),
        (record("a: &a [*a]"), "too many fields"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_no_record_of_helms_is_told_in_a_line(content: object, why: str) -> None:
    with soon(why), pytest.raises(releases.UnreadableError) as told:
        read(content)
    assert why in str(told.value)
    assert "configmap sh.helm.release.v1.x.v1 in team" in str(told.value)
    assert "\n" not in str(told.value)


def test_a_record_of_helms_is_read() -> None:
    manifest = "---\napiVersion: v1\nkind: Service\nmetadata: {name: a}\n---\nmetadata: 1\nkind: [x]\napiVersion: 2\n"
    assert [str(held) for held in read(record(manifest)).held()] == ["Service/a (v1)", "['x']/ (2)"]


@settings(deadline=None)
@given(JSON | st.text(max_size=40).map(record) | st.binary(max_size=60))
def test_nothing_in_a_record_but_the_error_that_is_told(content: object) -> None:
    with contextlib.suppress(releases.UnreadableError):
        read(content)


@settings(deadline=None)
@given(st.text(max_size=200) | JSON.map(lambda value: f"a.{b64encode(json.dumps(value).encode()).decode()}.b"))
def test_no_text_makes_the_reader_of_tokens_fail(text: str) -> None:
    told = None
    try:
        Token.parse(text).as_exec_credential()
    except ValueError as error:
        told = str(error)
    assert told in (None, "not a service account's token with an end")


def test_a_deep_token_is_none() -> None:
    deep = b64encode(b"[" * 100_000).decode()
    with pytest.raises(ValueError, match="not a service account's token"):
        Token.parse(f"a.{deep}.b")


def test_a_quantity_that_fills_memory_is_not_counted() -> None:
    for huge in ("1e999999999", "1E999999999", "NaN", "Infinity", "9" * 5_000):
        message = f"exceeded quota: q, requested: pods=1, used: pods=1, limited: pods={huge}"
        with soon(huge):
            assert "left ?" in explain_refusal("driver", message, Evidence("", "")).cause


def log_of(text: bytes, most_lines: int = 3000) -> tuple[list[str], list[int]]:
    """What is read of a container that printed that, and how many lines were asked for."""
    asked = []

    def read_log(*_: object, tail_lines: int, limit_bytes: int, **__: object) -> Any:
        # As the kubelet counts: lines from the end, then bytes from there on.
        asked.append(tail_lines)
        return SimpleNamespace(data=b"".join(text.splitlines(keepends=True)[-tail_lines:])[:limit_bytes])

    reader = Reader(Connection(client.ApiClient(), "team"))
    reader._core = SimpleNamespace(read_namespaced_pod_log=read_log)
    return reader.log("driver", "driver", most_lines), asked


def test_a_long_log_is_read_from_its_end() -> None:
    lines, asked = log_of(b"".join(b"%d %s\n" % (number, b"x" * 2_000) for number in range(3000)))
    assert lines[-1].startswith("2999 ")
    assert asked == [3000, 300]
    assert sum(map(len, lines)) <= LOG_BYTES


def test_a_line_without_an_end_is_cut() -> None:
    lines, asked = log_of(b"x" * (3 * LOG_BYTES))
    assert asked == [3000, 300, 30, 3, 1]
    assert len(driver_log.plain(lines)[0]) <= foreign.LONGEST + 2


def test_stack_traces_in_json_make_no_millions_of_lines() -> None:
    line = json.dumps({"level": "ERROR", "message": "x", "exception": "\n" * 500_000})
    assert len(driver_log.plain([line] * 8)) == driver_log.MOST_LINES


def test_a_page_that_is_too_large_is_asked_for_in_smaller_ones() -> None:
    asked = []

    def listing(limit: int, _continue: str = "0", **_: object) -> Any:
        asked.append(limit)
        if limit > 5:
            raise limits.TooLargeError("too large")
        start = int(_continue)
        meta = SimpleNamespace(_continue=str(start + limit) if start + limit < 12 else None)
        return SimpleNamespace(items=list(range(start, min(start + limit, 12))), metadata=meta)

    assert list(paging.items(listing, most=100)) == list(range(12))
    assert asked == [500, 50, 5, 5, 5]
    with pytest.raises(paging.TooManyError):
        list(paging.items(listing, most=10))


@contextlib.contextmanager
def hostile_server(answer: Callable[[socket.socket], None]) -> Iterator[Connection]:
    """What listens on this machine in place of an API server, and answers each request in a way of its own."""
    listener = socket.create_server(("127.0.0.1", 0))
    over = threading.Event()

    def serve() -> None:
        listener.settimeout(0.2)
        while not over.is_set():
            try:
                peer, _ = listener.accept()
            except TimeoutError:
                continue
            with peer:
                peer.settimeout(5)
                try:
                    peer.recv(65536)
                    answer(peer)
                except OSError:
                    pass

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    configuration = client.Configuration(host=f"http://127.0.0.1:{listener.getsockname()[1]}")
    configuration.retries = 0
    api = client.ApiClient(configuration)
    limits.bound_answers(api)
    try:
        yield Connection(api, "team")
    finally:
        over.set()
        thread.join()
        listener.close()


HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n"


def test_an_answer_without_an_end_is_given_up() -> None:
    def flood(peer: socket.socket) -> None:
        peer.sendall(HEAD + b"\r\n")
        for _ in range(2 * limits.MOST_BYTES // 65536):
            peer.sendall(b"[" * 65536)

    with hostile_server(flood) as connection, pytest.raises(KindlingError, match="more than 32 MiB"):
        Reader(connection).pod("driver")


def test_an_answer_that_trickles_ends_with_the_command() -> None:
    def trickle(peer: socket.socket) -> None:
        peer.sendall(HEAD + b"\r\n")
        for _ in range(100):
            peer.sendall(b" ")
            time.sleep(0.05)

    begin = time.monotonic()
    with hostile_server(trickle) as connection:
        with pytest.raises(KindlingError, match="no answer within 1 s"), within(1), answers(connection):
            Reader(connection).pod("driver")
        assert time.monotonic() - begin < 4


@pytest.mark.parametrize(
    "body", [b"[" * 100_000, b'{"a":' * 100_000 + b"1" + b"}" * 100_000, b"no json", b"\xff\xfe", b"{}", b"[]", b"1"]
)
def test_an_answer_that_is_no_object_is_an_error_of_one_line(body: bytes) -> None:
    def send(peer: socket.socket) -> None:
        peer.sendall(HEAD + b"Content-Length: %d\r\n\r\n%b" % (len(body), body))

    with hostile_server(send) as connection, soon():
        with pytest.raises(KindlingError) as told, answers(connection):
            Reader(connection).pods("a=b")
        assert "\n" not in str(told.value)
        assert len(str(told.value)) < 1000
