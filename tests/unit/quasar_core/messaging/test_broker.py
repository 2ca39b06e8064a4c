from celery import current_app
from quasar_core.messaging.broker import (
    celery_app,
    plain_client,
    transport_options,
)


def test_celery_speaks_json_and_nothing_else():
    conf = celery_app("redis://localhost/0").conf
    assert conf.accept_content == ["json"]
    assert conf.task_serializer == "json"
    assert conf.result_backend is None
    assert conf.worker_enable_remote_control is False


def test_an_application_is_never_the_process_s_current_one():
    assert celery_app("redis://localhost/0") is not (
        current_app._get_current_object()
    )


def test_a_socket_s_url_means_the_same_to_both_libraries():
    client = plain_client("redis+socket:///run/valkey.sock?virtual_host=2")
    arguments = client.connection_pool.connection_kwargs
    assert arguments["path"] == "/run/valkey.sock"
    assert arguments["db"] == 2


def test_no_wait_is_without_an_end():
    options = transport_options(more=1)
    assert options["socket_timeout"] > 0
    assert options["socket_connect_timeout"] > 0
    assert options["more"] == 1
