#!/usr/bin/env python3
"""Tries at a running broker what kinora_backend and kinora_worker may do, and that they may do nothing else.

    tests/check_broker_rights.py HOST AUTHORITIES.pem < two lines: password of kinora_backend, password of kinora_worker

The queues it makes are those of services/bus/src/topology.rs, with the backend's arguments; what it adds it removes.
Needs pika.
"""

import ssl
import sys

import pika
from pika.exceptions import AMQPError, ChannelClosedByBroker, ProbableAccessDeniedError, ProbableAuthenticationError

REFUSED = 403
LOCKED = 405


def connect(host, authorities, user, password, virtual_host="kinora"):
    context = ssl.create_default_context(cafile=authorities)
    return pika.BlockingConnection(
        pika.ConnectionParameters(
            host, 5671, virtual_host, pika.PlainCredentials(user, password), ssl_options=pika.SSLOptions(context, host), socket_timeout=10
        )
    )


class Trial:
    """Counts what went otherwise than it should."""

    def __init__(self):
        self.failures = 0

    def check(self, connection, name, allowed, action):
        """Runs `action` on a channel of its own and compares whether it was refused."""
        channel = connection.channel()
        channel.confirm_delivery()
        try:
            action(channel)
            was_allowed = True
            channel.close()
        except ChannelClosedByBroker as error:
            if error.reply_code not in (REFUSED, LOCKED):
                raise
            was_allowed = False
        right = was_allowed == allowed
        self.failures += not right
        print(f"{'ok  ' if right else 'FAIL'} {name}: {'admitted' if was_allowed else 'refused'}")


def declare_all(channel):
    """What the backend declares when it starts."""
    for name, kind in (("dead", "fanout"), ("orders", "direct"), ("reports", "direct"), ("control", "fanout")):
        channel.exchange_declare(f"kinora.{name}", kind, durable=True)
    quorum = {
        "x-queue-type": "quorum",
        "x-dead-letter-exchange": "kinora.dead",
        "x-dead-letter-strategy": "at-least-once",
        "x-overflow": "reject-publish",
        "x-consumer-timeout": 48 * 60 * 60 * 1000,
    }
    channel.queue_declare("kinora.dead", durable=True, arguments={"x-queue-type": "quorum", "x-max-length": 10_000})
    channel.queue_bind("kinora.dead", "kinora.dead", "")
    for name, key, limit in (("quick", "quick", 10), ("long", "long", 10)):
        channel.queue_declare(f"kinora.orders.{name}", durable=True, arguments={**quorum, "x-delivery-limit": limit})
        channel.queue_bind(f"kinora.orders.{name}", "kinora.orders", key)
    channel.queue_declare("kinora.results", durable=True, arguments={**quorum, "x-delivery-limit": 50})
    channel.queue_bind("kinora.results", "kinora.reports", "results")
    channel.queue_declare("kinora.heartbeats", durable=True, arguments={"x-queue-type": "quorum", "x-message-ttl": 15_000, "x-max-length": 10_000})
    channel.queue_bind("kinora.heartbeats", "kinora.reports", "progress")


def control_queue(channel):
    """What a worker does to hear control messages."""
    queue = channel.queue_declare("", exclusive=True, auto_delete=True).method.queue
    channel.queue_bind(queue, "kinora.control", "")
    channel.basic_consume(queue, lambda *_: None, auto_ack=True, exclusive=True)
    return queue


def main():
    host, authorities = sys.argv[1:3]
    backend_password, worker_password = sys.stdin.read().split()
    trial = Trial()
    backend = connect(host, authorities, "kinora_backend", backend_password)
    worker = connect(host, authorities, "kinora_worker", worker_password)
    other = connect(host, authorities, "kinora_worker", worker_password)

    def publish(exchange, key=""):
        return lambda channel: channel.basic_publish(exchange, key, b"{}")

    def read(queue):
        return lambda channel: channel.basic_get(queue, auto_ack=False)

    print("the backend")
    trial.check(backend, "declares everything", True, declare_all)
    trial.check(backend, "sends an order", True, publish("kinora.orders", "quick"))
    trial.check(backend, "sends a control message", True, publish("kinora.control"))
    trial.check(backend, "reads results", True, read("kinora.results"))
    trial.check(backend, "reads progress", True, read("kinora.heartbeats"))
    trial.check(backend, "reads dead letters", True, read("kinora.dead"))
    trial.check(backend, "makes a queue of another name", False, lambda channel: channel.queue_declare("else", exclusive=True))
    trial.check(backend, "sends by the default exchange", False, publish("", "kinora.results"))

    print("the worker")
    trial.check(worker, "makes, binds and reads its control queue", True, control_queue)
    trial.check(worker, "takes a quick order", True, read("kinora.orders.quick"))
    trial.check(worker, "takes a long order", True, read("kinora.orders.long"))
    trial.check(worker, "sends a result", True, publish("kinora.reports", "results"))
    trial.check(worker, "sends progress", True, publish("kinora.reports", "progress"))
    for queue in ("kinora.results", "kinora.heartbeats", "kinora.dead"):
        trial.check(worker, f"reads {queue}", False, read(queue))
    for exchange in ("kinora.orders", "kinora.control", "kinora.dead", "amq.direct", ""):
        trial.check(worker, f"sends to {exchange or 'the default exchange'}", False, publish(exchange, "kinora.orders.quick"))
    trial.check(worker, "declares an exchange", False, lambda channel: channel.exchange_declare("kinora.reports", "direct", durable=True))
    trial.check(worker, "makes an exchange", False, lambda channel: channel.exchange_declare("mine", "fanout"))
    trial.check(worker, "makes a queue of a name", False, lambda channel: channel.queue_declare("kinora.orders.mine", exclusive=True))
    trial.check(worker, "removes a queue", False, lambda channel: channel.queue_delete("kinora.orders.quick"))
    trial.check(worker, "empties a queue of others", False, lambda channel: channel.queue_purge("kinora.results"))

    def bind(exchange):
        def action(channel):
            queue = channel.queue_declare("", exclusive=True, auto_delete=True).method.queue
            channel.queue_bind(queue, exchange, "quick")

        return action

    for exchange in ("kinora.orders", "kinora.reports", "kinora.dead"):
        trial.check(worker, f"binds its queue to {exchange}", False, bind(exchange))
    # What a worker makes belongs to its connection.
    held = worker.channel()
    foreign = control_queue(held)
    trial.check(other, "reads the control queue of another worker", False, read(foreign))

    print("others")
    for user, password, virtual_host in (("guest", "guest", "kinora"), ("guest", "guest", "/"), ("kinora_worker", "wrong", "kinora"), ("kinora_worker", worker_password, "/")):
        try:
            connect(host, authorities, user, password, virtual_host).close()
            trial.failures += 1
            print(f"FAIL {user} at {virtual_host}: admitted")
        except (ProbableAuthenticationError, ProbableAccessDeniedError, AMQPError):
            print(f"ok   {user} at {virtual_host}: refused")
    for connection in (backend, worker, other):
        connection.close()
    if trial.failures:
        sys.exit(f"{trial.failures} went otherwise than they should")


if __name__ == "__main__":
    main()
