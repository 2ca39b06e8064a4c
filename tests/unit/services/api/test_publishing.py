from services.api.db import outbox
from services.api.publishing import Publisher
from tests.support.events import benchmark_requested


def put(world, number):
    with world.database.write() as session:
        for _ in range(number):
            outbox.put(
                session,
                benchmark_requested(),
                now=world.clock(),
                pool="cpu",
            )


def test_everything_that_is_due_is_published_in_order(sqlite_world):
    world = sqlite_world
    put(world, 45)
    publisher = Publisher(world.database, world.bus, world.monotonic)
    assert publisher.publish(world.clock()) == 45
    assert publisher.publish(world.clock()) == 0
    assert world.bus.depth("benchmark.cpu") == 45


def test_a_broker_that_is_away_is_left_alone_for_a_while(sqlite_world):
    world = sqlite_world
    put(world, 2)
    publisher = Publisher(world.database, world.bus, world.monotonic)
    world.bus.away = True
    assert publisher.publish(world.clock()) == 0
    world.bus.away = False
    assert publisher.publish(world.clock()) == 0
    world.later(1)
    assert publisher.publish(world.clock()) == 2
