"""Answers for people and for programs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from rich.box import SIMPLE
from rich.table import Table
from rich.text import Text

from kindling.facts import Report
from kindling.mend import TakenOut
from kindling.preflight.facts import FAIL, Answer, Check, Readiness
from kindling.recover import Recovered
from kindling.terminal import line, screen

_COLOURS = {
    "succeeded": "green",
    "running": "green",
    "failed": "red",
    "waiting": "yellow",
    "ok": "green",
    "warn": "yellow",
    "fail": "red",
}
_EVIDENCE = 600  # characters of a message that are shown; --json has more
_CHECK = 4000  # of a check, which lists rights


def report_as_json(report: Report) -> dict[str, Any]:
    """The fields that ``kindling why --json`` promises; see ``kindling.cli``."""
    run = report.run
    return {
        "name": run.name,
        "namespace": run.namespace,
        "release": run.release,
        "application": run.application,
        "job": run.workload.name if run.workload and not run.lasts else "",
        "workload": run.workload.ref if run.workload else "",
        "status": report.status,
        "summary": report.summary,
        "findings": [
            {
                "id": finding.id,
                "about": finding.about,
                "cause": finding.cause,
                "cure": finding.cure,
                "evidence": [{"source": e.source, "message": e.message} for e in finding.evidence],
            }
            for finding in report.findings
        ],
        "notes": list(report.notes),
        "unread": list(run.unread),
    }


def print_report(report: Report) -> None:
    """A report for people: a line of state, then cause, cure and evidence of each finding."""
    out = screen()
    run = report.run
    state = Text(report.status, style=f"bold {_COLOURS.get(report.status, 'yellow')}")
    where = f" in {line(run.namespace)}: "
    out.print(Text.assemble((line(run.name), "bold"), where, state, f", {line(report.summary, _EVIDENCE)}"))
    for finding in report.findings:
        out.print(Text.assemble(("  cause  ", "bold"), line(finding.cause, _EVIDENCE)))
        out.print(Text.assemble(("  cure   ", "bold"), line(finding.cure, _EVIDENCE)))
        for evidence in finding.evidence:
            out.print(Text.assemble("  seen   ", (line(f"{evidence.source}: {evidence.message}", _EVIDENCE), "dim")))
    for note in report.notes:
        out.print(Text.assemble("  note   ", line(note, _EVIDENCE)))
    for unread in run.unread:
        out.print(Text.assemble("  note   ", f"you may not read {line(unread)}: what stands there is missing here"))


def mend_as_json(release: str, namespace: str, taken_out: Sequence[TakenOut]) -> dict[str, Any]:
    """The fields that ``kindling mend --json`` promises; see ``kindling.cli``."""
    objects = [{"revision": item.revision, "object": item.held} for item in taken_out]
    return {"release": release, "namespace": namespace, "taken_out": objects}


def print_mend(release: str, taken_out: Sequence[TakenOut]) -> None:
    """A line for each object; what to do next."""
    out = screen()
    for item in taken_out:
        out.print(line(f"revision {item.revision} of {release} no longer holds {item.held}"))
    if taken_out:
        out.print("helm upgrade and helm uninstall work again; upgrade now: the release may render something instead")
    else:
        out.print(f"release {line(release)} holds nothing that this Kubernetes does not have")


def recover_as_json(release: str, namespace: str, recovered: Recovered) -> dict[str, Any]:
    """The fields that ``kindling recover --json`` promises; see ``kindling.cli``."""
    return {"release": release, "namespace": namespace, **asdict(recovered)}


def print_recover(release: str, recovered: Recovered, *, dry_run: bool) -> None:
    """What is now written, and what to do next."""
    out = screen()
    revision = line(f"revision {recovered.revision} of {release}")
    if recovered.was == recovered.status:
        out.print(f"{revision} is {line(recovered.status)}: nothing is to be recovered")
        return
    out.print(f"{revision} was {line(recovered.was)}, {'and would be' if dry_run else 'now it is'} {recovered.status}")
    out.print("next: the interrupted command again (helm upgrade --install for helm install), or helm rollback")


def preflight_as_json(facts: Readiness, checks: Sequence[Check]) -> dict[str, Any]:
    """The fields that ``kindling preflight --json`` promises; see ``kindling.cli``."""
    return {
        "namespace": facts.namespace,
        "ready": not any(check.state == FAIL for check in checks),
        "checks": [{"id": c.id, "state": c.state, "what": c.what, "cure": c.cure} for c in checks],
        "rights": [
            {"identity": a.identity, "right": str(a.right), "needed": a.needed, "allowed": a.allowed}
            for a in facts.answers
        ],
    }


def print_preflight(facts: Readiness, checks: Sequence[Check]) -> None:
    """The table of rights, then a line for each check, with its cure below."""
    out = screen()
    out.print(_rights_table(facts), soft_wrap=False)
    for check in checks:
        out.print(Text.assemble((f"{check.state:5}", f"bold {_COLOURS[check.state]}"), line(check.what, _CHECK)))
        if check.cure:
            out.print(Text.assemble(("     cure ", "bold"), line(check.cure, _CHECK)))


def _rights_table(facts: Readiness) -> Table:
    """A row for each resource; in it the verbs that each identity has, lacks, or has without need."""
    identities = list(dict.fromkeys(answer.identity for answer in facts.answers))
    table = Table(title=f"rights in {line(facts.namespace)}", box=SIMPLE)
    for title in ("may", *identities):
        table.add_column(title, overflow="fold")
    for resource in sorted({answer.right.short for answer in facts.answers}):
        cells = ([a for a in facts.answers if (a.identity, a.right.short) == (who, resource)] for who in identities)
        table.add_row(resource, *(_cell(answers) for answers in cells))
    return table


def _cell(answers: Sequence[Answer]) -> Text:
    if any(answer.allowed is None for answer in answers):
        return Text("?", style="yellow")
    has = [a.right.verb for a in answers if a.needed and a.allowed]
    lacks = [a.right.verb for a in answers if a.needed and not a.allowed]
    excess = [a.right.verb for a in answers if not a.needed and a.allowed]
    refused = [a.right.verb for a in answers if not a.needed and not a.allowed]
    parts = (
        ("", has, "green"),
        ("lacks ", lacks, "bold red"),
        ("too much: ", excess, "bold red"),
        ("not ", refused, "dim"),
    )
    return Text("\n").join(Text(f"{words}{' '.join(verbs)}", style=style) for words, verbs, style in parts if verbs)
