"""The list of logouts that spark-ui-proxy's replicas share: what it says, and that it never says less."""

from __future__ import annotations

import random

import pytest

from spark_ui_proxy.ended import MOST, Ended, UnreadableError, account_of

NOW = 1_800_000_000
VERA, ANNA = account_of("vera"), account_of("anna")


def test_a_list_is_read_as_it_was_written() -> None:
    ended = Ended(NOW - 5, {VERA: NOW, ANNA: NOW - 1})
    assert Ended.parse(ended.text, NOW) == ended
    assert Ended.parse("", NOW) == Ended()


@pytest.mark.parametrize(
    "text",
    [
        "x",
        "\n",
        "* ",
        "* x",
        f"* {NOW} ",
        "* -1",
        "* \u0661",
        f"{VERA}",
        f"{VERA} 1.5",
        f"{VERA.upper()} {NOW}",
        f"{VERA}0 {NOW}",
        f"vera {NOW}",
        f"* {NOW + 301}",
        f"* 1\n{VERA} {NOW}\nx",
        "0" * 100_000,
    ],
    ids=lambda text: repr(text[:16]),
)
def test_a_line_that_no_replica_writes_is_refused(text: str) -> None:
    with pytest.raises(UnreadableError) as refused:
        Ended.parse(text, NOW)
    assert len(str(refused.value)) < 200


def test_an_account_may_have_two_lines_and_the_later_counts() -> None:
    assert Ended.parse(f"{VERA} 9\n{VERA} 7\n* 3\n* 2\n", NOW) == Ended(3, {VERA: 9})


def test_one_line_an_account_however_often_it_logs_out() -> None:
    ended = Ended()
    for moment in random.sample(range(1000), 1000):
        ended.end(VERA, moment)
    assert ended.accounts == {VERA: 999}


@pytest.mark.parametrize("known", [Ended(), Ended(NOW), Ended(NOW - 9, {VERA: NOW}), Ended(NOW, {VERA: NOW + 3})])
def test_ending_everybody_ends_a_login_of_the_same_second(known: Ended) -> None:
    issued = max(NOW, known.until(VERA) + 1)
    known.end_everybody(NOW)
    assert known.until(VERA) >= issued
    assert known.until(ANNA) >= NOW


def test_replicas_agree_whatever_comes_first() -> None:
    lists = [Ended(3, {VERA: 9}), Ended(5, {VERA: 7, ANNA: 6}), Ended(1, {ANNA: 8})]
    found = []
    for order in ([0, 1, 2], [2, 1, 0], [1, 2, 0, 0]):
        whole = Ended()
        for number in order:
            whole.add(lists[number])
        found.append(whole)
    assert found == [Ended(5, {VERA: 9, ANNA: 8})] * 3


def test_what_says_nothing_more_is_left_out() -> None:
    ended = Ended(10, {VERA: 9, ANNA: 50, account_of("ada"): 20})
    ended.shorten(20)
    assert ended == Ended(10, {ANNA: 50})


def test_of_too_many_none_of_the_ended_comes_back() -> None:
    moments = {account_of(str(number)): 1000 + number // 3 for number in range(MOST + 500)}
    ended = Ended(0, dict(moments))
    ended.shorten(0)
    assert len(ended.accounts) <= MOST
    assert all(ended.until(account) >= moment for account, moment in moments.items())
    assert ended.everybody == 1000 + 499 // 3
    assert len(ended.text) < 2**19


@pytest.mark.parametrize(
    ("one", "other", "more"),
    [
        (Ended(), Ended(), False),
        (Ended(1), Ended(), True),
        (Ended(0, {VERA: 5}), Ended(0, {VERA: 4}), True),
        (Ended(0, {VERA: 5}), Ended(0, {VERA: 5, ANNA: 9}), False),
        (Ended(0, {VERA: 5}), Ended(5), False),
        (Ended(0, {VERA: 5}), Ended(4), True),
    ],
    ids=str,
)
def test_it_is_known_whether_a_list_says_more(one: Ended, other: Ended, more: bool) -> None:
    assert one.beyond(other) is more
