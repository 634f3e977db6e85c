//! A primary, a replica and three Sentinels, with TLS and users that may do what Kinora needs and no
//! more: the handle on Redis survives their fail-over, and the product does without them.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use kinora_runtime::Secret;
use kinora_runtime::redis::{Redis, RedisSettings, cmd};
use kinora_tests::{Kinora, Stack, wait_until};
use serde_json::json;
use tokio::sync::mpsc;

use super::authority::Authority;
use super::unit::Unit;
use crate::accounts::world;
use crate::library::follower::Follower;

const PASSWORD: &str = "no-secret-in-a-test";
/// What docs and playbooks give the two roles.
const APPLICATION: &str = "resetchannels &progress:* +ping +subscribe +psubscribe +unsubscribe +punsubscribe";
const BACKEND: &str = "resetchannels &progress:* +ping +publish";

struct Server {
    settings: PathBuf,
    is_sentinel: bool,
    log: PathBuf,
    child: Option<Child>,
}

impl Server {
    fn start(&mut self) {
        let log = std::fs::OpenOptions::new().create(true).append(true).open(&self.log).unwrap();
        let mut command = Command::new("setpriv");
        command.args(["--pdeathsig", "KILL", "--", "redis-server"]).arg(&self.settings);
        if self.is_sentinel {
            command.arg("--sentinel");
        }
        self.child = Some(command.stdin(Stdio::null()).stdout(log).spawn().unwrap());
    }

    /// As a crash would.
    fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }
}

struct Cluster {
    authority: Authority,
    directory: PathBuf,
    ports: Vec<u16>,
    /// Two servers, three Sentinels.
    servers: Vec<Server>,
}

impl Drop for Cluster {
    fn drop(&mut self) {
        for server in &mut self.servers {
            server.kill();
        }
    }
}

impl Cluster {
    async fn start(directory: &Path) -> Self {
        let directory = directory.join("redis-cluster");
        std::fs::create_dir(&directory).unwrap();
        let authority = Authority::new(&directory, "kinora");
        authority.issue(&["127.0.0.1"]).write(&directory);
        let port = |number| Stack::get().assign_port(&format!("{} {number}", directory.display()));
        let ports: Vec<u16> = (0..5).map(port).collect();
        let mut cluster = Self { authority, directory, ports, servers: Vec::new() };
        for number in 0..5 {
            let server = cluster.prepare(number);
            cluster.servers.push(server);
        }
        cluster.start_all();
        cluster.wait_complete().await;
        cluster
    }

    fn prepare(&self, number: usize) -> Server {
        let home = self.directory.join(number.to_string());
        std::fs::create_dir(&home).unwrap();
        let (port, primary) = (self.ports[number], self.ports[0]);
        let tls = self.directory.display();
        let mut text = format!(
            "port 0\ntls-port {port}\nbind 127.0.0.1\ndir {}\ntls-cert-file {tls}/host.pem\n\
             tls-key-file {tls}/host.key\ntls-ca-cert-file {}\ntls-auth-clients no\ntls-replication yes\n\
             user default off\n",
            home.display(),
            self.authority.file().display(),
        );
        let is_sentinel = number >= 2;
        if is_sentinel {
            for user in ["kinora_application", "kinora_backend"] {
                text += &format!("user {user} on >{PASSWORD} +ping +sentinel|get-master-addr-by-name\n");
            }
            text += &format!(
                "user sentinel on >{PASSWORD} allchannels +@all\nsentinel sentinel-user sentinel\n\
                 sentinel sentinel-pass {PASSWORD}\nsentinel monitor kinora 127.0.0.1 {primary} 2\n\
                 sentinel auth-user kinora sentinel\nsentinel auth-pass kinora {PASSWORD}\n\
                 sentinel down-after-milliseconds kinora 1500\nsentinel failover-timeout kinora 6000\n"
            );
        } else {
            text += &format!(
                "save \"\"\nappendonly no\nmasteruser replication\nmasterauth {PASSWORD}\n\
                 user replication on >{PASSWORD} +psync +replconf +ping\n\
                 user sentinel on >{PASSWORD} allchannels +multi +slaveof +replicaof +ping +exec +subscribe +role \
                 +publish +info +config|rewrite +client|setname +client|kill +script|kill\n\
                 user kinora_application on >{PASSWORD} {APPLICATION}\n\
                 user kinora_backend on >{PASSWORD} {BACKEND}\n"
            );
            if number == 1 {
                text += &format!("replicaof 127.0.0.1 {primary}\n");
            }
        }
        let settings = home.join("redis.conf");
        std::fs::write(&settings, text).unwrap();
        Server { settings, is_sentinel, log: home.join("log"), child: None }
    }

    fn start_all(&mut self) {
        for server in self.servers.iter_mut().filter(|server| server.child.is_none()) {
            server.start();
        }
    }

    fn kill_all(&mut self) {
        for server in &mut self.servers {
            server.kill();
        }
    }

    fn settings(&self, user: &str) -> RedisSettings {
        RedisSettings {
            url_hosts: Vec::new(),
            sentinels: self.ports[2..].iter().map(|port| format!("127.0.0.1:{port}")).collect(),
            primary_name: "kinora".to_owned(),
            user: Some(user.to_owned()),
            tls: true,
            tls_authorities: Some(self.authority.file()),
        }
    }

    /// Until every Sentinel knows the replica and the two others.
    async fn wait_complete(&self) {
        for port in &self.ports[2..] {
            let settings = RedisSettings {
                url_hosts: vec![format!("127.0.0.1:{port}")],
                sentinels: Vec::new(),
                ..self.settings("sentinel")
            };
            let sentinel = open(&settings);
            let mut question = cmd("SENTINEL");
            question.arg("MASTER").arg("kinora");
            wait_until("the Sentinels know each other", async || {
                let known: HashMap<String, String> = sentinel.run(&question).await.ok()?;
                let is_known = |key: &str, count: &str| known.get(key).is_some_and(|value| value == count);
                (is_known("num-other-sentinels", "2") && is_known("num-slaves", "1")).then_some(())
            })
            .await;
        }
    }

    /// Which of the two servers is the primary, as the Sentinels have it.
    async fn primary(&self) -> usize {
        let sentinel = open(&RedisSettings {
            url_hosts: self.settings("sentinel").sentinels,
            sentinels: Vec::new(),
            ..self.settings("sentinel")
        });
        let mut question = cmd("SENTINEL");
        question.arg("GET-MASTER-ADDR-BY-NAME").arg("kinora");
        let (_, port): (String, u16) = sentinel.run(&question).await.unwrap();
        self.ports.iter().position(|known| *known == port).unwrap()
    }
}

fn open(settings: &RedisSettings) -> Redis {
    Redis::new(settings, Some(&Secret::new(PASSWORD))).unwrap()
}

/// Until it says why it does not trust the server; on a busy machine it is late first.
async fn wait_refused(redis: &Redis) {
    wait_until("the certificate is refused", async || {
        let refusal = redis.ping().await.expect_err("no answer from a wrong server").to_string();
        refusal.contains("certificate verify failed").then_some(())
    })
    .await;
}

/// Subscribes again and again, as the application does.
fn listen(redis: Redis) -> mpsc::UnboundedReceiver<String> {
    let (sender, receiver) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        while !sender.is_closed() {
            if let Ok(mut subscription) = redis.subscribe("progress:*").await {
                while let Ok(Some(message)) = subscription.next(&redis).await {
                    let _ = sender.send(message.get_payload().unwrap());
                }
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    });
    receiver
}

/// Publishes until it is heard.
async fn wait_heard(backend: &Redis, heard: &mut mpsc::UnboundedReceiver<String>, text: &str) {
    wait_until(text, async || {
        let mut publish = cmd("PUBLISH");
        publish.arg("progress:p").arg(text);
        let _ = backend.run::<i64>(&publish).await;
        while let Ok(message) = heard.try_recv() {
            if message == text {
                return Some(());
            }
        }
        None
    })
    .await;
}

#[tokio::test]
async fn messages_go_on_after_a_fail_over_and_after_an_outage() {
    let directory = Stack::get().create_test_directory();
    let mut cluster = Cluster::start(&directory).await;
    let backend = open(&cluster.settings("kinora_backend"));
    let mut heard = listen(open(&cluster.settings("kinora_application")));
    wait_heard(&backend, &mut heard, "at first").await;

    let stranger = Authority::new(&directory, "stranger");
    let wrong =
        RedisSettings { tls_authorities: Some(stranger.file()), ..cluster.settings("kinora_backend") };
    wait_refused(&open(&wrong)).await;
    let by_name = |entry: &String| entry.replace("127.0.0.1", "localhost");
    let sentinels = cluster.settings("x").sentinels.iter().map(by_name).collect();
    let wrong = RedisSettings { sentinels, ..cluster.settings("kinora_backend") };
    wait_refused(&open(&wrong)).await;
    let mut forbidden = cmd("SET");
    forbidden.arg("a").arg("b");
    assert!(backend.run::<String>(&forbidden).await.is_err(), "the user may only publish");

    let former = cluster.primary().await;
    cluster.servers[former].kill();
    wait_heard(&backend, &mut heard, "after the primary's death").await;
    assert_ne!(cluster.primary().await, former);

    cluster.kill_all();
    assert!(backend.ping().await.is_err());
    cluster.start_all();
    wait_heard(&backend, &mut heard, "after the outage").await;
}

#[tokio::test]
async fn the_product_works_without_redis_and_shows_progress_after_a_fail_over() {
    let kinora = Kinora::api().await;
    let mut cluster = Cluster::start(kinora.directory()).await;
    let list: Vec<String> = cluster.settings("x").sentinels;
    let unit = Unit::new(
        &kinora,
        "unit",
        &format!(
            "redis.sentinels = {list:?}\nredis.user = \"kinora_application\"\nredis.tls = true\n\
             redis.tls_authorities = {:?}",
            cluster.authority.file(),
        ),
    );
    std::fs::write(unit.credentials.join("redis-password"), PASSWORD).unwrap();
    let process = unit.start();
    unit.told("READY=1").await;
    let mut administrator = kinora.administrator().await;
    let organisation = world::organisation_of(&mut administrator, "Kinora").await;
    let production = world::add_production(&mut administrator, &organisation, "Redis").await;
    let mut client = administrator.at(&format!("http://localhost:{}", unit.address().port()));
    let backend = open(&cluster.settings("kinora_backend"));

    let (mut follower, _) = Follower::open(&client, &production, None).await;
    wait_progress(&backend, &production, &mut follower).await;
    let former = cluster.primary().await;
    cluster.servers[former].kill();
    wait_progress(&backend, &production, &mut follower).await;

    cluster.kill_all();
    wait_until("Redis is missed", async || {
        let answer = client.get("/readyz").await.expect(200).json();
        (answer["redis"] == "unavailable" && answer["ready"] == true).then_some(())
    })
    .await;
    world::add_production(&mut client, &organisation, "Without Redis").await;

    cluster.start_all();
    wait_progress(&backend, &production, &mut follower).await;
    let answer = client.get("/readyz").await.expect(200).json();
    assert_eq!(answer["redis"], "ok");
    process.stop().await;
    while follower.next().await.is_some() {}
}

async fn wait_progress(backend: &Redis, production: &str, follower: &mut Follower) {
    // A number of its own, so that what was said before does not count.
    let message = json!({ "run_id": uuid::Uuid::now_v7(), "progress": { "fraction": 0.5 } });
    let mut publish = cmd("PUBLISH");
    publish.arg(format!("progress:{production}")).arg(message.to_string());
    wait_until("somebody listens to the primary", async || {
        (backend.run::<i64>(&publish).await.ok()? > 0).then_some(())
    })
    .await;
    loop {
        let event = follower.next().await.expect("the stream goes on");
        if event.kind == "progress" && event.data == message {
            return;
        }
    }
}
