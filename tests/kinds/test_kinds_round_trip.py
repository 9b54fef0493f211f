"""Every example on the emulated AWS: what is made reads back without a difference, and so does what is changed."""

from __future__ import annotations

import pytest


def test_an_example_that_was_made_reads_back_without_a_difference(example, workshop, tools):
    resource = example.resource(example.spec, workshop.variables)
    workshop.create(example.kind, resource)
    live = workshop.read(example.kind, resource)
    assert live is not None
    assert [one.to_json() for one in tools.differences_of(example.kind, resource, live)] == []


def test_what_a_create_captures_is_what_is_read(example, workshop):
    resource = example.resource(example.spec, workshop.variables)
    captured = workshop.create(example.kind, resource)
    live = workshop.read(example.kind, resource)
    assert live is not None
    assert captured
    assert {name: live.attributes[name] for name in captured} == captured
    assert set(live.attributes) == set(example.kind.attributes)


def test_a_change_that_was_made_reads_back_without_a_difference(example, workshop, tools):
    if not example.change:
        pytest.skip("content that never changes")
    kind, before = example.kind, example.resource(example.spec, workshop.variables)
    after = example.resource(example.changed, workshop.variables)
    workshop.create(kind, before)
    live = workshop.read(kind, before)
    differences = tools.differences_of(kind, after, live, base=before)
    written = tuple(one for one in differences if one.removed is not tools.KEEP or one.cause is not tools.REMOVED)
    assert written, "the example's change changes something"
    calls = kind.update(tools.change_of(kind, after, live, written))
    assert calls
    workshop.send(calls, after)
    changed = workshop.read(kind, after)
    left = tools.differences_of(kind, after, changed, base=after)
    assert [one.to_json() for one in left] == []


def test_what_was_deleted_is_not_read_again(example, workshop):
    if not example.kind.permissions.delete or example.kind.rolls_out:
        pytest.skip("deleting it is no call, or takes more than one pass")
    resource = example.resource(example.spec, workshop.variables)
    workshop.create(example.kind, resource)
    live = workshop.read(example.kind, resource)
    workshop.send(example.kind.delete(live), resource)
    assert workshop.read(example.kind, resource) is None


def test_the_permissions_name_every_call_that_was_made(example, workshop, tools):
    resource = example.resource(example.spec, workshop.variables)
    workshop.create(example.kind, resource)
    workshop.gate.counts.clear()
    workshop.read(example.kind, resource)
    read = {name for kind in (*tools.reads(example.kind), example.kind) for name in kind.permissions.read}
    assert {tools.action(name) for name in workshop.gate.counts} <= read
    allowed = example.kind.permissions
    assert {tools.action(call.name) for call in workshop.calls} <= {*allowed.write, *allowed.delete}
