"""Manifests for Kubernetes, Cloud Run and Container Apps: of the schema, with few rights, and with settings that exist.

`kubernetes-validate` ships the schemas of Kubernetes. Cloud Run's containers and volumes are those of a pod there; of
Container Apps no schema is published with a package, so the fields that Azure's reference names are listed here.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from bento.api import endpoints
from bento.settings import Settings
from research.cli import ROOT
from ui.settings import Settings as PageSettings

KUBERNETES = ROOT / ".github" / "kubernetes"
CLOUD_RUN = ROOT / ".github" / "cloudrun"
AZURE = ROOT / ".github" / "azure" / "containerapp.yaml"
VERSIONS = ("1.33", "1.37")
"""Oldest and newest version whose schemas the manifests must fit; `sleep` in `lifecycle` is of 1.30."""
AZURE_FIELDS = {
    "properties": "configuration environmentId managedEnvironmentId template workloadProfileName",
    "configuration": "activeRevisionsMode dapr identitySettings ingress maxInactiveRevisions registries runtime "
    "secrets service",
    "ingress": "additionalPortMappings allowInsecure clientCertificateMode corsPolicy customDomains exposedPort "
    "external "
    "ipSecurityRestrictions stickySessions targetPort traffic transport",
    "traffic": "label latestRevision revisionName weight",
    "registries": "identity passwordSecretRef server username",
    "secrets": "identity keyVaultUrl name value",
    "template": "containers initContainers revisionSuffix scale serviceBinds terminationGracePeriodSeconds volumes",
    "containers": "args command env image name probes resources volumeMounts",
    "initContainers": "args command env image name resources volumeMounts",
    "env": "name secretRef value",
    "resources": "cpu memory",
    "probes": "failureThreshold httpGet initialDelaySeconds periodSeconds successThreshold tcpSocket "
    "terminationGracePeriodSeconds timeoutSeconds type",
    "httpGet": "host httpHeaders path port scheme",
    "volumeMounts": "mountPath subPath volumeName",
    "scale": "cooldownPeriod maxReplicas minReplicas pollingInterval rules",
    "rules": "azureQueue custom http name tcp",
    "http": "auth identity metadata",
    "volumes": "mountOptions name secrets storageName storageType",
}
"""The fields of Microsoft.App/containerApps, by the field that holds them, from its reference
(https://learn.microsoft.com/azure/templates/microsoft.app/containerapps)."""
AZURE_FIELDS_OF_A_VOLUME = {**AZURE_FIELDS, "secrets": "path secretRef"}
AZURE_FREE = {"metadata"}
"""Fields with names that a user chooses."""
SETTINGS = {str(field.validation_alias) for field in Settings.model_fields.values()} | {"PORT"}
PAGE_SETTINGS = {name.upper() for name in PageSettings.model_fields}


def documents(path: Path) -> list[dict[str, Any]]:
    return [document for document in yaml.safe_load_all(path.read_text("utf-8")) if document]


OBJECTS = [
    (path.name, document)
    for path in sorted(KUBERNETES.glob("*.yaml"))
    if path.name != "kustomization.yaml"
    for document in documents(path)
]
IDS = [f"{name} {document['kind']} {document['metadata']['name']}" for name, document in OBJECTS]
KUSTOMIZATION = documents(KUBERNETES / "kustomization.yaml")[0]
DEPLOYMENTS = {
    document["metadata"]["name"]: document["spec"] for _, document in OBJECTS if document["kind"] == "Deployment"
}
SECRETS = {
    document["metadata"]["name"]: set(document["stringData"]) for _, document in OBJECTS if document["kind"] == "Secret"
}


def of_kind(kind: str) -> dict[str, dict[str, Any]]:
    return {document["metadata"]["name"]: document["spec"] for _, document in OBJECTS if document["kind"] == kind}


def pod(deployment: str) -> dict[str, Any]:
    return dict(DEPLOYMENTS[deployment]["template"]["spec"])


def containers(spec: dict[str, Any]) -> list[dict[str, Any]]:
    return [*spec.get("initContainers", []), *spec["containers"]]


def probes(container: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield from (
        container[name]["httpGet"] for name in ("startupProbe", "readinessProbe", "livenessProbe") if name in container
    )
    yield from (probe["httpGet"] for probe in container.get("probes", []))


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize(("file", "document"), OBJECTS, ids=IDS)
def test_kubernetes_knows_every_field(file: str, document: dict[str, Any], version: str):
    kubernetes_validate.validate(document, version, strict=True)


def test_a_misspelt_field_does_not_fit():
    document = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "a"}, "spec": {"port": []}}

    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(document, VERSIONS[-1], strict=True)


@pytest.mark.parametrize("name", DEPLOYMENTS)
def test_pods_have_no_more_rights_than_restricted_ones(name: str):
    spec = pod(name)

    assert spec["automountServiceAccountToken"] is False
    assert spec["securityContext"]["runAsNonRoot"] is True
    assert spec["securityContext"]["runAsGroup"] == 0
    assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    for container in containers(spec):
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
        assert container["resources"]["limits"]["memory"]
    (namespace,) = [document for _, document in OBJECTS if document["kind"] == "Namespace"]
    assert namespace["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"


def test_what_is_written_in_a_pod_is_in_tmp():
    for name in DEPLOYMENTS:
        writable = {volume["name"] for volume in pod(name)["volumes"] if "emptyDir" in volume}
        for container in containers(pod(name)):
            mounts = {mount["mountPath"] for mount in container["volumeMounts"] if mount["name"] in writable}
            assert mounts == {"/tmp"}  # noqa: S108


def test_the_service_is_probed_at_its_addresses():
    paths = {"startupProbe": endpoints.READYZ, "readinessProbe": endpoints.READYZ, "livenessProbe": endpoints.LIVEZ}
    (container,) = pod("service")["containers"]

    assert {name: container[name]["httpGet"]["path"] for name in paths} == {
        name: endpoint.path for name, endpoint in paths.items()
    }


@pytest.mark.parametrize("name", DEPLOYMENTS)
def test_every_deployment_has_service_budget_and_network_policy(name: str):
    labels = {"app": name}
    port = pod(name)["containers"][0]["ports"][0]

    assert of_kind("Service")[name]["selector"] == labels
    assert of_kind("Service")[name]["ports"][0]["port"] == port["containerPort"]
    assert of_kind("PodDisruptionBudget")[name]["selector"] == {"matchLabels": labels}
    policy = of_kind("NetworkPolicy")[name]
    assert policy["podSelector"] == {"matchLabels": labels}
    assert policy["ingress"][0]["ports"] == [{"port": port["containerPort"]}]


def test_the_network_is_closed_unless_a_rule_opens_it():
    closed = of_kind("NetworkPolicy")["nothing"]

    assert closed == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
    for policy in of_kind("NetworkPolicy").values():
        assert all(rule.get("to") for rule in policy.get("egress", []))
        assert all(rule.get("from") for rule in policy.get("ingress", []))


def test_the_autoscaler_sets_the_number_of_its_deployment():
    (scaler,) = of_kind("HorizontalPodAutoscaler").values()

    assert scaler["scaleTargetRef"]["name"] == "service"
    assert "replicas" not in DEPLOYMENTS["service"]
    assert scaler["minReplicas"] > of_kind("PodDisruptionBudget")["service"]["minAvailable"]
    assert pod("service")["containers"][0]["resources"]["requests"]["cpu"]


def test_every_secret_that_a_pod_names_is_in_the_template():
    for name in DEPLOYMENTS:
        spec = pod(name)
        named = {entry["secretRef"]["name"] for container in containers(spec) for entry in container["envFrom"]}
        named |= {volume["secret"]["secretName"] for volume in spec["volumes"] if "secret" in volume}
        assert named <= set(SECRETS)
    assert "secrets.example.yaml" not in KUSTOMIZATION["resources"]


def test_the_kustomization_holds_every_file_and_names_images_by_digest():
    files = {path.name for path in KUBERNETES.glob("*.yaml")} - {"kustomization.yaml", "secrets.example.yaml"}
    used = {container["image"] for name in DEPLOYMENTS for container in containers(pod(name))}

    assert set(KUSTOMIZATION["resources"]) == files
    assert {image["name"] for image in KUSTOMIZATION["images"]} == used
    assert all(re.fullmatch(r"sha256:[0-9a-f]{64}", image["digest"]) for image in KUSTOMIZATION["images"])


def environments() -> dict[str, tuple[set[str], dict[str, str], list[dict[str, Any]]]]:
    """Return by container the names of its variables, the values of those that have one, and its mounts."""
    groups: dict[str, list[dict[str, Any]]] = {f"kubernetes {name}": containers(pod(name)) for name in DEPLOYMENTS}
    groups["cloudrun service"] = run_spec("service.yaml")["containers"]
    groups["cloudrun upgrade"] = run_spec("upgrade.yaml")["containers"]
    groups["azure"] = containers(documents(AZURE)[0]["properties"]["template"])
    result = {}
    for group, members in groups.items():
        for at, container in enumerate(members):
            variables = {entry["name"]: str(entry.get("value", "")) for entry in container["env"]}
            secret = {key for entry in container.get("envFrom", []) for key in SECRETS[entry["secretRef"]["name"]]}
            result[f"{group} {at}"] = ({*variables, *secret}, variables, container["volumeMounts"])
    return result


def run_spec(file: str) -> dict[str, Any]:
    """Return what is a pod in a manifest of Cloud Run."""
    spec: dict[str, Any] = documents(CLOUD_RUN / file)[0]["spec"]["template"]["spec"]
    return spec["template"]["spec"] if "template" in spec else spec


@pytest.mark.parametrize("name", environments())
def test_containers_are_given_settings_that_exist_and_files_that_are_mounted(name: str):
    variables, values, mounts = environments()[name]

    assert variables <= (PAGE_SETTINGS if "page" in name else SETTINGS)
    assert ("page" in name) or {"JOURNAL_URL", "SCORING_MASTER_KEY_FILE"} <= variables
    for variable in (variable for variable in values if variable.endswith("_FILE")):
        assert any(str(mount["mountPath"]) in map(str, Path(values[variable]).parents) for mount in mounts)


@pytest.mark.parametrize("file", ["service.yaml", "upgrade.yaml"])
def test_cloud_run_is_given_containers_and_volumes_of_a_pod(file: str):
    spec = run_spec(file)
    secrets = {volume["name"]: volume["secret"]["items"] for volume in spec["volumes"]}
    only_cloud_run = {"containerConcurrency", "timeoutSeconds", "maxRetries"}
    wrapped = {key: value for key, value in spec.items() if key not in only_cloud_run}
    for container in wrapped["containers"]:
        container["name"] = "service"  # Cloud Run names it by itself

    kubernetes_validate.validate(
        {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a"}, "spec": wrapped}, VERSIONS[-1], strict=True
    )
    assert all(item["key"] == "latest" for items in secrets.values() for item in items)


def test_cloud_run_asks_and_stops_as_the_service_can():
    spec = run_spec("service.yaml")
    (container,) = spec["containers"]
    port = container["ports"][0]["containerPort"]

    assert spec["timeoutSeconds"] > Settings().limits.request_timeout_s
    assert spec["containerConcurrency"] <= Settings().limits.max_concurrent_requests
    assert {probe["port"] for probe in probes(container)} == {port}
    assert {probe["path"] for probe in probes(container)} == {endpoints.READYZ.path, endpoints.LIVEZ.path}
    assert "PORT" not in {entry["name"] for entry in container["env"]}  # it is reserved


def unknown_to_azure(name: str, value: Any, fields: dict[str, str] = AZURE_FIELDS) -> list[str]:
    """Return the fields below one that the reference does not name, with the field that holds them."""
    if isinstance(value, list):
        return [unknown for item in value for unknown in unknown_to_azure(name, item, fields)]
    if not isinstance(value, dict) or name in AZURE_FREE:
        return []
    below = AZURE_FIELDS_OF_A_VOLUME if name == "volumes" else fields
    unknown = [f"{name}.{field}" for field in value if field not in fields[name].split()]
    return unknown + [one for field, inner in value.items() for one in unknown_to_azure(field, inner, below)]


def test_container_apps_has_no_field_that_azure_does_not_know():
    app = documents(AZURE)[0]

    assert app["type"] == "Microsoft.App/containerApps"
    assert unknown_to_azure("properties", app["properties"]) == []


@pytest.mark.parametrize(
    ("properties", "unknown"),
    [
        ({"template": {"containers": [{"probes": [{"httpget": {}}]}]}}, "probes.httpget"),
        ({"configuration": {"secrets": [{"path": "a"}]}}, "secrets.path"),
        ({"template": {"volumes": [{"secrets": [{"keyVaultUrl": "a"}]}]}}, "secrets.keyVaultUrl"),
        ({"template": {"initContainers": [{"probes": []}]}}, "initContainers.probes"),
    ],
)
def test_a_field_that_azure_does_not_know_is_named(properties: dict[str, Any], unknown: str):
    assert unknown_to_azure("properties", properties) == [unknown]


def test_container_apps_reads_secrets_and_asks_as_the_service_can():
    app = documents(AZURE)[0]["properties"]
    template, configuration = app["template"], app["configuration"]
    secrets = {secret["name"] for secret in configuration["secrets"]}
    (service,) = template["containers"]
    values = {entry["name"]: entry.get("value") for entry in service["env"]}

    named = {
        entry["secretRef"] for container in containers(template) for entry in container["env"] if "secretRef" in entry
    }
    named |= {entry["secretRef"] for volume in template["volumes"] for entry in volume["secrets"]}
    assert named == secrets
    assert {probe["path"] for probe in probes(service)} == {endpoints.READYZ.path, endpoints.LIVEZ.path}
    assert (
        {probe["port"] for probe in probes(service)}
        == {configuration["ingress"]["targetPort"]}
        == {int(values["PORT"])}
    )
    assert all(probe["failureThreshold"] <= 10 for probe in service["probes"])  # Azure's limit


def test_images_are_named_by_digest_everywhere():
    for path in (*CLOUD_RUN.glob("*.yaml"), AZURE):
        images = re.findall(r"image: (\S+)", path.read_text("utf-8"))
        assert images
        assert all("@sha256:" in image for image in images)
