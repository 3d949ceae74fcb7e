"""The JSON API: what scripts ask, and that its OpenAPI document says what it does."""

from __future__ import annotations

import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import fields
from typing import Any

import pytest
from answers import Answer
from jsonschema import Draft202012Validator
from page_world import BASE, World, application, finished, serving

from spark_ui_proxy.config import Config, Hosts
from spark_ui_proxy.index import Target
from spark_ui_proxy.query import SORTS, STATES, Query


def ask(world: World, path: str, *, method: str = "GET", **headers: str) -> Answer:
    """Ask for a path below `/-/`."""
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    request = urllib.request.Request(f"{world.url}-/{path}", method=method, headers=sent)
    try:
        with urllib.request.urlopen(request) as answer:
            return Answer.of(answer)
    except urllib.error.HTTPError as error:
        return Answer.of(error)


def check(world: World, name: str, body: Any) -> None:
    """A body is what the document calls by a name."""
    document = ask(world, "openapi.json").json
    schema = {**document, "$ref": f"#/components/schemas/{name}"}
    Draft202012Validator(schema, format_checker=Draft202012Validator.FORMAT_CHECKER).validate(body)


@pytest.fixture
def full(world: World) -> World:
    """Some of everything."""
    world.put(
        application("flights"),
        application("waits", state="pending", target=None, executors=0),
        application("broken", state="failed", target=None, namespace="team-b", user=""),
        application("twice", disputed=True, problem="no port", target=None),
    )
    world.finish("team-a", finished("yesterday") | finished("killed", completed=False, attempt="1"))
    world.finish("team-b", finished("weekly", user="bob"), "does not answer in time")
    return world


def test_every_answer_is_what_the_document_says(full: World) -> None:
    found = ask(full, "api/v1/applications")
    check(full, "ApplicationList", found.json)
    assert found.json["total"] == 7
    for item in found.json["items"]:
        one = ask(full, f"api/v1/applications/{item['namespace']}/{item['id']}")
        check(full, "Application", one.json)
        assert one.json == item
    check(full, "NamespaceList", ask(full, "api/v1/namespaces").json)


def test_the_document_is_openapi_whose_references_resolve(world: World) -> None:
    document = ask(world, "openapi.json").json
    assert document["openapi"] == "3.1.0"
    assert document["servers"] == [{"url": BASE}]
    for schema in document["components"]["schemas"].values():
        Draft202012Validator.check_schema(schema)
    for reference in _references(document):
        place = document
        for part in reference.removeprefix("#/").split("/"):
            place = place[part]


def _references(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        yield from ([node["$ref"]] if "$ref" in node else [])
        node = list(node.values())
    if isinstance(node, list):
        for item in node:
            yield from _references(item)


def test_the_document_names_the_queries_that_are_answered(world: World) -> None:
    document = ask(world, "openapi.json").json
    parameters = {raw["name"]: raw for raw in document["paths"]["/-/api/v1/applications"]["get"]["parameters"]}
    assert set(parameters) == {item.name for item in fields(Query)}
    assert set(parameters["state"]["schema"]["enum"]) == set(STATES)
    assert parameters["sort"]["schema"]["pattern"] == f"^-?({'|'.join(SORTS)})$"
    for state in STATES:
        assert ask(world, f"api/v1/applications?state={state}").status == 200
    for sort in SORTS:
        assert ask(world, f"api/v1/applications?sort={sort}").status == 200


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("namespace=team-b", {"broken", "weekly"}),
        ("user=bob", {"weekly"}),
        ("state=live", {"flights", "waits", "twice"}),
        ("state=finished&namespace=team-a", {"yesterday", "killed"}),
        ("q=TEAM-B+weekly", {"weekly"}),
        ("q=ended", {"yesterday", "weekly"}),
        ("namespace=none", set()),
    ],
)
def test_a_query_finds(full: World, query: str, names: set[str]) -> None:
    found = ask(full, f"api/v1/applications?{query}").json
    assert {item["name"] for item in found["items"]} == names
    assert found["total"] == len(names)


def test_pages_hold_each_application_once(full: World) -> None:
    pages = [ask(full, f"api/v1/applications?limit=3&page={page}").json for page in (1, 2, 3, 9)]
    assert [len(page["items"]) for page in pages] == [3, 3, 1, 1]
    assert [page["page"] for page in pages] == [1, 2, 3, 3]
    assert len({item["id"] for page in pages for item in page["items"]}) == 7


@pytest.mark.parametrize(
    ("path", "status", "says"),
    [
        ("applications?sort=colour", 400, "sort is 'colour'"),
        ("applications?state=lost", 400, "state is 'lost'"),
        ("applications?limit=501", 400, "limit is '501': a number from 1 to 500 is expected"),
        ("applications?page=-1", 400, "page is '-1'"),
        ("applications?nmspace=a", 400, "nmspace is not known"),
        (f"applications?q={'a' * 201}", 400, "q has 201 characters"),
        ("applications?q=a+b+c+d+e+f+g+h+i", 400, "q has 9 words"),
        ("applications/team-a/nobody", 404, "no application nobody in namespace team-a"),
        ("applications/kube-system/nobody", 404, "no application nobody in namespace kube-system"),
        ("jobs", 404, "/-/openapi.json"),
    ],
)
def test_an_error_is_a_problem_in_a_line(world: World, path: str, status: int, says: str) -> None:
    answer = ask(world, f"api/v1/{path}")
    assert (answer.status, answer.headers["content-type"]) == (status, "application/problem+json; charset=utf-8")
    check(world, "Problem", answer.json)
    assert says in answer.json["detail"]
    assert "\n" not in answer.json["detail"]


def test_nothing_is_changed_by_it(world: World) -> None:
    for method in ("POST", "PUT", "DELETE", "PATCH"):
        assert ask(world, "api/v1/applications", method=method).status == 405


def test_who_is_not_known_has_to_say_who_they_are(world: World) -> None:
    world.person.logged_in = False
    for path in ("applications", "applications/team-a/x", "namespaces"):
        answer = ask(world, f"api/v1/{path}")
        assert (answer.status, answer.headers["www-authenticate"]) == (401, "Bearer")
        check(world, "Problem", answer.json)


def test_applications_of_other_namespaces_are_as_if_they_were_not_there(full: World) -> None:
    theirs = ask(full, "api/v1/applications?namespace=team-b").json["items"][0]
    full.person.namespaces = {"team-a"}
    assert ask(full, f"api/v1/applications/team-b/{theirs['id']}").status == 404
    found = ask(full, "api/v1/applications").json
    assert {item["namespace"] for item in found["items"]} == {"team-a"}
    assert sum(found["states"].values()) == found["total"] == 5
    assert [item["name"] for item in ask(full, "api/v1/namespaces").json["items"]] == ["team-a"]


def test_an_etag_holds_until_something_happens_and_is_the_same_from_every_replica(world: World) -> None:
    live = application("flights")
    world.put(live)
    tag = ask(world, "api/v1/applications").headers["etag"]
    assert ask(world, "api/v1/applications", If_None_Match=tag).status == 304
    with serving(Config(base_path=BASE)) as other:
        for name in ("came", "went"):
            passing = application(name, namespace="team-c")
            other.put(passing)
            other.remove(passing)
        other.put(live)
        assert ask(other, "api/v1/applications").headers["etag"] == tag
    world.put(application("another"))
    assert ask(world, "api/v1/applications", If_None_Match=tag).status == 200


def test_the_shared_history_is_seen_by_those_alone_who_see_everything() -> None:
    with serving(Config(base_path=BASE, shared_history="kindling-system")) as world:
        old = finished("old")
        world.finish("kindling-system", old)
        assert ask(world, "api/v1/applications").json["total"] == 0
        world.person.everything = True
        (item,) = ask(world, "api/v1/applications").json["items"]
        app_id = next(iter(old))
        assert item["namespace"] == "shs"
        assert item["links"]["history"] == f"{BASE}/shs/history/{app_id}/jobs/"
        assert ask(world, f"api/v1/applications/shs/{app_id}").json == item
        live = application("old", app_id=app_id)
        world.put(live)
        (item,) = ask(world, "api/v1/applications").json["items"]
        assert (item["namespace"], item["state"]) == ("team-a", "running")


def test_in_host_mode_links_lead_to_the_namespaces_own_host() -> None:
    hosts = Hosts("namespace", "spark.example.com")
    with serving(Config(base_path=BASE, hosts=hosts)) as world:
        live = application("flights", target=Target("uid", "127.0.0.1", 1))
        world.put(live)
        (item,) = ask(world, "api/v1/applications").json["items"]
        assert item["links"]["ui"] == f"//team-a.spark.example.com{BASE}/team-a/proxy/{live.app_id}/"
