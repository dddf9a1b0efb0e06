"""The region's own offices: their departments' codes, and the principals that speak for them."""

from typing import Final

REFORM_OFFICE: Final = "150000-BB"
REFORM_PRINCIPAL: Final = "reform"
HIGHER: Final = "150000-SP"
HIGHER_PRINCIPAL: Final = "sp-150000"
PLATFORM: Final = "150000-PT"
"""一体化政务服务平台."""
PLATFORM_PRINCIPAL: Final = "pt-150000"
"""Speaks for both sides in every league, and above: what it hands in about a case stays in order."""
REVIEW_PRINCIPAL: Final = "fy-150000"
"""Speaks for the leagues' review organs."""
OPERATOR: Final = "operator"
