"""deploy/kubernetes: valid by Kubernetes' own schemas, and true to ours."""

import re
from collections import Counter

import kubernetes_validate
import pytest

from tests.support.deployment import (
    DEPLOY,
    OURS,
    PINNED,
    ROOT,
    answers_at,
    extras,
    images,
    is_command,
    manifests,
    metrics_port,
    unknown_variables,
)
from tests.support.series import unknown

RELEASES = ("1.31", "1.37")
SCALED = {
    "scaleTargetRef": {"apiVersion", "kind", "name", "envSourceContainerName"},
    "triggers": {
        *("type", "name", "metadata", "metricType", "authenticationRef"),
        "useCachedMetrics",
    },
    "advanced": {
        *("restoreToOriginalReplicaCount", "horizontalPodAutoscalerConfig"),
        "scalingModifiers",
    },
    "fallback": {"failureThreshold", "replicas", "behavior"},
    "pollingInterval": int,
    "initialCooldownPeriod": int,
    "cooldownPeriod": int,
    "idleReplicaCount": int,
    "minReplicaCount": int,
    "maxReplicaCount": int,
}
"""The fields of a ScaledObject, as KEDA's reference lists them."""
PROMETHEUS_TRIGGER = {
    *("serverAddress", "query", "threshold", "activationThreshold"),
    *("namespace", "customHeaders", "ignoreNullValues", "queryParameters"),
    *("unsafeSsl", "timeout", "authModes"),
}

ALL = manifests()


def of_kind(*kinds):
    return [each for each in ALL if each["kind"] in kinds]


def key(each):
    about = each["metadata"]
    return each["kind"], about.get("namespace"), about["name"]


def title(each):
    return "-".join(str(part) for part in key(each) if part)


LOADS = of_kind("Deployment", "StatefulSet", "Job")
PODS = [(each, each["spec"]["template"]) for each in LOADS]
CONTAINERS = [
    (each, container)
    for each, template in PODS
    for container in template["spec"]["containers"]
]
OUR_CONTAINERS = [
    (each, container)
    for each, container in CONTAINERS
    if OURS.match(container["image"])
]
PRIVILEGED = {"benchmark-worker", "verifier-worker"}


def each_container(containers):
    return pytest.mark.parametrize(
        ("load", "container"),
        containers,
        ids=[title(load) for load, _ in containers],
    )


@pytest.mark.parametrize("release", RELEASES)
@pytest.mark.parametrize(
    "each",
    [each for each in ALL if not each["apiVersion"].startswith("keda")],
    ids=title,
)
def test_an_object_is_valid_by_kubernetes_own_schema(each, release):
    kubernetes_validate.validate(each, release, strict=True)


def test_no_object_is_there_twice():
    assert [each for each, n in Counter(map(key, ALL)).items() if n > 1] == []


@pytest.mark.parametrize("each", of_kind("ScaledObject"), ids=title)
def test_a_scaled_object_has_kedas_fields_and_a_target(each):
    assert each["apiVersion"] == "keda.sh/v1alpha1"
    spec = each["spec"]
    assert set(spec) <= set(SCALED)
    for name, value in spec.items():
        known = SCALED[name]
        if known is int:
            assert isinstance(value, int)
        else:
            parts = value if isinstance(value, list) else [value]
            assert all(set(part) <= known for part in parts)
    target = spec["scaleTargetRef"]
    (load,) = [
        one
        for one in LOADS
        if key(one)
        == (target["kind"], each["metadata"]["namespace"], target["name"])
    ]
    assert load["apiVersion"] == target["apiVersion"]
    assert 0 < spec["minReplicaCount"] <= spec["maxReplicaCount"]


@pytest.mark.parametrize("each", of_kind("ScaledObject"), ids=title)
def test_workers_are_scaled_by_the_depth_of_their_own_queue(each):
    (trigger,) = each["spec"]["triggers"]
    assert trigger["type"] == "prometheus"
    asked = trigger["metadata"]
    assert set(asked) <= PROMETHEUS_TRIGGER
    assert all(isinstance(value, str) for value in asked.values())
    host, port = re.fullmatch(
        r"http://([a-z]+)\.quasar\.svc:(\d+)", asked["serverAddress"]
    ).groups()
    (service,) = [
        one for one in of_kind("Service") if key(one)[1:] == ("quasar", host)
    ]
    assert [one["port"] for one in service["spec"]["ports"]] == [int(port)]
    queue = {
        "benchmark-worker": "benchmark",
        "verifier-worker": "verification",
    }[each["metadata"]["name"]]
    (settings,) = [
        one["data"]
        for one in of_kind("ConfigMap")
        if key(one)[1:] == ("quasar-workers", "settings")
    ]
    assert unknown(asked["query"]) == []
    assert asked["query"] == (
        f'max(quasar_queue_depth{{queue="{queue}",'
        f'pool="{settings["QUASAR_POOL"]}"}})'
    )


@each_container(OUR_CONTAINERS)
def test_a_container_is_told_only_what_some_process_reads(load, container):
    told = {each["name"] for each in container["env"]}
    assert unknown_variables(told) == set()


@pytest.mark.parametrize(
    "each",
    [one for one in of_kind("ConfigMap") if key(one)[2] == "settings"],
    ids=title,
)
def test_settings_are_settings_and_hold_no_secret(each):
    assert unknown_variables(each["data"]) == set()
    assert not [
        name for name in each["data"] if "URL" in name and "CHAIN" not in name
    ]


def test_no_secret_lies_in_a_manifest():
    assert of_kind("Secret") == []


@each_container(CONTAINERS)
def test_an_image_is_one_of_ours_or_pinned_by_its_digest(load, container):
    image = container["image"]
    ours = OURS.match(image)
    if ours is None:
        assert PINNED.match(image)
    else:
        assert ours.group(1) in images() & extras()
        assert is_command(container["args"])


@each_container(CONTAINERS)
def test_a_container_has_limits_and_no_right_that_it_does_not_need(
    load, container
):
    assert container["resources"]["limits"]["memory"]
    assert container["resources"]["requests"].keys() >= {"cpu", "memory"}
    security = container["securityContext"]
    assert security["readOnlyRootFilesystem"] is True
    if load["metadata"]["name"] in PRIVILEGED:
        assert load["metadata"]["namespace"] == "quasar-workers"
        return
    assert load["metadata"]["namespace"] == "quasar"
    assert security["allowPrivilegeEscalation"] is False
    assert security["capabilities"] == {"drop": ["ALL"]}
    pod = load["spec"]["template"]["spec"]["securityContext"]
    assert pod["runAsNonRoot"] is True
    assert pod["runAsUser"] > 0
    assert pod["seccompProfile"] == {"type": "RuntimeDefault"}


def test_workers_keep_to_nodes_of_their_own():
    for load, template in PODS:
        if load["metadata"]["name"] in PRIVILEGED:
            spec = template["spec"]
            assert spec["nodeSelector"] == {"quasar/pool": "gpu"}
            assert [each["key"] for each in spec["tolerations"]] == [
                "quasar/strangers"
            ]


@each_container(
    [(load, each) for load, each in CONTAINERS if load["kind"] != "Job"]
)
def test_a_container_is_probed_where_it_answers(load, container):
    ports = {
        each["name"]: each["containerPort"] for each in container["ports"]
    }
    assert "livenessProbe" in container
    for name in ("startupProbe", "readinessProbe", "livenessProbe"):
        probe = container.get(name, {}).get("httpGet")
        if probe is None:
            continue
        assert probe["port"] in ports
        if OURS.match(container["image"]):
            assert answers_at(probe["path"])
            at_metrics = probe["path"] == "/metrics"
            assert (ports[probe["port"]] == metrics_port()) is at_metrics


@each_container(CONTAINERS)
def test_what_is_mounted_is_a_volume_of_the_pod(load, container):
    spec = load["spec"]
    volumes = {each["name"] for each in spec["template"]["spec"]["volumes"]}
    volumes |= {
        each["metadata"]["name"]
        for each in spec.get("volumeClaimTemplates", ())
    }
    mounted = {each["name"] for each in container["volumeMounts"]}
    assert mounted == volumes


def labelled(namespace, selector):
    """The names of what runs in a namespace and has these labels."""
    wanted = selector.get("matchLabels", {})
    found = []
    for load, template in PODS:
        labels = template["metadata"]["labels"]
        fits = wanted.items() <= labels.items()
        for each in selector.get("matchExpressions", ()):
            if each["operator"] == "In":
                fits &= labels.get(each["key"]) in each["values"]
            else:
                fits &= each["key"] in labels
        if fits and load["metadata"]["namespace"] == namespace:
            found.append(load["metadata"]["name"])
    return found


@pytest.mark.parametrize("load", LOADS, ids=title)
def test_a_load_selects_its_own_pods(load):
    selector = load["spec"].get("selector")
    if load["kind"] != "Job":
        name = load["metadata"]["name"]
        found = labelled(load["metadata"]["namespace"], selector)
        assert found == [name]


@pytest.mark.parametrize("each", of_kind("Service"), ids=title)
def test_a_service_leads_to_a_port_that_is_there(each):
    namespace = each["metadata"]["namespace"]
    (name,) = labelled(namespace, {"matchLabels": each["spec"]["selector"]})
    ports = {
        port["name"]: port["containerPort"]
        for load, container in CONTAINERS
        if load["metadata"]["name"] == name
        for port in container["ports"]
    }
    for port in each["spec"]["ports"]:
        assert ports[port["targetPort"]] == port["port"]


@pytest.mark.parametrize("each", of_kind("PodDisruptionBudget"), ids=title)
def test_a_budget_is_somebodys_and_can_be_kept(each):
    namespace = each["metadata"]["namespace"]
    (name,) = labelled(namespace, each["spec"]["selector"])
    (replicas,) = [
        load["spec"]["replicas"]
        for load in LOADS
        if load["metadata"]["name"] == name
    ]
    assert each["spec"].get("minAvailable", 0) < replicas


def test_nothing_is_allowed_by_default_in_either_namespace():
    closed = {
        each["metadata"]["namespace"]
        for each in of_kind("NetworkPolicy")
        if each["spec"]
        == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
    }
    assert closed == {
        each["metadata"]["name"] for each in of_kind("Namespace")
    }


@pytest.mark.parametrize("each", of_kind("NetworkPolicy"), ids=title)
def test_a_policy_speaks_of_pods_that_there_are(each):
    own = each["metadata"]["namespace"]
    selectors = [(own, each["spec"]["podSelector"])]
    for way, end in (("ingress", "from"), ("egress", "to")):
        for rule in each["spec"].get(way, ()):
            for peer in rule.get(end, ()):
                room = peer.get("namespaceSelector", {}).get("matchLabels", {})
                named = room.get("kubernetes.io/metadata.name", own)
                if "podSelector" in peer:
                    selectors.append((named, peer["podSelector"]))
    for namespace, selector in selectors:
        for expression in selector.get("matchExpressions", ()):
            for value in expression.get("values", ()):
                assert labelled(namespace, {"matchLabels": {"app": value}})
        assert labelled(namespace, selector)


def test_the_database_is_reached_by_the_api_alone():
    (policy,) = [
        each for each in of_kind("NetworkPolicy") if key(each)[2] == "database"
    ]
    (rule,) = policy["spec"]["ingress"]
    (peer,) = rule["from"]
    assert labelled("quasar", peer["podSelector"]) == [
        *("web", "recorder", "scheduler", "migrate")
    ]


def test_the_broker_is_configured_as_in_compose():
    (told,) = [
        each["data"]["valkey.conf"]
        for each in of_kind("ConfigMap")
        if key(each)[2] == "broker"
    ]
    lines = (DEPLOY / "valkey.conf").read_text().splitlines()
    assert told.splitlines() == [
        line for line in lines if not line.startswith("#")
    ]


def test_every_secret_that_a_pod_mounts_is_made_in_the_owners_page():
    page = (ROOT / "docs" / "owners.md").read_text()
    made = set(re.findall(r"secret +(?:generic )?([a-z-]+) ", page))
    mounted = {
        volume["secret"]["secretName"]
        for _, template in PODS
        for volume in template["spec"]["volumes"]
        if "secret" in volume
    }
    assert mounted
    assert mounted - made == set()
