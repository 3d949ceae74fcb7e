"""The commands of ``kindling``, their exit codes, and what ``--json`` prints.

``kindling why NAME`` tells what a run waits for or failed of. NAME is a Helm release of spark-job (its newest run
counts), spark-notebook or spark-connect, a Spark application's id, or the name of a pod, a Job, a StatefulSet or a
Deployment.

  0  looked and explained; also when the run has failed, and when nothing is wrong
  2  nothing has that name, no cluster answers, or the rights are missing: one line on standard error

``--json`` prints an object:

  name, namespace, release, application, job   what was asked for and found; "" where there is none
  workload    what makes the pods: "Job/nightly-1a2b3c4d", "StatefulSet/anna"; "" where nothing does
  status      "waiting", "running", "stopped" (a notebook or Connect server that is scaled to 0), "succeeded", "failed",
              "suspended", "scheduled" (by a CronJob, no run yet), "gone"
  summary     one line
  findings    list of: id, about ("driver", "executor", "submitter", "job"), cause, cure,
              evidence (list of: source, message)
  notes       list of lines: attempts before the newest; when a driver that lasts was told of a finding
  unread      list of what the caller may not read: "events in team-a"

Ids of findings: quota-exceeded, quota-needs-limits, limit-range, pod-security, platform, guard, no-service-account,
no-right, invalid-field, refused; not-started, half-made, sidecar-runs-on; unschedulable, image-not-pulled,
missing-secret, missing-configmap, root-user, container-config, container-not-started, volume-not-mounted,
container-fails; stopped, liveness; out-of-memory, executors-fail, heap-full, killed, python-exception, java-exception,
class-not-found, file-not-found, configmap-changed, exit-code; fetch-not-found, fetch-denied, fetch-no-credentials,
fetch-no-bucket, fetch-refused, fetch-server-error,
fetch-host-unknown, fetch-unreachable, fetch-not-trusted, fetch-other-name, fetch-expired, fetch-tls, fetch-no-tls,
fetch-proxy, fetch-scheme, fetch-archive; packages-not-found, packages-unreachable, packages-malformed,
packages-settings; kerberos-no-realm, kerberos-no-kdc, kerberos-no-rule, kerberos-not-logged-in,
kerberos-ticket-ended, kerberos-no-token, kerberos-java, kerberos-login, kdc-unreachable, keytab-without-principal,
keytab-not-found, keytab-stale, principal-unknown, principal-expired, password-expired, clock-skew, token-ended;
hdfs-client-simple, hdfs-server-principal, hdfs-rpc-protection, hdfs-data-protection, hdfs-permission;
deadline-exceeded, suspended, queued, gone, pods-gone; and what Kubernetes calls the end of a pod, in small letters:
evicted, preempting, …

``kindling preflight`` tells whether a cluster and a namespace are ready for Spark; it changes nothing.

  0  ready, perhaps with warnings
  1  a check failed
  2  no cluster answers, or there are no such values: one line on standard error

``--json`` prints an object:

  namespace   what was looked at
  ready       whether no check failed
  checks      list of: id, state ("ok", "warn", "fail"), what, cure ("" where nothing is to be done). Ids:
              kubernetes-version, namespace (only if it is missing), rights-you, rights-spark-submitter,
              rights-spark-driver, rights-spark-executor, pod-security, releases (one each), quota (one each),
              capacity, dns, storage; with ``--values``, as far as they name them: keytab, guard-keytab, krb5-conf,
              hadoop-conf (one each); of a notebook's values notebook-token, guard-notebook-token, notebook-home; of a
              Connect server's connect-token, guard-connect-token, connect-tls, guard-connect-tls
  rights      list of: identity, right ("create jobs.batch"), needed (false: must not have it), allowed (null: the
              caller may not ask)

``kindling kubeconfig [ACCOUNT]`` writes a kubeconfig for a team's namespace; ``kindling token ACCOUNT`` is what clients
then call for short-lived tokens of a service account, and prints an ExecCredential.

  0  done
  2  no such account or namespace, no right, no cluster, or a file is in the way: one line on standard error

``kindling mend RELEASE`` takes out of a Helm release the objects whose kinds the API server no longer has, such as a
PodSecurityPolicy from Kubernetes 1.25 on. Only helm's own records change.

  0  done, or nothing was to be done
  2  there is no such release, no cluster answers, or the rights are missing: one line on standard error

``--json`` prints an object:

  release, namespace   what was looked at
  taken_out            list of: revision, object ("PodSecurityPolicy/spark-team-a (policy/v1beta1)")

``kindling recover RELEASE`` tells helm that its last operation has ended, where helm was killed and says "another
operation is in progress" ever since. Only helm's own record of the newest revision changes.

  0  done, or nothing was to be done
  2  there is no such release, another helm may be at work, no cluster answers, or the rights are missing: one line on
     standard error

``--json`` prints an object:

  release, namespace   what was looked at
  revision             the newest
  was, status          its status before and now: "pending-upgrade" and "failed"; the same where nothing was to be done
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from kindling import terminal
from kindling.deadline import within
from kindling.errors import KindlingError

WHY_S, REST_S = 120, 900
"""Seconds that ``kindling why`` may take, and any other command; that of a certificate waits for an admin besides."""
FOUND, NOT_READY, NOT_FOUND_OUT = 0, 1, 2


def run(argv: Sequence[str]) -> int:
    """Run one command; return the exit code."""
    arguments = parser().parse_args(argv)
    seconds = (WHY_S if arguments.command is _why else REST_S) + getattr(arguments, "wait", 0)
    try:
        with within(seconds):
            return int(arguments.command(arguments))
    except KindlingError as error:
        terminal.complain(str(error))
        return NOT_FOUND_OUT
    except KeyboardInterrupt:
        return 130


def _why(arguments: argparse.Namespace) -> int:
    from kindling import output
    from kindling.causes import explain
    from kindling.connection import answers, connect
    from kindling.gather import gather

    connection = connect(arguments.kubeconfig, arguments.context, arguments.namespace)
    with answers(connection):
        report = explain(gather(connection, arguments.name))
    if arguments.json:
        terminal.print_json(output.report_as_json(report))
    else:
        output.print_report(report)
    return FOUND


def _preflight(arguments: argparse.Namespace) -> int:
    from kindling import output
    from kindling.connection import answers, connect
    from kindling.preflight import preflight
    from kindling.preflight.facts import FAIL

    connection = connect(arguments.kubeconfig, arguments.context, arguments.namespace)
    with answers(connection):
        facts, checks = preflight(connection, arguments.values)
    if arguments.json:
        terminal.print_json(output.preflight_as_json(facts, checks))
    else:
        output.print_preflight(facts, checks)
    return NOT_READY if any(check.state == FAIL for check in checks) else FOUND


def _kubeconfig(arguments: argparse.Namespace) -> int:
    from kindling.log_in import Wish, log_in

    named = arguments.account or arguments.certificate
    name = arguments.name or (f"{named}@{arguments.namespace}" if named else arguments.namespace)
    output = Path(arguments.output or f"{arguments.namespace}.kubeconfig").absolute()
    wish = Wish(
        namespace=arguments.namespace,
        name=name,
        output=output,
        merge=arguments.merge,
        account=arguments.account,
        first_token=arguments.first_token,
        certificate=arguments.certificate,
        life_s=arguments.life,
        wait_s=arguments.wait,
    )
    log_in(wish, arguments.kubeconfig, arguments.context)
    terminal.say(f"kindling: {output} has context {name}")
    return FOUND


def _token(arguments: argparse.Namespace) -> int:
    # A client calls this for each of its commands: a token that still lives is printed without the Kubernetes client.
    from kindling import tokens

    whose = tokens.subject(arguments.namespace, arguments.account)
    token = tokens.kept(arguments.file, whose) if arguments.file else None
    if not token:
        from kindling.connection import answers, connect
        from kindling.token_request import ask

        connection = connect(arguments.kubeconfig, arguments.context, arguments.namespace)
        with answers(connection):
            token = ask(connection, arguments.account, arguments.life or tokens.TOKEN_LIFE_S)
        if arguments.file:
            tokens.write_token(arguments.file, token)
    terminal.print_json(token.as_exec_credential(), indent=None)
    return FOUND


def _mend(arguments: argparse.Namespace) -> int:
    from kindling import output
    from kindling.connection import answers, connect
    from kindling.mend import mend

    connection = connect(arguments.kubeconfig, arguments.context, arguments.namespace)
    with answers(connection):
        taken_out = mend(connection, arguments.release)
    if arguments.json:
        terminal.print_json(output.mend_as_json(arguments.release, connection.namespace, taken_out))
    else:
        output.print_mend(arguments.release, taken_out)
    return FOUND


def _recover(arguments: argparse.Namespace) -> int:
    from kindling import output
    from kindling.connection import answers, connect
    from kindling.recover import IDLE_S, recover

    idle_s = IDLE_S if arguments.idle is None else arguments.idle
    connection = connect(arguments.kubeconfig, arguments.context, arguments.namespace)
    with answers(connection):
        recovered = recover(connection, arguments.release, idle_s, dry_run=arguments.dry_run)
    if arguments.json:
        terminal.print_json(output.recover_as_json(arguments.release, connection.namespace, recovered))
    else:
        output.print_recover(arguments.release, recovered, dry_run=arguments.dry_run)
    return FOUND


def parser() -> argparse.ArgumentParser:
    """What takes the program's arguments."""
    whole = argparse.ArgumentParser(prog="kindling", description="Spark on Kubernetes: what is wrong, and what to do.")
    commands = whole.add_subparsers(required=True, metavar="COMMAND")
    why = commands.add_parser(
        "why",
        help="why a run waits or failed",
        description="Why a run of Spark waits or failed, and what to do about it.",
        epilog="Exit codes: 0 explained (also if the run failed), 2 nothing of that name, no cluster or no right.",
    )
    why.add_argument("name", metavar="NAME", help="Helm release, application id, pod, Job, StatefulSet or Deployment")
    _add_common(why)
    why.set_defaults(command=_why)
    ready = commands.add_parser(
        "preflight",
        help="is this namespace ready for Spark?",
        description="Whether a cluster and a namespace are ready for Spark. Changes nothing.",
        epilog="Exit codes: 0 ready (perhaps with warnings), 1 a check failed, 2 no cluster.",
    )
    ready.add_argument(
        "--values",
        type=Path,
        metavar="FILE",
        action="append",
        default=[],
        help="the team's values, and perhaps a notebook's or a Connect server's: what global.kerberos, global.hadoop, "
        "login, home and tls name is checked; may be repeated",
    )
    _add_common(ready)
    ready.set_defaults(command=_preflight)
    _add_logins(commands)
    _add_records(commands)
    return whole


def _add_records(commands: Any) -> None:
    _add_release_command(
        commands,
        "mend",
        _mend,
        help="make helm able to upgrade and uninstall a release again",
        description="Take out of a Helm release the objects whose kinds this Kubernetes no longer has. "
        "Only helm's own records change.",
        epilog="Exit codes: 0 done, or nothing was to be done; 2 no such release, no cluster or no right.",
    )
    recovers = _add_release_command(
        commands,
        "recover",
        _recover,
        help="make helm work on a release again after it was killed",
        description="Tells helm that its last operation on a release has ended, where helm was killed and says that "
        "another operation is in progress. Only helm's own record changes.",
        epilog="Exit codes: 0 done, or nothing was to be done; 2 no such release, another helm may be at work, "
        "no cluster or no right.",
    )
    recovers.add_argument("--dry-run", action="store_true", help="only say what would be done")
    recovers.add_argument(
        "--idle",
        type=int,
        metavar="SECONDS",
        help="since when helm must have written nothing, otherwise 600; 0 if you know that none is at work",
    )


def _add_release_command(
    commands: Any, name: str, command: Callable[[argparse.Namespace], int], **texts: str
) -> argparse.ArgumentParser:
    """A command on a release of a namespace."""
    parser: argparse.ArgumentParser = commands.add_parser(name, **texts)
    parser.add_argument("release", metavar="RELEASE", help="Helm release in the namespace")
    _add_common(parser)
    parser.set_defaults(command=command)
    return parser


def _add_logins(commands: Any) -> None:
    kubeconfig = commands.add_parser(
        "kubeconfig",
        help="a kubeconfig for a team's namespace",
        description="Writes a kubeconfig (0600) for a team's namespace: of your own login or, where ACCOUNT is given, "
        "of a service account whose short-lived tokens are asked for with your own login. It never holds a token.",
        epilog="Exit codes: 0 written, 2 no such account or namespace, no right, no cluster, or the file is there.",
    )
    kubeconfig.add_argument(
        "account", nargs="?", default="", metavar="ACCOUNT", help="service account of the namespace"
    )
    kubeconfig.add_argument("-o", "--output", metavar="FILE", help="otherwise NAMESPACE.kubeconfig")
    kubeconfig.add_argument("--merge", action="store_true", help="add to FILE if it exists; its other entries stay")
    kubeconfig.add_argument("--name", help="name of the context; otherwise ACCOUNT@NAMESPACE, or the namespace's")
    other = kubeconfig.add_mutually_exclusive_group()
    other.add_argument(
        "--first-token",
        type=Path,
        metavar="FILE",
        help="has a token of ACCOUNT, if you have no other login: it renews itself",
    )
    other.add_argument(
        "--certificate", default="", metavar="USER", help="a client certificate for USER, which an admin has to approve"
    )
    kubeconfig.add_argument(
        "--wait", type=int, default=600, metavar="SECONDS", help="for that approval; otherwise %(default)s"
    )
    kubeconfig.set_defaults(command=_kubeconfig)
    token = commands.add_parser(
        "token",
        help="a short-lived token of a service account",
        description="Prints a token of a service account as clients ask it of an exec plugin (ExecCredential).",
        epilog="Exit codes: 0 printed, 2 no such account, no right, no cluster.",
    )
    token.add_argument("account", metavar="ACCOUNT", help="service account of the namespace")
    token.add_argument(
        "--file",
        type=Path,
        help="keeps the token alone (0600), for programs that read one; it is renewed when it is due",
    )
    token.set_defaults(command=_token)
    for parser in (kubeconfig, token):
        parser.add_argument("-n", "--namespace", required=True, help="the team's namespace")
        parser.add_argument(
            "--life",
            type=int,
            metavar="SECONDS",
            help="of a token, otherwise an hour, 600 at least; of a certificate, 30 days",
        )
        _add_cluster(parser)


def _add_common(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("-n", "--namespace", help="namespace; otherwise that of the kubeconfig's context")
    _add_cluster(parser)
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def _add_cluster(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--kubeconfig", metavar="FILE", help="otherwise $KUBECONFIG or ~/.kube/config")
    parser.add_argument("--context", metavar="NAME", help="context of the kubeconfig; otherwise the current one")
