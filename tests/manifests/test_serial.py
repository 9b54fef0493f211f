"""`Desired` to JSON and back."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.core.resource import Desired, Environment, Never, Origin, Resource, Settings, Sync, Window
from reconciler.core.values import Ref, ResourceId, Template
from reconciler.manifests.serial import UnknownVersionError, from_json, read_value, to_json, write_value

_texts = st.text(max_size=5)
_keys = st.one_of(_texts, st.sampled_from(["ref", "$ref", "$$ref", "$template", "attribute", "$"]))
_ids = st.builds(ResourceId, _texts, _texts)
_refs = st.builds(Ref, _ids, _texts, st.none() | _texts)
_templates = st.builds(Template, st.lists(st.one_of(_texts, _refs), max_size=3).map(tuple))
_values = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), _texts, _refs, _templates),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(_keys, inner, max_size=3)),
    max_leaves=10,
)
_spans = st.integers(0, 10**7).map(lambda seconds: timedelta(seconds=seconds))
_names = st.lists(_texts, max_size=2).map(tuple)
_origins = st.builds(Origin, _texts, st.integers(1), st.integers(1))
_labels = st.dictionaries(_texts, _texts, max_size=2)
_syncs = st.builds(
    Sync, _texts, st.booleans(), _spans, _texts, st.booleans(), st.integers(0), _spans,
    st.lists(st.builds(Never, _texts, _names), max_size=2).map(tuple),
    st.lists(st.builds(Window, _texts, _spans, _texts), max_size=2).map(tuple),
)  # fmt: skip
_environments = st.builds(Environment, _texts, _texts, _texts, _texts, _names, _labels, _syncs, _origins)
_settings = st.builds(
    Settings, st.integers(), st.booleans(), st.booleans(), st.none() | _spans, _names, st.none() | _texts
)
_resources = st.builds(
    Resource, _ids, st.dictionaries(_keys, _values, max_size=3), _settings, _labels, st.none() | _texts,
    st.lists(_origins, max_size=2).map(tuple), st.none() | _ids, _labels,
)  # fmt: skip
_desired = st.builds(
    lambda environment, commit, resources, warnings: Desired(
        environment, commit, {resource.id: resource for resource in resources}, warnings
    ),
    _environments, _texts, st.lists(_resources, max_size=3), _names,
)  # fmt: skip


@given(_desired)
def test_a_rendering_comes_back_exactly(desired):
    back = from_json(json.loads(json.dumps(to_json(desired))))
    assert back == desired
    assert list(back.resources) == list(desired.resources)
    assert back.digest == desired.digest


@given(_values)
def test_a_value_comes_back_exactly_whatever_its_keys_are(value):
    assert read_value(json.loads(json.dumps(write_value(value)))) == value


@pytest.mark.parametrize("data", [{}, {"version": 0}, [], None])
def test_what_another_version_stored_is_not_guessed_at(data):
    with pytest.raises(UnknownVersionError):
        from_json(data)


def test_a_rendering_of_manifests_comes_back_exactly(repository, written):
    task = "{containerDefinitions: [{name: a, image: 'x${ref:Cluster/shop.arn}', memory: 4}]}"
    spec = f"{{taskDefinition: {task}, cluster: shop}}"
    repository.base(written("Service", "web", spec, "reconcile: {timeout: 5m}\n") + written("Cluster", "shop"))
    desired = repository.load()
    assert from_json(json.loads(json.dumps(to_json(desired)))) == desired
