"""Slots are handed over in the order of asking."""

from __future__ import annotations

import threading

from gnode_orm.stores.local.slots import Slots


def test_a_waiting_thread_gets_its_turn_before_the_holder_takes_another():
    slots = Slots(1)
    order = []
    asked = threading.Event()

    def wait():
        asked.set()
        slots.take()
        order.append("waiting")
        slots.give_back()

    slots.take()
    other = threading.Thread(target=wait)
    other.start()
    asked.wait()
    while not slots._waiting:
        pass  # until the other thread stands in the queue
    slots.give_back()
    slots.take()
    order.append("holder")
    other.join()
    assert order == ["waiting", "holder"]


def test_every_slot_can_be_held_at_once_and_comes_back():
    slots = Slots(2)
    for _ in range(3):
        slots.take()
        slots.take()
        assert slots._free == 0
        slots.give_back()
        slots.give_back()
    assert slots._free == 2
