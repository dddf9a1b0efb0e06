"""The loops: intake, outlet, projector, clock."""
