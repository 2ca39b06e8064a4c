from services.api.admin.routes import router
from services.api.openapi import Role, role_of


def test_every_route_of_administration_is_an_administrators():
    assert router.routes
    for route in router.routes:
        assert role_of(route.openapi_extra) is Role.ADMIN, route.path
