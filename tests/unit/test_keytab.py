"""Whose keys a keytab has: files that MIT's ktutil and kadmin wrote, and files that are none."""

from __future__ import annotations

import base64
import contextlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kindling.preflight.keytab import principals

KEYTAB = base64.b64decode(
    "BQIAAABFAAEAC0VYQU1QTEUuQ09NAANldGwAAAABawt1gQEAEgAguydaPM2g0RaWwoqETic8G4SGVVTQfEJvlnvtyfN/yJYAAAABAAAATAAC"
    "AAtFWEFNUExFLkNPTQAFc3BhcmsAE2hpc3RvcnkuZXhhbXBsZS5jb20AAAABawt1gQMAEQAQ1jQg1o9pMu2LFm0PCo0OrwAAAAMAAAA1AAEA"
    "C0VYQU1QTEUuQ09NAANldGwAAAABawt1gQIAEQAQJLH1b/Tzug3lCGiUpdo5SgAAAAI="
)
"""By ktutil: etl with two keys, spark/history.example.com with one."""
REMOVED = base64.b64decode("BQL///+7") + bytes(69) + KEYTAB[2 + 4 + 69 :]
"""The same after kadmin's ktremove of the first: its place stays, empty."""
ETL, HISTORY = "etl@EXAMPLE.COM", "spark/history.example.com@EXAMPLE.COM"


def test_a_keytab_s_principals_are_told_once() -> None:
    assert principals(KEYTAB) == [ETL, HISTORY]


def test_a_keytab_entry_that_was_removed_is_skipped() -> None:
    assert principals(REMOVED) == [HISTORY, ETL]


@pytest.mark.parametrize("content", [b"", b"\x05\x01", b"-----BEGIN CERTIFICATE-----", base64.b64encode(KEYTAB)])
def test_what_is_no_keytab_is_told(content: bytes) -> None:
    with pytest.raises(ValueError, match="it is no keytab"):
        principals(content)


@pytest.mark.parametrize("length", [3, 10, 40, 74, 100, len(KEYTAB) - 1])
def test_a_keytab_that_ends_too_soon_is_told(length: int) -> None:
    with pytest.raises(ValueError, match="it ends too soon"):
        principals(KEYTAB[:length])


@settings(deadline=None)
@given(st.binary(max_size=200))
def test_no_bytes_make_the_keytab_reader_fail(content: bytes) -> None:
    with contextlib.suppress(ValueError):
        principals(b"\x05\x02" + content)
