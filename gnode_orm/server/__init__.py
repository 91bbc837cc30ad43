"""The server: REST API v1 over any store that keeps accounts. A thin face: no SQL and no model instances in it."""
