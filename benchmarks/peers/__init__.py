"""The same tables and the same work in other mappers."""
