"""Lists that come in pages."""

from __future__ import annotations

from typing import Annotated, Any

from django.core.paginator import EmptyPage, Paginator
from django.db.models import QuerySet
from ninja import Query

A_PAGE = 50
FURTHEST = 100_000

PageNumber = Annotated[int, Query(ge=1, le=FURTHEST, description=f"{A_PAGE} items each")]


def paged(rows: QuerySet[Any], number: int) -> tuple[list[Any], dict[str, int]]:
    """The rows of a page, none beyond the last one, and the members of `schemas.Page`."""
    paginator = Paginator(rows, A_PAGE)
    try:
        found = list(paginator.page(number).object_list)
    except EmptyPage:
        found = []
    return found, {"count": paginator.count, "page": number, "pages": paginator.num_pages}
