"""Tables of tagged structs: every leaf of a family under its tag."""

from typing import TypeVar

import msgspec

T = TypeVar("T", bound=msgspec.Struct)


def by_tag(base: type[T]) -> dict[str, type[T]]:
    """{tag: struct} of all subclasses of `base` that have no subclass themselves, in the order they were written."""
    table: dict[str, type[T]] = {}
    for sub in base.__subclasses__():
        table |= by_tag(sub) if sub.__subclasses__() else {str(sub.__struct_config__.tag): sub}
    return table
