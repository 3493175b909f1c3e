"""What an environment costs follows from the templates and from dated prices, and is what the document says."""

import re

import pytest

from research.cli import ROOT
from research.deployment.cloud import cost
from research.deployment.cloud.stacks import read_template
from tests.support.commands import CommandRunner


def test_every_price_has_a_date_and_a_source():
    for name, price in cost.prices()["prices"].items():
        assert price["price"] > 0, name
        assert re.fullmatch(r"20\d\d-\d\d", price["date"]), name
        assert price["source"].startswith("https://aws.amazon.com/"), name
        assert isinstance(price["verified"], bool), name


def test_a_bill_is_what_its_parts_cost():
    # By hand: half a vCPU and 2 GB, each hour of a month, for one task of the service.
    service = next(line for line in cost.bill("small") if line.name.startswith("service"))

    assert service.month == pytest.approx((0.5 * 0.04048 + 2 * 0.004445) * 730)
    journal = next(line for line in cost.bill("standard") if line.name.startswith("journal: 2"))
    assert journal.month == pytest.approx(2 * 0.5 * 0.14 * 730)


def test_at_rest_neither_tasks_nor_a_database_that_pauses_are_charged():
    lines = {line.name.split(":")[0]: line.month for line in cost.bill("small", resting=True)}

    assert (lines["service"], lines["page"]) == (0, 0)
    assert next(line for line in cost.bill("small", resting=True) if "ACU" in line.name).month == 0


def test_every_type_that_is_charged_is_in_the_bill():
    # Types without a separate charge; a new type is either added here, or to the bill.
    free = {
        "AWS::ApplicationAutoScaling::ScalableTarget",
        "AWS::ApplicationAutoScaling::ScalingPolicy",
        "AWS::CloudFront::ResponseHeadersPolicy",
        "AWS::CloudFront::VpcOrigin",
        "AWS::Cognito::UserPool",  # up to ten thousand people
        "AWS::Cognito::UserPoolClient",
        "AWS::Cognito::UserPoolDomain",
        "AWS::EC2::InternetGateway",
        "AWS::EC2::Route",
        "AWS::EC2::RouteTable",
        "AWS::EC2::SecurityGroup",
        "AWS::EC2::SecurityGroupIngress",
        "AWS::EC2::Subnet",
        "AWS::EC2::SubnetRouteTableAssociation",
        "AWS::EC2::VPC",
        "AWS::EC2::VPCEndpoint",  # of the kind Gateway
        "AWS::EC2::VPCGatewayAttachment",
        "AWS::ECS::Cluster",
        "AWS::ECS::TaskDefinition",
        "AWS::ElasticLoadBalancingV2::Listener",
        "AWS::ElasticLoadBalancingV2::ListenerRule",
        "AWS::ElasticLoadBalancingV2::TargetGroup",
        "AWS::IAM::OIDCProvider",
        "AWS::IAM::Role",
        "AWS::RDS::DBSubnetGroup",
        "AWS::SNS::Subscription",
        "AWS::SNS::Topic",
    }
    charged = {
        "AWS::CloudFront::Distribution",
        "AWS::CloudWatch::Alarm",
        "AWS::CloudWatch::Dashboard",
        "AWS::EC2::EIP",
        "AWS::EC2::NatGateway",
        "AWS::ECR::Repository",
        "AWS::ECS::Service",
        "AWS::ElasticLoadBalancingV2::LoadBalancer",
        "AWS::Logs::LogGroup",
        "AWS::Logs::MetricFilter",
        "AWS::RDS::DBCluster",
        "AWS::RDS::DBInstance",
        "AWS::SecretsManager::Secret",
    }
    files = ("bootstrap.yaml", "environment.yaml", "release.yaml", "traffic.yaml", "page.yaml")

    types = {resource["Type"] for file in files for resource in read_template(file)["Resources"].values()}

    assert types == free | charged


@pytest.mark.promise("the monthly cost in docs/deploy.md is what `research cloud cost` computes")
def test_the_document_holds_the_tables_that_the_command_prints(capsys: pytest.CaptureFixture[str]):
    run = CommandRunner(capsys)
    document = (ROOT / "docs" / "deploy.md").read_text("utf-8")

    for options in ((), ("--sources",)):
        code, table, _ = run("cloud", "cost", *options)
        assert code == 0
        assert table.strip() in document


@pytest.mark.parametrize("size", ["small", "standard"])
def test_one_size_is_printed_line_by_line_with_its_sum(size: str, capsys: pytest.CaptureFixture[str]):
    _, output, _ = CommandRunner(capsys)("cloud", "cost", "--size", size)

    months = [float(line.split(" a month")[0].split()[-1]) for line in output.splitlines()]
    assert sum(months[:-1]) == pytest.approx(months[-1], abs=0.1)
