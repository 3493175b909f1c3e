"""The templates are valid by AWS's schemas, open nothing to the internet, and give each role what it needs."""

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bento.api import endpoints
from bento.settings import Settings
from research.cli import ROOT
from research.deployment.cloud.stacks import TEMPLATES, read_template
from ui.settings import Settings as PageSettings

FILES = sorted(path.name for path in TEMPLATES.glob("*.yaml"))
MAX_BODY_BYTES = 51_200
"""Of a template that is given to CloudFormation without a bucket of S3 between."""

NO_RESOURCE = "AWS knows no resource for the action"
STATEMENTS = {
    "bootstrap.yaml PushRole trust GitHubStaging": "",
    "bootstrap.yaml PushRole LogIn": NO_RESOURCE,
    "bootstrap.yaml PushRole Push": "",
    "environment.yaml TaskRole trust Tasks": "",
    "environment.yaml TaskRole LogIn": NO_RESOURCE,
    "environment.yaml TaskRole Pull": "",
    "environment.yaml TaskRole Log": "",
    "environment.yaml TaskRole Secrets": "",
    "environment.yaml TaskRole DatabaseCertificate": "",
    "environment.yaml PageRole trust Tasks": "",
    "environment.yaml PageRole LogIn": NO_RESOURCE,
    "environment.yaml PageRole Pull": "",
    "environment.yaml PageRole Log": "",
    "environment.yaml PageRole Secrets": "",
    "environment.yaml ReleaseRole trust CloudFormation": "",
    "environment.yaml ReleaseRole Services": "",
    "environment.yaml ReleaseRole Tasks": "",
    "environment.yaml ReleaseRole FormerTasks": NO_RESOURCE,
    "environment.yaml ReleaseRole RolesOfTasks": "",
    "environment.yaml ReleaseRole Traffic": "",
    "environment.yaml ReleaseRole SeeTraffic": NO_RESOURCE,
    "environment.yaml ReleaseRole Scaling": "",
    "environment.yaml ReleaseRole SeeScaling": NO_RESOURCE,
    "environment.yaml ReleaseRole RoleOfScaling": "",
    "environment.yaml ReleaseRole ScalingAlarms": "",
    "environment.yaml ReleaseRole AlarmsThatRollBack": "",
    "environment.yaml DeployRole trust GitHubEnvironment": "",
    "environment.yaml DeployRole ChangeReleases": "",
    "environment.yaml DeployRole TagReleases": "",
    "environment.yaml DeployRole RemoveWhatFailedToStart": "",
    "environment.yaml DeployRole SeeStacks": "",
    "environment.yaml DeployRole RoleOfCloudFormation": "",
    "environment.yaml DeployRole LogIn": NO_RESOURCE,
    "environment.yaml DeployRole SeeImages": "",
    "environment.yaml DeployRole SeeAlarms": "",
    "environment.yaml DeployRole TestKey": "",
    "watch.yaml WatchRole trust GitHubDrift": "",
    "watch.yaml WatchRole Secrets": "",
    "watch.yaml WatchRole DatabaseCertificate": "",
    "watch.yaml WatchRole SeeStack": "",
}
"""Every statement of every role, and the reason why its resource is `*` where it is."""
WITHOUT_RESOURCE = {
    "ecr:GetAuthorizationToken",
    "ecs:DeregisterTaskDefinition",
    "ecs:DescribeTaskDefinition",
    "elasticloadbalancing:DescribeListenerAttributes",
    "elasticloadbalancing:DescribeListeners",
    "elasticloadbalancing:DescribeLoadBalancers",
    "elasticloadbalancing:DescribeRules",
    "elasticloadbalancing:DescribeTags",
    "elasticloadbalancing:DescribeTargetGroups",
    "application-autoscaling:DescribeScalableTargets",
    "application-autoscaling:DescribeScalingPolicies",
}
"""Actions for which AWS's service authorization reference names no resource."""


def _as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _resources(kind: str, file: str | None = None) -> dict[str, dict[str, Any]]:
    """Return the properties of all resources of a type, by file and name."""
    return {
        f"{name} {key}": resource["Properties"]
        for name in ([file] if file else FILES)
        for key, resource in read_template(name)["Resources"].items()
        if resource["Type"] == kind
    }


def _statements() -> Iterator[tuple[str, dict[str, Any]]]:
    for role, properties in _resources("AWS::IAM::Role").items():
        for statement in properties["AssumeRolePolicyDocument"]["Statement"]:
            yield f"{role} trust {statement['Sid']}", statement
        for policy in properties["Policies"]:
            for statement in policy["PolicyDocument"]["Statement"]:
                yield f"{role} {statement['Sid']}", statement


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for one in value.values():
            yield from _texts(one)
    elif isinstance(value, list):
        for one in value:
            yield from _texts(one)
    elif isinstance(value, str):
        yield value


@pytest.mark.promise("the templates of the cloud stack are valid by AWS's schemas (cfn-lint)")
def test_cfn_lint_finds_nothing():
    lint = [str(ROOT / ".venv" / "bin" / "cfn-lint"), *(str(TEMPLATES / name) for name in FILES)]

    done = subprocess.run(lint, capture_output=True, text=True, check=False)

    assert (done.returncode, done.stdout) == (0, "")


def test_cfn_lint_would_find_a_fault(tmp_path: Path):
    text = (TEMPLATES / "traffic.yaml").read_text().replace("Protocol: HTTP", "Protocol: GOPHER")
    (tmp_path / "traffic.yaml").write_text(text)

    lint = [str(ROOT / ".venv" / "bin" / "cfn-lint"), str(tmp_path / "traffic.yaml")]

    assert subprocess.run(lint, capture_output=True, check=False).returncode != 0


@pytest.mark.parametrize("name", FILES)
def test_a_template_fits_into_one_request(name: str):
    assert (TEMPLATES / name).stat().st_size < MAX_BODY_BYTES


@pytest.mark.promise("every permission in the cloud is listed, and none allows every action or all of everything")
def test_every_statement_is_listed_and_none_allows_all():
    statements = dict(_statements())

    assert statements.keys() == STATEMENTS.keys()
    for name, statement in statements.items():
        actions, resources = _as_list(statement["Action"]), _as_list(statement.get("Resource", []))
        assert not [action for action in actions if "*" in action], name
        assert ("*" in resources) == (STATEMENTS[name] == NO_RESOURCE), name
        if "*" in resources:
            assert set(actions) <= WITHOUT_RESOURCE, name


def test_no_policy_is_written_elsewhere():
    types = {resource["Type"] for name in FILES for resource in read_template(name)["Resources"].values()}

    assert {kind for kind in types if kind.startswith("AWS::IAM::")} == {"AWS::IAM::Role", "AWS::IAM::OIDCProvider"}
    assert not [one for one in _resources("AWS::IAM::Role").values() if "ManagedPolicyArns" in one]


@pytest.mark.promise("only workflows of the own repository, in the environment's name, may deploy")
def test_github_is_trusted_for_one_repository_and_environment():
    trusts = {name: statement for name, statement in _statements() if "GitHub" in name}

    assert len(trusts) == 3
    for statement in trusts.values():
        equals = statement["Condition"]["StringEquals"]
        assert equals["token.actions.githubusercontent.com:aud"] == "sts.amazonaws.com"
        subject = equals["token.actions.githubusercontent.com:sub"]["Fn::Sub"]
        assert re.fullmatch(r"repo:\$\{Repository\}:environment:(staging|drift|\$\{Name\})", subject)


def test_what_deploys_can_change_nothing_that_lasts():
    allowed = {name: statement for name, statement in _statements() if "DeployRole" in name and "trust" not in name}
    stacks = [
        text
        for name in ("ChangeReleases", "TagReleases", "RemoveWhatFailedToStart")
        for text in _texts(allowed[f"environment.yaml DeployRole {name}"]["Resource"])
    ]

    assert all(re.search(r"stack/\$\{AWS::StackName\}-(blue|green|traffic|page)/\*$", text) for text in stacks)
    changing = {action for one in allowed.values() for action in _as_list(one["Action"])}
    reading = re.compile(r"\w+:(Describe\w+|Get\w+|BatchGetImage)")
    assert {action for action in changing if not reading.fullmatch(action)} == {
        "cloudformation:CreateStack",
        "cloudformation:DeleteStack",
        "cloudformation:TagResource",
        "cloudformation:UpdateStack",
        "iam:PassRole",
    }


def test_nothing_is_reached_from_the_internet_but_through_cloudfront():
    entries = [
        rule
        for group in _resources("AWS::EC2::SecurityGroup").values()
        for rule in group.get("SecurityGroupIngress", [])
    ] + list(_resources("AWS::EC2::SecurityGroupIngress").values())

    assert len(entries) == 6
    assert not [rule for rule in entries if "CidrIp" in rule or "CidrIpv6" in rule]
    assert {one["Scheme"] for one in _resources("AWS::ElasticLoadBalancingV2::LoadBalancer").values()} == {"internal"}
    assert {one["PubliclyAccessible"] for one in _resources("AWS::RDS::DBInstance").values()} == {False}
    for one in _resources("AWS::CloudFront::Distribution").values():
        behaviour = one["DistributionConfig"]["DefaultCacheBehavior"]
        assert behaviour["ViewerProtocolPolicy"] in ("https-only", "redirect-to-https")


def test_the_journal_is_encrypted_backed_up_and_kept():
    journal = read_template("environment.yaml")["Resources"]["Journal"]
    sizes = read_template("environment.yaml")["Mappings"]["Sizes"]

    assert journal["Properties"]["StorageEncrypted"] is True
    assert journal["DeletionPolicy"] == "Snapshot"
    assert journal["Properties"]["DeletionProtection"] == {"Fn::If": ["IsProtected", True, False]}
    assert [sizes[size]["BackupDays"] for size in ("small", "standard")] == [7, 35]
    assert sizes["small"]["MinCapacity"] == 0
    assert sizes["standard"]["Instances"] == 2


@pytest.mark.parametrize("name", FILES)
def test_every_import_is_exported_by_the_environment(name: str):
    exported = {
        next(_texts(output["Export"]["Name"])).removeprefix("${AWS::StackName}")
        for file in ("environment.yaml", "bootstrap.yaml")
        for output in read_template(file)["Outputs"].values()
        if "Export" in output
    }
    text = json.dumps(read_template(name))

    imported = set(re.findall(r'"Fn::ImportValue": \{"Fn::Sub": "\$\{Environment\}([^"]*)"', text))
    imported |= set(re.findall(r'"Fn::ImportValue": "([^"]*)"', text))
    expanded = {one.replace("${Colour}", colour) for one in imported for colour in ("blue", "green")}
    assert expanded <= exported


def _containers(file: str) -> dict[str, dict[str, Any]]:
    (task,) = _resources("AWS::ECS::TaskDefinition", file).values()
    return {container["Name"]: container for container in task["ContainerDefinitions"]}


@pytest.mark.parametrize("file", ["release.yaml", "page.yaml"])
def test_containers_are_read_only_and_of_an_image_by_its_digest(file: str):
    pattern = read_template(file)["Parameters"]["Image"]["AllowedPattern"]

    for container in _containers(file).values():
        assert container["ReadonlyRootFilesystem"] is True
        assert container["Image"] == {"Ref": "Image"}
    assert re.fullmatch(pattern, f"registry/name@sha256:{'a' * 64}")
    assert re.fullmatch(pattern, "registry/name:latest") is None


def test_the_service_is_given_settings_that_it_has():
    names = {str(field.validation_alias) for field in Settings.model_fields.values()}
    given = {one["Name"] for one in _containers("release.yaml")["service"]["Environment"]}

    assert {name for name in given if name.startswith(("SCORING_", "JOURNAL_"))} <= names
    page = {
        one["Name"].lower() for kind in ("Environment", "Secrets") for one in _containers("page.yaml")["page"][kind]
    }
    assert page <= set(PageSettings.model_fields)


@pytest.mark.promise("in the cloud the password of the tables' owner is not in the container that serves")
def test_only_the_container_that_upgrades_has_the_password_of_the_owner():
    holders = [
        name
        for name, container in _containers("release.yaml").items()
        if "-database-owner" in json.dumps(container.get("Secrets", []))
    ]

    assert holders == ["journal"]
    service = json.dumps(_containers("release.yaml")["service"])
    assert "-database-service" in service
    assert "sslmode=verify-full" in json.dumps(read_template("environment.yaml")["Outputs"]["ServiceUrl"])


def test_the_balancer_asks_whether_decisions_can_be_made():
    groups = _resources("AWS::ElasticLoadBalancingV2::TargetGroup")

    assert groups["environment.yaml Blue"] == groups["environment.yaml Green"]
    assert groups["environment.yaml Blue"]["HealthCheckPath"] == endpoints.READYZ.path


def test_the_alarms_are_those_that_were_asked_for():
    alarms = _resources("AWS::CloudWatch::Alarm")

    assert {name.split()[1] for name in alarms} == {
        "ServerErrors",
        "SlowAnswers",
        "NotReady",
        "JournalErrors",
        "NoDecisions",
    }
    assert all(alarm["AlarmActions"] == [{"Ref": "Notices"}] for alarm in alarms.values())
    assert alarms["environment.yaml SlowAnswers"]["ExtendedStatistic"] == "p99"


def test_filters_name_fields_that_the_log_has(tmp_path: Path):
    source = "".join(
        (ROOT / "bento" / "api" / file).read_text() for file in ("log_lines.py", "middleware/request_log.py")
    )
    filters = " ".join(one["FilterPattern"] for one in _resources("AWS::Logs::MetricFilter").values())

    fields = set(re.findall(r"\$\.(\w+)", filters))
    assert fields == {"level", "message", "status", "route"}
    assert all(re.search(rf"\b{field}\b", source) for field in fields)
    routes = set(re.findall(r'route = "([^"]+)"', filters))
    assert routes == {endpoints.PREDICT.path, endpoints.PREDICT_BATCH.path}
    assert '"not ready: %s"' in (ROOT / "bento/journal/readiness.py").read_text()


def test_the_dashboard_is_json():
    (body,) = _resources("AWS::CloudWatch::Dashboard").values()

    widgets = json.loads(body["DashboardBody"]["Fn::Sub"][0])["widgets"]

    assert [widget["type"] for widget in widgets].count("alarm") == 1
    assert len(widgets) == 6


def test_releases_end_by_the_circuit_breaker():
    for service in _resources("AWS::ECS::Service").values():
        assert service["DeploymentConfiguration"]["DeploymentCircuitBreaker"] == {"Enable": True, "Rollback": True}
