"""Converters between the objects of neo and odML and the models that stand for them."""
