"""`reconciler.yaml` and the environments that it names."""

from __future__ import annotations

from datetime import timedelta

import pytest

from reconciler.core.errors import InvalidManifestsError
from reconciler.core.resource import Environment, Never, Origin, Sync, Window
from reconciler.manifests.installation import installation

FULL = """
apiVersion: reconciler/v1
kind: Environment
metadata: {name: production}
spec:
  account: "123456789012"
  region: eu-west-1
  layers: [./base/, overlays/production]
  variables: {image_tag: 1.40, replicas: 3, public: no, text: "no"}
  sync:
    mode: auto
    selfHeal: {after: 15m}
    undeclared: ignore
    prune: true
    maxDeletions: 5
    timeout: 1h30m
    never: [{kind: SecurityGroup}, {kind: Service, fields: [desiredCount]}]
    windows: [{deny: "0 18 * * fri", for: 62h, timezone: Europe/Berlin}]
"""


def environment(change: str, value: str) -> str:
    return FULL.replace(change, value)


def test_every_field_of_an_environment_is_read(repository):
    found = installation(repository.write("environments/production.yaml", FULL))
    assert (found.name, found.problems) == ("acme", ())
    assert found.environments["production"] == Environment(
        name="production",
        installation="acme",
        account="123456789012",
        region="eu-west-1",
        layers=("base", "overlays/production"),
        variables={"image_tag": "1.40", "replicas": "3", "public": "no", "text": "no"},
        sync=Sync(
            mode="auto",
            self_heal=True,
            self_heal_after=timedelta(minutes=15),
            undeclared="ignore",
            prune=True,
            max_deletions=5,
            timeout=timedelta(minutes=90),
            never=(Never("SecurityGroup"), Never("Service", ("desiredCount",))),
            windows=(Window("0 18 * * fri", timedelta(hours=62), "Europe/Berlin"),),
        ),
        origin=Origin("environments/production.yaml", 1, 1),
    )


def test_an_environment_that_says_nothing_of_sync_writes_nothing_by_itself(repository):
    assert installation(repository).environments["production"].sync == Sync()


@pytest.mark.parametrize(
    ("text", "heals", "after"), [("true", True, 0), ("false", False, 0), ("{after: 90s}", True, 90)]
)
def test_self_heal_is_a_switch_or_a_delay(repository, text, heals, after):
    repository.write("environments/production.yaml", environment("{after: 15m}", text))
    sync = installation(repository).environments["production"].sync
    assert (sync.self_heal, sync.self_heal_after) == (heals, timedelta(seconds=after))


@pytest.mark.parametrize(
    ("change", "value", "field", "message"),
    [
        ("timeout: 1h30m", "timeout: -15m", "spec.sync.timeout", "a duration is written 90s, 15m"),
        ("timeout: 1h30m", "timeout: 15", "spec.sync.timeout", "text is wanted, and YAML reads 15 as a number"),
        ("timeout: 1h30m", "timeout: .nan", "", ".nan is not a number"),
        ("timeout: 1h30m", "timeout: 999999999d", "spec.sync.timeout", "is longer than a year"),
        ("timeout: 1h30m", "timeout: 0s", "spec.sync.timeout", "must be longer than nothing"),
        ("for: 62h", "for: 62", "spec.sync.windows[0].for", "text is wanted"),
        ("{after: 15m}", "{after: soon}", "spec.sync.selfHeal.after", "a duration is written"),
        ("{after: 15m}", "sometimes", "spec.sync.selfHeal", "true or false or a map is wanted here"),
        ("maxDeletions: 5", "maxDeletions: -1", "spec.sync.maxDeletions", "-1 is too small: at least 0"),
        ("0 18 * * fri", "0 18 * * fry", "spec.sync.windows[0].deny", "'fry' is not a weekday"),
        ("0 18 * * fri", "99 18 * * fri", "spec.sync.windows[0].deny", "'99' is not a minute"),
        ("0 18 * * fri", "0 18 * *", "spec.sync.windows[0].deny", "it has five fields"),
        ("Europe/Berlin", "Europe/Berlni", "spec.sync.windows[0].timezone", "there is no time zone Europe/Berlni"),
        ("Europe/Berlin", "../../etc/passwd", "spec.sync.windows[0].timezone", "there is no time zone"),
        ('account: "123456789012"', "account: 123456789012", "spec.account", 'write "123456789012" in quotes'),
        ('account: "123456789012"', 'account: "12"', "spec.account", "an account is twelve digits"),
        ("region: eu-west-1", "region: EU", "spec.region", "a region is written as in eu-west-1"),
        ("mode: auto", "mode: Auto", "spec.sync.mode", "did you mean auto?"),
        ("mode: auto", "Mode: auto", "spec.sync.Mode", "write mode"),
        ("name: production", "name: Production!", "metadata.name", "lower-case letters, digits"),
        ("./base/", "/etc", "spec.layers[0]", "not a path from the repository's root"),
        ("./base/", "../other", "spec.layers[0]", "`..` is not allowed"),
        ("./base/", "overlays", "spec.layers[1]", "lie in one another"),
        ("./base/", "overlays/production", "spec.layers[1]", "is named twice"),
        ("./base/", ".", "spec.layers[0]", "the repository's root cannot be a layer"),
        ("public: no", "public: [no]", "spec.variables.public", "is wanted"),
        ("public: no", "public: '${var.text}'", "spec.variables.public", "a variable holds plain text"),
        ("public: no", "pub lic: no", "spec.variables", "variable"),
        ("spec:\n", "spec:\nother:\n", "spec", "a map is wanted"),
        ("kind: Environment", "kind: Service", "kind", "only Environment manifests stand here"),
    ],
)
def test_a_wrong_value_is_named_at_its_place(repository, change, value, field, message):
    assert change in FULL
    problem = repository.write("environments/production.yaml", environment(change, value)).problems(None)[0]
    assert problem.field == field
    assert message in problem.message
    assert problem.line > 0


def test_a_broken_environment_does_not_stop_the_others(repository):
    broken = FULL.replace("production", "staging").replace("1h30m", "-1m")
    repository.write("environments/staging.yaml", broken).write("environments/torn.yaml", "a: [\n")
    found = installation(repository)
    assert list(found.environments) == ["production"]
    assert list(found.broken) == ["staging"]
    assert repository.load("production").environment.name == "production"
    with pytest.raises(InvalidManifestsError, match="'-1m' does not have the right form"):
        repository.load("staging")


def test_two_environments_of_one_name_are_both_unusable(repository):
    found = installation(repository.write("environments/x.yaml", FULL))
    assert found.environments == {}
    assert "there are two environments named production; the first is environments/production.yaml:1" in str(
        found.problems[0]
    )


def test_without_a_name_the_only_environment_is_meant(repository):
    assert repository.load(None).environment.name == "production"
    repository.write("environments/staging.yaml", FULL.replace("production}", "staging}"))
    (problem,) = repository.problems(None)
    assert problem.message == "say which environment (--environment NAME); there are: production, staging"


def test_an_unknown_environment_is_named_with_the_nearest(repository):
    (problem,) = repository.problems("prodution")
    assert problem.message == "there is no environment prodution: did you mean production?; there are: production"


def test_environments_may_be_files_folders_or_both(repository):
    repository.write("reconciler.yaml", "installation: acme\nenvironments: [one.yaml, environments]\n")
    repository.write("one.yaml", FULL.replace("production}", "one}"))
    assert list(installation(repository).environments) == ["one", "production"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("environments: environments\n", "the installation needs a name"),
        ("installation: Acme Corp\nenvironments: environments\n", "the installation needs a name"),
        ("installation: acme\n", "a folder, a file, or a list of such is wanted"),
        ("installation: acme\nenvironments: [3]\n", "a folder, a file, or a list of such is wanted"),
        ("installation: acme\nenvironments: ../other\n", "`..` is not allowed"),
        ("installation: acme\nenvironments: /etc\n", "not a path from the repository's root"),
        ("installation: acme\nenvironment: x\nenvironments: environments\n", "did you mean environments?"),
        ("installation: acme\n---\nenvironments: x\n", "the file has to hold one document"),
        ("", "the file has to hold one document"),
        ("a: 1\na: 2\n", "stands here twice"),
    ],
)
def test_what_is_wrong_with_the_file_itself_stops_everything(repository, text, message):
    repository.write("reconciler.yaml", text)
    with pytest.raises(InvalidManifestsError) as caught:
        installation(repository)
    assert message in str(caught.value)


def test_a_repository_without_the_file_says_what_it_is_for(repository):
    del repository.contents["reconciler.yaml"]
    assert "it names the installation and its environments" in repository.problem().message


def test_an_environment_file_that_is_not_there_is_named(repository):
    repository.write("reconciler.yaml", "installation: acme\nenvironments: [environments, gone.yaml, empty]\n")
    found = installation(repository)
    assert [problem.message for problem in found.problems] == [
        "there is no such file: correct its name in reconciler.yaml",
        "there is no YAML file in empty",
    ]
