"""The principals of a keytab, of which MIT describes the format: version 2 of "keytab file format"."""

from __future__ import annotations

import struct

_VERSION = b"\x05\x02"
_MOST_COMPONENTS = 16


def principals(keytab: bytes) -> list[str]:
    """Whose keys it has, "etl@EXAMPLE.COM", each once.

    Raises:
        ValueError: it is no keytab of that version, or ends too soon.
    """
    if not keytab.startswith(_VERSION):
        raise ValueError("it is no keytab")
    found: dict[str, None] = {}
    place = len(_VERSION)
    while place < len(keytab):
        (size,) = _unpack(">i", keytab, place)
        place += 4
        # The place of an entry that was removed has a negative size.
        if size > 0:
            found[_principal(keytab[place : place + size])] = None
        elif size == 0:
            break
        place += abs(size)
    if place > len(keytab):
        raise ValueError("it ends too soon")
    return list(found)


def _principal(entry: bytes) -> str:
    (count,) = _unpack(">H", entry, 0)
    if count > _MOST_COMPONENTS:
        raise ValueError("it has an entry that no principal has")
    place, texts = 2, []
    for _ in range(count + 1):
        (length,) = _unpack(">H", entry, place)
        text = entry[place + 2 : place + 2 + length]
        if len(text) < length:
            raise ValueError("it ends too soon")
        texts.append(text.decode(errors="replace"))
        place += 2 + length
    return f"{'/'.join(texts[1:])}@{texts[0]}"


def _unpack(form: str, data: bytes, place: int) -> tuple[int, ...]:
    try:
        return struct.unpack_from(form, data, place)
    except struct.error:
        raise ValueError("it ends too soon") from None
