"""The HTTP API: tokens, limits, and the operations under /api/v1/."""
