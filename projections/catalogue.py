"""All read models."""

from projections.projection import Projection

PROJECTIONS: tuple[Projection, ...] = ()
