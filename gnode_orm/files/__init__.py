"""Readers and writers of recordings and metadata, and their validation."""
