"""What the models stand on: fields, values, collections, expressions, and the tracking of changes."""
