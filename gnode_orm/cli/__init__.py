"""The command ``gnode-orm``."""
