"""The store protocol over a server that speaks API v1 alone, as the original server of the portal does.

Such a server gives ids and revision ids of its own, answers a bulk write with one object, loses units when it shows
numbers, has no order and no past, and names arrays by their place. Each module deals with one of these:

    opening, connection    who logs in, and what its answers mean
    capacity, checking     what it can keep, and what is refused; said before anything is sent
    records, units         its JSON as records, and what is known of units
    lookups, comparing     conditions as its query parameters
    reading, paging        records, pages, counts and eager paths
    places, files          arrays by place: downloads, slices, and what waits to be sent
    delta, bulk            a change set as the HDF5 file of ``in_bulk``
    finding                which of its objects are those that were sent
    deleting, writing      previews, deletes, and a change set from check to receipt
    sharing, store         access lists, and all of it together
"""
