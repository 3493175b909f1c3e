"""A server of moto that stands for AWS, with the types of resources that moto's CloudFormation does not know.

Of those, secrets and alarms are made in moto's own backends, so that the commands find them there. The others are named
in `NAMES_ONLY`: they get an identity and attributes of the right form, and nothing behind them; what they ask of AWS is
checked by cfn-lint against AWS's schemas, and by test_templates.py. Nor does moto run tasks, balance requests, watch
alarms during a change, or sign people in: tests of what depends on that give the answer by hand.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import moto.backends  # noqa: F401 - loads moto's models, among which the stand-ins are then listed
from moto.cloudformation import parsing
from moto.cloudwatch.models import cloudwatch_backends
from moto.core.common_models import CloudFormationModel
from moto.ec2.models import ec2_backends
from moto.ec2.models.route_tables import RouteTable
from moto.elbv2.models import ELBv2Backend, FakeTargetGroup
from moto.secretsmanager.models import secretsmanager_backends
from moto.server import ThreadedMotoServer

NAMES_ONLY = {
    "AWS::ApplicationAutoScaling::ScalableTarget": {},
    "AWS::ApplicationAutoScaling::ScalingPolicy": {},
    "AWS::CloudFront::Distribution": {"DomainName": "d111111abcdef8.cloudfront.net"},
    "AWS::CloudFront::ResponseHeadersPolicy": {},
    "AWS::CloudFront::VpcOrigin": {"Id": "vo_1"},
    "AWS::Cognito::UserPool": {},
    "AWS::Cognito::UserPoolClient": {"ClientSecret": "a client's secret"},
    "AWS::Cognito::UserPoolDomain": {},
    "AWS::IAM::OIDCProvider": {},
    "AWS::Logs::MetricFilter": {},
    "AWS::RDS::DBCluster": {"Endpoint": "journal.cluster-x.eu-west-1.rds.amazonaws.com"},  # moto cuts `.Address` off
    "AWS::RDS::DBInstance": {},
}
"""Types without anything behind them, and the attributes that the templates read."""


def _stand_in(kind: str, attributes: dict[str, str]) -> type[CloudFormationModel]:
    class StandIn(CloudFormationModel):
        def __init__(self, name: str) -> None:
            self.physical_resource_id = name

        @staticmethod
        def cloudformation_name_type() -> str:
            return ""

        @staticmethod
        def cloudformation_type() -> str:
            return kind

        @classmethod
        def has_cfn_attr(cls, attr: str) -> bool:
            return attr in attributes

        @classmethod
        def create_from_cloudformation_json(cls, resource_name: str, *_: Any, **__: Any) -> "StandIn":
            return cls(resource_name)

        @classmethod
        def update_from_cloudformation_json(cls, original_resource: Any, *_: Any, **__: Any) -> Any:
            return original_resource

        @classmethod
        def delete_from_cloudformation_json(cls, *_: Any, **__: Any) -> None:
            pass

        def get_cfn_attribute(self, attribute_name: str) -> str:
            return attributes[attribute_name]

    return StandIn


class _Secret(CloudFormationModel):
    def __init__(self, arn: str) -> None:
        self.physical_resource_id = arn

    @staticmethod
    def cloudformation_name_type() -> str:
        return "Name"

    @staticmethod
    def cloudformation_type() -> str:
        return "AWS::SecretsManager::Secret"

    @classmethod
    def has_cfn_attr(cls, attr: str) -> bool:
        return False

    @classmethod
    def create_from_cloudformation_json(
        cls, resource_name: str, cloudformation_json: dict[str, Any], account_id: str, region_name: str, **_: Any
    ) -> "_Secret":
        properties = cloudformation_json["Properties"]
        value = properties.get("SecretString") or ("x" * 40 if "GenerateSecretString" in properties else None)
        secretsmanager = secretsmanager_backends[account_id][region_name]
        secretsmanager.create_secret(resource_name, value, None, properties["Description"], [], None, None, [], False)
        return cls(secretsmanager.secrets[resource_name].arn)

    @classmethod
    def update_from_cloudformation_json(cls, original_resource: Any, *_: Any, **__: Any) -> Any:
        return original_resource

    @classmethod
    def delete_from_cloudformation_json(cls, resource_name: str, _: Any, account_id: str, region_name: str) -> None:
        secretsmanager_backends[account_id][region_name].delete_secret(resource_name, None, True)


class _Alarm(CloudFormationModel):
    def __init__(self, name: str, arn: str) -> None:
        self.physical_resource_id, self._arn = name, arn

    @staticmethod
    def cloudformation_name_type() -> str:
        return "AlarmName"

    @staticmethod
    def cloudformation_type() -> str:
        return "AWS::CloudWatch::Alarm"

    @classmethod
    def has_cfn_attr(cls, attr: str) -> bool:
        return attr == "Arn"

    @classmethod
    def create_from_cloudformation_json(
        cls, resource_name: str, cloudformation_json: dict[str, Any], account_id: str, region_name: str, **_: Any
    ) -> "_Alarm":
        properties = cloudformation_json["Properties"]
        alarm = cloudwatch_backends[account_id][region_name].put_metric_alarm(
            name=resource_name,
            namespace=properties.get("Namespace", "AWS/ApplicationELB"),
            metric_name=properties.get("MetricName", "expression"),
            comparison_operator=properties["ComparisonOperator"],
            evaluation_periods=int(properties["EvaluationPeriods"]),
            period=int(properties.get("Period", 60)),
            threshold=float(properties["Threshold"]),
            statistic=properties.get("Statistic", "Sum"),
            description=properties["AlarmDescription"],
            dimensions=[],
            alarm_actions=properties["AlarmActions"],
            treat_missing_data=properties["TreatMissingData"],
        )
        return cls(resource_name, alarm.alarm_arn)

    @classmethod
    def update_from_cloudformation_json(cls, original_resource: Any, *_: Any, **__: Any) -> Any:
        return original_resource

    @classmethod
    def delete_from_cloudformation_json(cls, resource_name: str, _: Any, account_id: str, region_name: str) -> None:
        cloudwatch_backends[account_id][region_name].delete_alarms([resource_name])

    def get_cfn_attribute(self, attribute_name: str) -> str:
        assert attribute_name == "Arn"
        return self._arn


STAND_INS = [_stand_in(kind, attributes) for kind, attributes in NAMES_ONLY.items()]
"""Kept, as moto finds the types by the classes that there are."""

# moto knows weights, but not in templates; and it makes target groups, but does not tell their full name.
ELBv2Backend.convert_and_validate_properties = lambda self, properties: properties["DefaultActions"]
ELBv2Backend.convert_and_validate_action_properties = lambda self, properties: properties["Actions"]
FakeTargetGroup.has_cfn_attr = classmethod(lambda cls, attr: attr == "TargetGroupFullName")
FakeTargetGroup.get_cfn_attribute = lambda self, attribute: self.arn.rpartition(":")[2]


def _delete_routes(table: RouteTable, account_id: str, region_name: str) -> None:
    backend = ec2_backends[account_id][region_name]
    table._associations.clear()
    backend.delete_route_table(table.id)


# moto does not delete route tables with their stack, which then keep the network from being deleted.
RouteTable.delete = _delete_routes


@contextmanager
def running() -> Iterator[str]:
    """Run the server in a thread, and return its address."""
    parsing.get_model_list.cache_clear()
    parsing.get_model_map.cache_clear()
    parsing.get_name_type_map.cache_clear()
    server = ThreadedMotoServer("127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        yield f"http://{host}:{port}"
    finally:
        server.stop()
