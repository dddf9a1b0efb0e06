"""What is asked for in addresses, beside what every list is asked with; nothing that the database cannot read."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Path, Query

from infra.web.listing import Asked
from infra.web.times import MomentText, known_at_of

_CODE = r"^[A-Za-z0-9_-]{1,64}$"
_NUMBER = r"^[^\s/\x00-\x1f\x7f]{1,64}$"
_WORD = r"^[A-Za-z0-9_.]{1,64}$"

OrganPath = Annotated[str, Path(pattern=_CODE, description="受理办件的部门代码")]
NumberPath = Annotated[str, Path(pattern=_NUMBER, description="办件号")]
DepartmentAsked = Annotated[str | None, Query(pattern=_CODE, description="部门代码")]
OrganAsked = Annotated[str | None, Query(pattern=_CODE, description="受理办件的部门代码")]
MatterAsked = Annotated[str | None, Query(pattern=_CODE, description="事项编码")]
NumberAsked = Annotated[str | None, Query(pattern=_NUMBER, description="办件号")]
CaseAsked = Annotated[
    str | None, Query(pattern=r"^case/[A-Za-z0-9_-]{1,64}/[^\s/\x00-\x1f\x7f]{1,64}$", description="case/部门/办件号")
]
UsccAsked = Annotated[str | None, Query(pattern=r"^[0-9A-Z]{18}$", description="相对人的统一社会信用代码")]
OfficerAsked = Annotated[str | None, Query(pattern=r"^[A-Za-z0-9_-]{1,32}$", description="经办人，其在本部门的工号")]
RuleAsked = Annotated[str | None, Query(pattern=_WORD, description="规则，如 mandate.role")]
ClauseAsked = Annotated[str | None, Query(pattern=r"^[0-9]\.[0-9]{1,2}[a-z]?$", description="条款，如 2.7b")]


def asked_for_one(
    as_known_at: Annotated[MomentText | None, Query(description="当时所知：时间，只给日期则到当日结束")] = None,
    reveal: Annotated[bool, Query(description="显示完整的个人信息，限职责所需")] = False,
    reason: Annotated[str | None, Query(max_length=4000, description="监察查阅个人信息的事由")] = None,
) -> Asked:
    """As a list is asked for, where there is but one."""
    return Asked(None, 1, known_at_of(as_known_at), reveal, reason, "json")


AskedForOne = Annotated[Asked, Depends(asked_for_one)]
