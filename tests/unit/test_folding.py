"""Lists of then are searched so far for one page, and no farther; page by page they are the whole."""

from __future__ import annotations

from typing import Any

import pytest

from infra.web.folding import MOST_SCANNED, sift
from projections.page import Slice

ROWS = 3 * MOST_SCANNED + 7


def find(after: Any, limit: int) -> Slice:
    begin = 0 if after is None else after[0] + 1
    rows = [{"at": at} for at in range(begin, min(begin + limit, ROWS))]
    return Slice(rows, begin + limit < ROWS)


@pytest.mark.parametrize("every", [1, 7, 1999, 2000, 5000, ROWS])
@pytest.mark.parametrize("limit", [1, 50])
def test_page_by_page_it_is_the_whole(every: int, limit: int) -> None:
    whole = [at for at in range(ROWS) if at % every == every - 1]
    got: list[int] = []
    after, more, pages = None, True, 0
    while more and pages < 10 + ROWS // limit:
        found = sift(find, lambda rows: rows, lambda row: row["at"] % every == every - 1, "at", after, limit)
        assert len(found.rows) <= limit
        assert (found.scanned or 0) <= MOST_SCANNED
        got += [row["at"] for row in found.rows]
        after = found.after or (found.rows[-1:] and [found.rows[-1]["at"]])
        more, pages = found.more, pages + 1
    assert got == (whole if not more else whole[: len(got)])
    assert not more or limit == 1
