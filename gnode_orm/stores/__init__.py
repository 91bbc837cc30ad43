"""Stores: where records and arrays are kept."""
