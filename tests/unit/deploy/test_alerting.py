"""What watches in compose and on Kubernetes finds, and is found."""

import json

import pytest
import yaml

from tests.support.deployment import DEPLOY, compose, manifests

SERVICES = compose()["services"]
TOLD = (DEPLOY / "alertmanager" / "alertmanager.yml").read_text()
PROMETHEUS = yaml.safe_load(
    (DEPLOY / "prometheus" / "prometheus.yml").read_text()
)
SECRET = "alert_webhook_url"
PORT = 9093


def manifest(kind, name):
    (found,) = [
        each
        for each in manifests()
        if each["kind"] == kind and each["metadata"]["name"] == name
    ]
    return found


def container(name):
    (found,) = manifest("Deployment", name)["spec"]["template"]["spec"][
        "containers"
    ]
    return found


def test_every_alert_reaches_the_one_receiver_whose_url_is_a_secret():
    told = yaml.safe_load(TOLD)
    routes = [told["route"], *told["route"]["routes"]]
    (receiver,) = told["receivers"]
    assert {each["receiver"] for each in routes} == {receiver["name"]}
    assert told["route"]["group_by"] == ["alertname"]
    assert receiver["webhook_configs"] == [
        {"url_file": f"/run/secrets/{SECRET}", "send_resolved": True}
    ]


def test_compose_gives_it_the_secret_and_a_way_out():
    service = SERVICES["alertmanager"]
    assert service["profiles"] == ["watch"]
    assert service["secrets"] == [SECRET]
    assert set(service["networks"]) == {"watch", "outside"}
    assert "ports" not in service
    assert "--cluster.listen-address=" in service["command"]


def found_in_compose(pattern):
    """What Prometheus reads from the file that is mounted there."""
    folder = f"/etc/prometheus/{pattern.removesuffix('*.json')}"
    (source,) = [
        source
        for source, target, _ in map(parts, SERVICES["prometheus"]["volumes"])
        if target.startswith(folder)
    ]
    return json.loads((DEPLOY / source).read_text())


def parts(volume):
    """Source, target and options of a volume."""
    return [*volume.split(":"), ""][:3]


def test_prometheus_in_compose_is_told_where_it_is():
    (named,) = PROMETHEUS["alerting"]["alertmanagers"]
    (pattern,) = named["file_sd_configs"][0]["files"]
    assert found_in_compose(pattern) == [{"targets": [f"alertmanager:{PORT}"]}]


def test_prometheus_in_compose_asks_the_node_exporter():
    (job,) = [
        each
        for each in PROMETHEUS["scrape_configs"]
        if each["job_name"] == "node"
    ]
    (pattern,) = job["file_sd_configs"][0]["files"]
    assert found_in_compose(pattern) == [{"targets": ["node-exporter:9100"]}]
    assert SERVICES["node-exporter"]["networks"] == ["watch"]


def test_the_volumes_that_no_process_of_ours_looks_at_are_looked_at():
    kept = {
        parts(volume)[0]
        for name in ("postgres", "broker", "prometheus")
        for volume in SERVICES[name]["volumes"]
        if not volume.startswith("./")
    }
    looked_at = [parts(each) for each in SERVICES["node-exporter"]["volumes"]]
    assert looked_at == [
        [name, f"/volumes/{name}", "ro"] for name, _, _ in looked_at
    ]
    assert {name for name, _, _ in looked_at} == kept


def test_prometheus_on_kubernetes_is_told_where_it_is():
    told = yaml.safe_load(
        manifest("ConfigMap", "prometheus")["data"]["prometheus.yml"]
    )
    assert told["alerting"]["alertmanagers"] == [
        {"static_configs": [{"targets": [f"alertmanager:{PORT}"]}]}
    ]
    (port,) = manifest("Service", "alertmanager")["spec"]["ports"]
    assert port["port"] == PORT


def test_it_is_the_same_on_kubernetes_as_in_compose():
    told = manifest("ConfigMap", "alertmanager")["data"]["alertmanager.yml"]
    assert yaml.safe_load(told) == yaml.safe_load(TOLD)
    pod = container("alertmanager")
    assert pod["args"] == SERVICES["alertmanager"]["command"]
    mounted = {each["mountPath"]: each["name"] for each in pod["volumeMounts"]}
    assert mounted["/run/secrets"] == "secrets"


@pytest.mark.parametrize("name", ["prometheus", "alertmanager"])
def test_what_watches_is_of_one_release_in_both(name):
    assert container(name)["image"] == SERVICES[name]["image"]


def test_a_policy_lets_alerts_through_and_out():
    def allowed(name, way):
        rules = manifest("NetworkPolicy", name)["spec"][way]
        return {
            port["port"]: rule.get("from", rule.get("to"))
            for rule in rules
            for port in rule["ports"]
        }

    def pods(peers):
        return [peer["podSelector"]["matchLabels"]["app"] for peer in peers]

    assert pods(allowed("prometheus", "egress")[PORT]) == ["alertmanager"]
    assert pods(allowed("alertmanager", "ingress")[PORT]) == ["prometheus"]
    assert set(allowed("alertmanager", "egress")) == {443}
