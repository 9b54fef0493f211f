"""YAML: what is read, what is refused, and where it stands."""

from __future__ import annotations

import pytest
import yaml

from reconciler.manifests import document
from reconciler.manifests.document import DEEPEST, LARGEST_FILE, MOST_ALIASES, mark_at, parse, steps_of


def messages(text: str | bytes) -> list[str]:
    content = text if isinstance(text, bytes) else text.encode()
    return [f"{problem.line}:{problem.column} {problem.message}" for problem in parse("a.yaml", content).problems]


def test_a_file_holds_several_documents_and_empty_ones_are_left_out():
    parsed = parse("a.yaml", b"---\na: 1\n---\n---\n# nothing\n---\nb: two\n")
    assert (list(parsed.documents), parsed.problems) == ([{"a": 1}, {"b": "two"}], ())


def test_every_value_is_found_at_its_line_and_column():
    (root,) = parse("x/a.yaml", b"spec:\n  list:\n    - {name: app}\n  text: hello\n").documents
    mark = mark_at(root, ("spec", "list", 0, "name"))
    assert (mark.path, mark.line, mark.column, mark.key_column) == ("x/a.yaml", 3, 14, 8)
    assert mark_at(root, ("spec", "text")).column == 9
    assert mark_at(root, ("spec", "absent", "deeper")).line == 2  # the nearest that was written


def test_a_byte_order_mark_and_wide_characters_do_not_move_positions():
    (root,) = parse("a.yaml", "\ufeffgrüße: {ä: x}\n".encode()).documents
    assert mark_at(root, ("grüße", "ä")).column == 12


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a: 1\nb: 2\na: 3\n", "3:1 a stands here twice; the first is in line 1"),
        ("a:\n\tb: 1\n", "2:1 this is not YAML: a tab cannot indent YAML: use spaces"),
        ("yes: 1\n", "1:1 a key must be text, and YAML reads yes as true: quote it"),
        ("8080: 1\n", "1:1 a key must be text, and YAML reads 8080 as a number: quote it"),
        ("~: 1\n", "1:1 a key must be text, and YAML reads ~ as null: quote it"),
        ("? [a, b]\n: 1\n", "1:3 a key must be text, and this one is a map, a list or an alias"),
        ("a: !!python/object:os.system x\n", "the tag tag:yaml.org,2002:python/object:os.system is not read"),
        ("a: !secret x\n", "1:4 the tag !secret is not read"),
        ("a: ! 12\n", "1:4 the tag ! is not read"),
        ("!x a: 12\n", "1:1 the tag !x is not read"),
        ("- a\n", "1:1 a document is a map (apiVersion, kind, metadata, spec), and this is a list"),
        ("hello\n", "and this is one value"),
        ("a: *nothing\n", "1:4 the alias *nothing has no anchor &nothing before it in this document"),
        ("a: &a [*a]\n", "the alias *a has no anchor &a before it"),
        ("a: .nan\n", "1:4 .nan is not a number that AWS takes"),
        ("a: -.inf\n", "1:4 -.inf is not a number that AWS takes"),
        ("a: 1.0e+999\n", "1:4 the number 1.0e+999 is too large"),
        ("a: 99999999999999999999\n", "is too large for 64 bits"),
        ("a: " + "9" * 5000 + "\n", "is too large for 64 bits"),
        ("a: 0755\n", '1:4 YAML reads 0755 as an octal number: write "0755" in quotes'),
        ("a: 22:22\n", "1:4 YAML reads 22:22 as a number to the base 60"),
        ("a: 1_000\n", "with _ between its digits"),
        ("a: [1, 2\nb: 3\n", "this is not YAML"),
        ("a: \x01\n", "this is not YAML: "),
        ("<<: 3\n", "<< takes a map or a list of maps"),
    ],
)
def test_what_is_refused_says_why_and_where(text, expected):
    found = messages(text)
    assert len(found) == 1
    assert expected in found[0]


def test_bytes_that_are_no_utf8_are_named_with_their_line():
    assert messages(b"a: 1\nb: \xff\n") == ["2:0 the file is not UTF-8 text"]


def test_a_file_of_more_than_a_mebibyte_is_not_parsed():
    assert "at most 1 MiB" in messages(b"#" * (LARGEST_FILE + 1))[0]
    assert messages(b"#" * LARGEST_FILE) == []


@pytest.mark.parametrize("opening", ["[", "- ", "{a: ", "? "])
def test_nesting_ends_at_its_limit_however_deep_the_file_is(opening):
    found = messages(opening * 200_000)
    assert f"more than {DEEPEST} deep" in found[-1]
    assert len(found) <= DEEPEST + 1  # a key that is a map is named at each depth


def test_the_deepest_allowed_nesting_is_read():
    assert messages("a: " + "[" * (DEEPEST - 1) + "]" * (DEEPEST - 1)) == []


def test_an_alias_bomb_is_stopped_before_it_grows():
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 10)]
    assert "what its aliases repeat included" in messages("\n".join(lines))[0]


def test_a_bomb_of_merge_keys_is_stopped_too():
    lines = ["a0: &a0 {" + ", ".join(f"k{n}: [x, x, x, x]" for n in range(200)) + "}"]
    lines += [f"a{n}: &a{n} {{<<: *a{n - 1}, deeper: [*a{n - 1}, *a{n - 1}]}}" for n in range(1, 30)]
    assert len(messages("\n".join(lines))) == 1


def test_more_aliases_than_allowed_are_refused_even_when_they_are_small():
    text = "a: &a 1\nb: [" + ", ".join(["*a"] * (MOST_ALIASES + 1)) + "]"
    assert f"more than {MOST_ALIASES} aliases" in messages(text)[0]


def test_an_alias_is_a_copy_so_that_one_place_never_changes_another():
    (root,) = parse("a.yaml", b"a: &x {k: [1]}\nb: *x\n").documents
    root["a"]["k"].append(2)
    assert root["b"] == {"k": [1]}


def test_merge_keys_give_way_to_what_is_written_and_to_earlier_sources():
    text = b"one: &one {a: 1, b: 1}\ntwo: &two {b: 2, c: 2}\nmade: {<<: [*one, *two], a: 3}\n"
    (root,) = parse("a.yaml", text).documents
    assert root["made"] == {"a": 3, "b": 1, "c": 2}


def test_anchors_do_not_reach_into_the_next_document():
    assert "has no anchor" in messages("a: &x 1\n---\nb: *x\n")[0]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("yes", True), ("Off", False), ("null", None), ("12", 12), ("-3", -3), ("1.5", 1.5), ("1e3", "1e3"),
        ("2001-01-01", "2001-01-01"), ("012345678901", "012345678901"), ("y", "y"), ("1.2.3", "1.2.3"), ("-", None),
        ("=", "="), ("0", 0), ("+1", 1), (".5", 0.5), ('"yes"', "yes"), ("'1'", "1"),
    ],
)  # fmt: skip
def test_plain_scalars_are_read_as_yaml_1_1_reads_them_but_timestamps_stay_text(text, value):
    if text == "-":
        assert parse("a.yaml", b"a:\n  -\n").documents[0]["a"] == [None]
        return
    assert parse("a.yaml", f"a: {text}\n".encode()).documents[0]["a"] == value


def test_what_pyyaml_reads_without_surprise_is_read_alike():
    text = "a: {b: [1, 2.5, true, null, 'x', \"y\\n\"]}\nc: |\n  block\n  text\nd: >-\n  folded\n  text\n"
    assert parse("a.yaml", text.encode()).documents[0] == yaml.safe_load(text)


def test_the_parser_written_in_python_gives_the_same(monkeypatch):
    text = b"a: {b: [1, yes, 'x']}\nc: 0755\n"
    with_c = parse("a.yaml", text)
    monkeypatch.setattr(document, "_LOADER", yaml.SafeLoader)
    assert parse("a.yaml", text) == with_c


def test_a_field_path_is_read_back_into_its_steps():
    assert steps_of("containerDefinitions[0].portMappings[12].hostPort") == (
        "containerDefinitions", 0, "portMappings", 12, "hostPort",
    )  # fmt: skip
    assert steps_of("a[app].b") == ("a", "app", "b")
