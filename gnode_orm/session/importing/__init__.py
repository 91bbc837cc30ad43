"""Importing recordings through neo and metadata through odML: one atomic commit for each block or document."""
