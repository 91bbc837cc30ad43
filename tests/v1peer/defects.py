"""What the original server did wrong, by name, from the outermost to the innermost."""

from __future__ import annotations

from tests.v1peer import bulk, deleting, errors, files, forms, hiding, lists, moving, reading, rights, writing
from tests.v1peer.peer import Defect

DEFECTS: dict[str, Defect] = {
    # What an answer looks like.
    "foreign-host": reading.foreign_host,
    "wrong-methods-are-401": forms.wrong_methods_are_401,
    "redirects-lose-the-method": forms.redirects_lose_the_method,
    "bare-failures": errors.bare_failures,
    "unwritable-is-500": rights.unwritable_is_500,
    "unknown-file-is-410": rights.unknown_file_is_410,
    "unreadable-is-401": rights.unreadable_is_401,
    "bulk-answers-one-as-text": bulk.bulk_answers_one_as_text,
    "bulk-fails-without-reason": bulk.bulk_fails_without_reason,
    "no-entity-tags": writing.no_entity_tags,
    "forgery-token": writing.forgery_token,
    "text-as-address": reading.text_as_address,
    "unknown-keys-echoed": reading.unknown_keys_echoed,
    "local-id-obeyed": writing.local_id_obeyed,
    "any-level-taken": forms.any_level_taken,
    "own-levels": forms.own_levels,
    "units-lost": reading.units_lost,
    "negative-zero-lost": reading.negative_zero_lost,
    "sets-list-unreadable": reading.sets_list_unreadable,
    "channel-groups-lost": reading.channel_groups_lost,
    "metadata-lost": reading.metadata_lost,
    "dates-as-times": reading.dates_as_times,
    "sizes-unknown": reading.sizes_unknown,
    # What is found.
    "isnull-zero-means-null": lists.isnull_zero_means_null,
    "no-ordering": lists.no_ordering,
    "owner-by-number": lists.owner_by_number,
    "file-filters-useless": lists.file_filters_useless,
    "heap-order": lists.heap_order,
    "numbers-compared-bare": lists.numbers_compared_bare,
    "shared-not-listed": lists.shared_not_listed,
    # What is written.
    "bulk-hangs-on-cycles": bulk.bulk_hangs_on_cycles,
    "addresses-strict": forms.addresses_strict,
    "members-looked-up": forms.members_looked_up,
    "access-lists-strict": forms.access_lists_strict,
    "sections-stay": forms.sections_stay,
    "any-file-taken": files.any_file_taken,
    "data-named-by-id": files.data_named_by_id,
    "moved-segments-keep-their-block": moving.moved_segments_keep_their_block,
    "null-foreign-keys-ignored": writing.null_foreign_keys_ignored,
    "parents-required": writing.parents_required,
    "values-required": writing.values_required,
    "text-limited": writing.text_limited,
    "put-creates": writing.put_creates,
    "links-cascade": deleting.links_cascade,
    # Who may.
    "readers-add": rights.makers_write,
    "owner-locked-out": hiding.own_rights,
    "friendly-is-private": hiding.own_rights,
}
ALL = frozenset(DEFECTS) - {"foreign-host"}
"""The original server as it was observed; it stood behind no proxy."""
