//! The bus alone, with a real RabbitMQ.

use kinora_bus::{BusError, DELIVERY_LIMIT};
use kinora_core::message::{Control, StepEvent, StepOrder};
use kinora_core::queue::QueueClass;
use kinora_core::step::StepInput;
use kinora_core::{ProductionId, RunId, StepId};
use kinora_tests::{Kinora, wait_until};
use lapin::options::{BasicPublishOptions, ConfirmSelectOptions};
use lapin::{BasicProperties, Connection, ConnectionProperties};
use tokio_util::sync::CancellationToken;

use super::fixture::{connect_bus, join_bus, object};
use super::scripted_worker::report;

fn order() -> StepOrder {
    StepOrder {
        run_id: RunId::new(),
        step_id: StepId::new(),
        attempt: 1,
        production_id: ProductionId::new(),
        input: StepInput::Probe { original: object(), file_name: "a\n../b.mov".to_owned() },
    }
}

async fn wait_for_depth(bus: &kinora_bus::Bus, queue: &str, messages: u32) {
    wait_until(&format!("{queue} has {messages} messages"), async || {
        let depths = bus.depths().await.ok()?;
        depths.iter().any(|depth| depth.queue == queue && depth.messages == messages).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn orders_and_reports_arrive_as_they_were_sent() {
    let kinora = Kinora::builder().start().await;
    let (bus, stop) = (connect_bus(&kinora), CancellationToken::new());
    bus.connected().await;
    let sent = order();
    bus.publish_order(QueueClass::Long, &sent).await.unwrap();
    let mut quick = bus.orders(QueueClass::Quick, 1, stop.clone());
    quick.subscribed().await;
    let mut long = bus.orders(QueueClass::Long, 1, stop.clone());
    let received = long.next().await.unwrap();
    assert_eq!(received.body, sent);
    assert!(!received.is_redelivered);
    received.acknowledge().await.unwrap();

    let done = report(&sent, StepEvent::Cancelled);
    bus.publish_report(&done).await.unwrap();
    let received = bus.reports(10, stop.clone()).next().await.unwrap();
    assert_eq!(received.body, done);
    received.acknowledge().await.unwrap();

    stop.cancel();
    assert!(quick.next().await.is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn every_connected_worker_hears_a_command() {
    let kinora = Kinora::builder().start().await;
    let (first, second) = (connect_bus(&kinora), connect_bus(&kinora));
    let stop = CancellationToken::new();
    let mut listeners = [first.controls(stop.clone()), second.controls(stop.clone())];
    for listener in &mut listeners {
        listener.subscribed().await;
    }
    let command = Control::Cancel { step_id: StepId::new(), attempt: 3 };
    first.publish_control(&command).await.unwrap();
    for listener in &mut listeners {
        assert_eq!(listener.next().await.unwrap().body, command);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_lost_consumer_had_is_delivered_again_and_a_draining_one_hands_back() {
    let kinora = Kinora::builder().start().await;
    let (first, second) = (connect_bus(&kinora), connect_bus(&kinora));
    let stop = CancellationToken::new();
    first.connected().await;
    let sent = [order(), order(), order()];
    for order in &sent {
        first.publish_order(QueueClass::Quick, order).await.unwrap();
    }
    // It takes one, has two more in advance, and drains: the two are handed back, the one goes on.
    let draining = CancellationToken::new();
    let mut orders = first.orders(QueueClass::Quick, 3, draining.clone());
    let held = orders.next().await.unwrap();
    draining.cancel();
    assert!(orders.next().await.is_none());
    wait_for_depth(&second, "orders.quick", 2).await;
    let mut others = second.orders(QueueClass::Quick, 3, stop.clone());
    for _ in 0..2 {
        let delivery = others.next().await.unwrap();
        assert_ne!(delivery.body, held.body);
        delivery.acknowledge().await.unwrap();
    }
    // Its connection is gone, with the order it had.
    first.close().await;
    let again = others.next().await.unwrap();
    assert_eq!(again.body, held.body);
    assert!(again.is_redelivered);
    assert!(held.acknowledge().await.is_err());
    again.acknowledge().await.unwrap();
    wait_for_depth(&second, "orders.quick", 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn channels_dropped_at_the_very_end_are_closed_before_the_connection() {
    let kinora = Kinora::builder().start().await;
    let sender = connect_bus(&kinora);
    sender.connected().await;
    for round in 0..50 {
        let (bus, stop) = (join_bus(&kinora), CancellationToken::new());
        sender.publish_order(QueueClass::Quick, &order()).await.unwrap();
        let mut orders = bus.orders(QueueClass::Quick, 1, stop.clone());
        let delivery = orders.next().await.unwrap();
        stop.cancel();
        assert!(orders.next().await.is_none());
        delivery.acknowledge().await.unwrap();
        drop(delivery);
        assert!(bus.close().await, "round {round}: the goodbye crossed the closing of a channel");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn poison_goes_to_the_dead_letters() {
    let kinora = Kinora::builder().start().await;
    let (bus, stop) = (connect_bus(&kinora), CancellationToken::new());
    bus.connected().await;
    bus.publish_order(QueueClass::Quick, &order()).await.unwrap();
    let mut orders = bus.orders(QueueClass::Quick, 1, stop.clone());
    for _ in 0..=DELIVERY_LIMIT {
        orders.next().await.unwrap().hand_back().await.unwrap();
    }
    wait_for_depth(&bus, "dead", 1).await;
    bus.publish_order(QueueClass::Quick, &order()).await.unwrap();
    orders.next().await.unwrap().refuse().await.unwrap();
    wait_for_depth(&bus, "dead", 2).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_of_a_later_release_are_not_guessed_at() {
    let kinora = Kinora::builder().start().await;
    let (bus, stop) = (connect_bus(&kinora), CancellationToken::new());
    bus.connected().await;
    let settings = kinora.broker_settings();
    let password = std::fs::read_to_string(&settings.password_file).unwrap();
    let uri = format!(
        "amqp://{}:{}@127.0.0.1:{}/{}",
        settings.user,
        password.trim_end(),
        settings.port,
        settings.vhost
    );
    let connection = Connection::connect(&uri, ConnectionProperties::default()).await.unwrap();
    let channel = connection.create_channel().await.unwrap();
    channel.confirm_select(ConfirmSelectOptions::default()).await.unwrap();
    for payload in [&br#"{"version":2,"body":"what?"}"#[..], b"\xff\xfe", b""] {
        channel
            .basic_publish(
                "kinora.orders".into(),
                "quick".into(),
                BasicPublishOptions::default(),
                payload,
                BasicProperties::default(),
            )
            .await
            .unwrap()
            .await
            .unwrap();
    }
    let sent = order();
    bus.publish_order(QueueClass::Quick, &sent).await.unwrap();
    let received = bus.orders(QueueClass::Quick, 1, stop).next().await.unwrap();
    assert_eq!(received.body, sent);
    wait_for_depth(&bus, "dead", 3).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broker_that_is_killed_keeps_what_it_confirmed() {
    let mut kinora = Kinora::builder().own_broker().start().await;
    let (bus, stop) = (connect_bus(&kinora), CancellationToken::new());
    bus.connected().await;
    let sent = order();
    bus.publish_order(QueueClass::Quick, &sent).await.unwrap();
    let mut reports = bus.reports(1, stop.clone());
    reports.subscribed().await;
    kinora.broker().kill();
    wait_until("the loss is noticed", async || (!bus.is_connected()).then_some(())).await;
    assert!(matches!(bus.publish_order(QueueClass::Quick, &sent).await, Err(BusError::NotConnected)));
    let done = report(&sent, StepEvent::Cancelled);
    let (publisher, late) = (bus.clone(), done.clone());
    let publishing = tokio::spawn(async move {
        publisher.publish_report_until_confirmed(&late, &CancellationToken::new()).await
    });
    kinora.broker().start_again().await;
    publishing.await.unwrap().unwrap();
    assert_eq!(reports.next().await.unwrap().body, done);
    let received = bus.orders(QueueClass::Quick, 1, stop).next().await.unwrap();
    assert_eq!(received.body, sent);
}

#[tokio::test(flavor = "multi_thread")]
async fn queues_that_somebody_removed_are_declared_again() {
    let kinora = Kinora::builder().start().await;
    let (bus, stop) = (connect_bus(&kinora), CancellationToken::new());
    bus.connected().await;
    let mut orders = bus.orders(QueueClass::Quick, 1, stop.clone());
    orders.subscribed().await;
    bus.delete_topology().await.unwrap();
    let sent = order();
    wait_until("an order is taken again", async || bus.publish_order(QueueClass::Quick, &sent).await.ok())
        .await;
    assert_eq!(orders.next().await.unwrap().body, sent);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_declares_nothing_and_waits_for_the_backend() {
    let kinora = Kinora::builder().start().await;
    let (backend, worker) = (connect_bus(&kinora), join_bus(&kinora));
    backend.connected().await;
    worker.connected().await;
    backend.delete_topology().await.unwrap();
    let mut orders = worker.orders(QueueClass::Quick, 1, CancellationToken::new());
    let mut controls = worker.controls(CancellationToken::new());
    let sent = order();
    assert!(worker.publish_report(&report(&sent, StepEvent::Cancelled)).await.is_err());
    assert!(worker.publish_order(QueueClass::Quick, &sent).await.is_err(), "it has made the queue itself");
    wait_until("the backend makes it", async || backend.publish_order(QueueClass::Quick, &sent).await.ok())
        .await;
    assert_eq!(orders.next().await.unwrap().body, sent);
    controls.subscribed().await;
}
