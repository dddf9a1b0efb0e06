"""The region of every spec test."""

from __future__ import annotations

import pytest

from tests.unit.spec import Region


@pytest.fixture
def region() -> Region:
    return Region()
