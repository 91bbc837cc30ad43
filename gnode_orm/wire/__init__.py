"""API v1 on the wire: JSON and HDF5 as its clients know them, to and from plain records. No I/O but that of HDF5."""
