//! Whether the time that an answer takes tells who has an account.
//!
//! For each place where somebody can ask without having signed in (or, for invitations, without being allowed to look), requests
//! about known and about unknown accounts are sent over one connection, in pairs whose order is drawn anew each time. What can
//! be told from the times is the area under the ROC curve (AUC) of the better one of two classifiers: the time itself
//! (the Mann-Whitney statistic), and the ratio of how often times like it were seen on either side, learned on one half of
//! the samples and tried on the other, both ways round, which also finds differences that are no shift. 0.5 is nothing at all;
//! two pairs that differ on purpose show that the measure finds what is there.

use std::time::{Duration, Instant};

use diesel::RunQueryDsl as _;
use diesel::connection::SimpleConnection as _;
use kinora_store::invitations;
use kinora_tests::{Client, Kinora};
use serde_json::json;
use uuid::Uuid;

use crate::measure::Row;

/// Requests are counted generously, and an hour's mail is not looked at.
const SETTINGS: &str = "rate_limit.address_per_second = 1000000.0\nrate_limit.address_burst = 10000000\n\
     rate_limit.person_per_second = 1000000.0\nrate_limit.person_burst = 10000000\n\
     rate_limit.sign_in_per_minute = 1000000.0\nrate_limit.sign_in_burst = 1000000\n\
     log = \"warn\"";
/// The most that may be told.
const GOAL: f64 = 0.55;
/// Pairs at each place: ten thousand samples.
const PAIRS: usize = 5000;
/// Logins of each side; each is tried less often than locks it.
const LOGINS: usize = 125;
/// Of the control whose difference is plain.
const CONTROL: usize = 40;
/// What one side of the other control waits longer.
const ADDED: Duration = Duration::from_micros(400);

/// Random numbers (SplitMix64), so that nothing of the order is known beforehand.
struct Dice(u64);

impl Dice {
    fn new() -> Self {
        Self(u64::from_le_bytes(Uuid::new_v4().as_bytes()[..8].try_into().unwrap()))
    }

    fn draw(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            let other = usize::try_from(self.draw() % (last as u64 + 1)).unwrap();
            items.swap(last, other);
        }
    }
}

/// Times of both sides, in seconds.
#[derive(Default)]
struct Samples {
    known: Vec<f64>,
    unknown: Vec<f64>,
}

/// The area under the ROC curve of scores: how probably one of the first is above one of the second.
fn area(above: &[f64], below: &[f64]) -> f64 {
    let mut all: Vec<(f64, bool)> = above.iter().map(|score| (*score, true)).collect();
    all.extend(below.iter().map(|score| (*score, false)));
    all.sort_by(|one, other| one.0.total_cmp(&other.0));
    let mut ranks = 0.0;
    let mut first = 0;
    while first < all.len() {
        // Equal scores share the mean of their ranks.
        let mut after = first;
        while after < all.len() && all[after].0 == all[first].0 {
            after += 1;
        }
        let mean = (first + 1 + after) as f64 / 2.0;
        ranks += mean * all[first..after].iter().filter(|(_, is_above)| *is_above).count() as f64;
        first = after;
    }
    let (above, below) = (above.len() as f64, below.len() as f64);
    (ranks - above * (above + 1.0) / 2.0) / (above * below)
}

/// Whichever side is the slower one.
fn either_way(area: f64) -> f64 {
    area.max(1.0 - area)
}

/// The classifier that learns how often times of each size come from either side.
fn learned(samples: &Samples) -> f64 {
    const BINS: usize = 24;
    let halves = |times: &[f64]| {
        let (even, odd): (Vec<_>, Vec<_>) = times.iter().enumerate().partition(|(place, _)| place % 2 == 0);
        let plain = |half: Vec<(usize, &f64)>| half.into_iter().map(|(_, time)| *time).collect::<Vec<f64>>();
        [plain(even), plain(odd)]
    };
    let (known, unknown) = (halves(&samples.known), halves(&samples.unknown));
    let mut sum = 0.0;
    for (learn, try_out) in [(0, 1), (1, 0)] {
        let mut all: Vec<f64> = known[learn].iter().chain(&unknown[learn]).copied().collect();
        all.sort_by(f64::total_cmp);
        let edges: Vec<f64> = (1..BINS).map(|bin| all[bin * all.len() / BINS]).collect();
        let bin_of = |time: f64| edges.partition_point(|edge| *edge <= time);
        let count = |times: &[f64]| {
            let mut counts = [1.0_f64; BINS];
            times.iter().for_each(|time| counts[bin_of(*time)] += 1.0);
            counts.map(|count| count / (times.len() + BINS) as f64)
        };
        let (of_known, of_unknown) = (count(&known[learn]), count(&unknown[learn]));
        let score = |time: &f64| (of_known[bin_of(*time)] / of_unknown[bin_of(*time)]).ln();
        let scores = |times: &[f64]| times.iter().map(score).collect::<Vec<f64>>();
        sum += area(&scores(&known[try_out]), &scores(&unknown[try_out]));
    }
    sum / 2.0
}

impl Samples {
    /// What the better classifier makes of it.
    fn told(&self) -> f64 {
        // Of what was learned only what is right counts: a classifier that is wrong on new samples knows nothing.
        either_way(area(&self.known, &self.unknown)).max(learned(self))
    }

    fn row(&self, what: &'static str) -> Row {
        let told = self.told();
        let median = |times: &[f64]| 1000.0 * crate::measure::median(times.to_vec());
        Row {
            what,
            figure: format!("{told:.3}"),
            goal: "≤ 0.55",
            reached: Some(told <= GOAL),
            from: format!(
                "{} samples; medians {:.3} ms known, {:.3} ms unknown",
                self.known.len() + self.unknown.len(),
                median(&self.known),
                median(&self.unknown)
            ),
        }
    }

    fn control(&self, what: &'static str) -> Row {
        let told = self.told();
        let row = self.row(what);
        Row { goal: "≥ 0.95", reached: Some(told >= 0.95), ..row }
    }
}

/// A request that is timed, and what it must be answered.
#[derive(Clone)]
struct Question {
    path: String,
    body: serde_json::Value,
    status: u16,
}

fn question(path: &str, body: serde_json::Value, status: u16) -> Question {
    Question { path: path.to_owned(), body, status }
}

/// Asks both sides in turn, each pair in an order of its own.
struct Asker {
    client: Client,
    dice: Dice,
    /// What the known side waits longer, for the control.
    added: Duration,
}

impl Asker {
    async fn time(&mut self, question: &Question, is_known: bool) -> f64 {
        let request = self.client.request(reqwest::Method::POST, &question.path).json(&question.body);
        let begun = Instant::now();
        if is_known {
            while begun.elapsed() < self.added {
                std::hint::spin_loop();
            }
        }
        let answer = self.client.send(request).await;
        let took = begun.elapsed().as_secs_f64();
        assert_eq!(answer.status.as_u16(), question.status, "{}: {}", question.path, answer.text());
        took
    }

    /// Asks each question once, in pairs: the first of both, then the second …
    async fn ask(&mut self, samples: &mut Samples, mut known: Vec<Question>, mut unknown: Vec<Question>) {
        self.dice.shuffle(&mut known);
        self.dice.shuffle(&mut unknown);
        for (one, other) in known.iter().zip(&unknown) {
            if self.dice.draw().is_multiple_of(2) {
                samples.known.push(self.time(one, true).await);
                samples.unknown.push(self.time(other, false).await);
            } else {
                samples.unknown.push(self.time(other, false).await);
                samples.known.push(self.time(one, true).await);
            }
        }
    }
}

/// An installation with so many accounts, and where they are asked about.
struct Place {
    kinora: Kinora,
    production: String,
    manager: Client,
    asker: Asker,
    connection: diesel::PgConnection,
}

fn login(side: &str, number: usize) -> String {
    format!("{side}-{number:05}@x.example")
}

const SESSION: &str = "/api/data/v1/session";

impl Place {
    async fn open() -> Self {
        let kinora = Kinora::builder().applications(1).settings("application", SETTINGS).start().await;
        let mut owner = kinora.administrator().await;
        let session = owner.get(SESSION).await.expect(200).json();
        let organisation = session["organisations"][0]["id"].as_str().unwrap().to_owned();
        let path = format!("/api/data/v1/organisations/{organisation}/productions");
        let made = owner.post(&path, &json!({ "name": "Film" })).await.expect(201).json();
        let production = made["id"].as_str().unwrap().to_owned();
        let mut connection = kinora.connect();
        // Members, with the hash of the administrator's password, which has the cost of the settings.
        connection
            .batch_execute(&format!(
                "INSERT INTO people (id, login, login_key, display_name, password_hash)
                     SELECT gen_random_uuid(), l, l, 'Name', (SELECT password_hash FROM people WHERE login = 'admin@localhost')
                     FROM (SELECT 'known-' || lpad(n::text, 5, '0') || '@x.example' AS l
                           FROM generate_series(0, {}) AS n) AS logins;
                 INSERT INTO organisation_members (organisation_id, person_id, role)
                     SELECT '{organisation}', id, 'member' FROM people WHERE login LIKE 'known-%';
                 ANALYZE",
                PAIRS.max(LOGINS)
            ))
            .unwrap();
        let asker = Asker { client: kinora.visitor(), dice: Dice::new(), added: Duration::ZERO };
        Self { kinora, production, manager: owner, asker, connection }
    }

    fn run(&mut self, statement: &str) {
        diesel::sql_query(statement).execute(&mut self.connection).unwrap();
    }

    /// Wrong passwords.
    async fn sign_in(&mut self, pairs: usize) -> Samples {
        let mut samples = Samples::default();
        let asked = |side: &str| {
            let body = |number| json!({ "login": login(side, number), "password": "not this one" });
            (0..LOGINS).map(|number| question(SESSION, body(number), 401)).collect::<Vec<_>>()
        };
        // Few rounds for each login, so that none is locked.
        let mut left = pairs;
        while left > 0 {
            self.run("DELETE FROM sign_in_failures");
            let (mut known, mut unknown) = (asked("known"), asked("nobody"));
            known.truncate(left);
            unknown.truncate(left);
            left -= known.len();
            self.asker.ask(&mut samples, known, unknown).await;
        }
        samples
    }

    /// Logins that are locked already, so that nothing but the statements is timed.
    async fn locked(&mut self, pairs: usize) -> Samples {
        self.run("DELETE FROM sign_in_failures");
        let lock = |side: &str| -> Vec<String> {
            let row = |number| {
                let digest = kinora_store::sign_in::login_digest(&login(side, number));
                let hex: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
                format!("('\\x{hex}', 10, now() + interval '1 hour')")
            };
            (0..LOGINS).map(row).collect()
        };
        let rows = [lock("known"), lock("nobody")].concat();
        self.run(&format!(
            "INSERT INTO sign_in_failures (login_digest, failures, locked_until) VALUES {}",
            rows.join(", ")
        ));
        let asked = |side: &str, number: usize| {
            question(SESSION, json!({ "login": login(side, number), "password": "not this one" }), 429)
        };
        self.quick(pairs, asked).await
    }

    /// Where somebody signs in.
    async fn route(&mut self, pairs: usize) -> Samples {
        let asked = |side: &str, number: usize| {
            question("/api/data/v1/session/route", json!({ "address": login(side, number) }), 200)
        };
        self.quick(pairs, asked).await
    }

    async fn quick(&mut self, pairs: usize, asked: impl Fn(&str, usize) -> Question) -> Samples {
        let mut samples = Samples::default();
        let mut left = pairs;
        while left > 0 {
            let count = left.min(LOGINS);
            let side = |side: &str| (0..count).map(|number| asked(side, number)).collect();
            let (known, unknown) = (side("known"), side("nobody"));
            self.asker.ask(&mut samples, known, unknown).await;
            left -= count;
        }
        samples
    }

    /// The second step, with the cookie of a half sign-in that somebody had, against one that nobody had.
    async fn half(&mut self, pairs: usize, path: &str, body: &serde_json::Value) -> Samples {
        use sha2::Digest as _;
        let tokens: Vec<String> = (0..LOGINS).map(|_| format!("{0}{0}", Uuid::new_v4().simple())).collect();
        for (number, token) in tokens.iter().enumerate() {
            let digest: String =
                sha2::Sha256::digest(token).iter().map(|byte| format!("{byte:02x}")).collect();
            self.run(&format!(
                "INSERT INTO pending_sign_ins (id, person_id, token_digest, expires_at) \
                 SELECT gen_random_uuid(), id, '\\x{digest}', now() - interval '1 minute' \
                 FROM people WHERE login = '{}'",
                login("known", number)
            ));
        }
        let visitor = self.asker.client.clone();
        let mut samples = Samples::default();
        let asked = question(path, body.clone(), 401);
        for pair in 0..pairs {
            let mut order = [true, false];
            self.asker.dice.shuffle(&mut order);
            for is_known in order {
                let made_up = format!("{0}{0}", Uuid::new_v4().simple());
                let token = if is_known { &tokens[pair % LOGINS] } else { &made_up };
                self.asker.client.set_cookie("__Host-kinora-pending", token);
                let took = self.asker.time(&asked, is_known).await;
                if is_known { samples.known.push(took) } else { samples.unknown.push(took) }
            }
        }
        self.asker.client = visitor;
        samples
    }

    /// Inviting an address: the same row and the same mail for everybody.
    async fn invite(&mut self, pairs: usize) -> Samples {
        let visitor = std::mem::replace(&mut self.asker.client, self.manager.clone());
        let path = format!("/api/data/v1/productions/{}/invitations", self.production);
        let roles = json!({ "library": "reader" });
        let mut samples = Samples::default();
        // A production has only so many open invitations.
        let at_once = usize::try_from(invitations::MAX_OPEN / 2).unwrap();
        for first in (0..pairs).step_by(at_once) {
            let asked = |side: &str| {
                let body = |number| json!({ "address": login(side, number), "roles": roles });
                (first..pairs.min(first + at_once)).map(|number| question(&path, body(number), 201)).collect()
            };
            let (known, unknown) = (asked("known"), asked("nobody"));
            self.asker.ask(&mut samples, known, unknown).await;
            self.run("DELETE FROM invitations");
        }
        self.asker.client = visitor;
        samples
    }
}

/// `KINORA_TIMING=0.1` takes a tenth of the samples.
fn scaled(count: usize) -> usize {
    let share: f64 = std::env::var("KINORA_TIMING").ok().and_then(|text| text.parse().ok()).unwrap_or(1.0);
    ((count as f64 * share) as usize).max(30)
}

/// Asks everywhere.
pub async fn measure() -> Vec<Row> {
    let mut place = Place::open().await;
    let second = "/api/data/v1/session/second-factor";
    let mut rows = Vec::new();
    // The first hundred requests find caches and connections cold.
    let _ = place.route(200).await;
    rows.push(
        place.route(scaled(PAIRS)).await.row("timing: where a known and an unknown address signs in, AUC"),
    );
    let locked = place.locked(scaled(PAIRS)).await;
    rows.push(locked.row("timing: signing in, known and unknown login, both locked, AUC"));
    for (what, path, body) in [
        (
            "timing: second step, half sign-in that was and one that never was, code, AUC",
            second.to_owned(),
            json!({ "code": "123456" }),
        ),
        ("timing: the same, asking for a code by mail, AUC", format!("{second}/email-code"), json!({})),
        ("timing: the same, asking for a passkey's challenge, AUC", format!("{second}/challenge"), json!({})),
    ] {
        rows.push(place.half(scaled(PAIRS), &path, &body).await.row(what));
    }
    rows.push(place.invite(scaled(PAIRS)).await.row("timing: inviting a known and an unknown address, AUC"));
    // A pair that does differ.
    place.asker.added = ADDED;
    let control = place.route(scaled(PAIRS) / 5).await;
    rows.push(control.control("timing, control: where somebody signs in, known ones 0.4 ms later, AUC"));
    drop(place.kinora);
    rows
}

/// Wrong passwords: forty minutes, as each sample takes the bcrypt of the least cost that settings allow.
pub async fn measure_passwords() -> Vec<Row> {
    let mut place = Place::open().await;
    let _ = place.sign_in(10).await;
    let told = place.sign_in(scaled(PAIRS)).await;
    let mut rows = vec![told.row("timing: signing in, known and unknown login, wrong password, AUC")];
    // A pair that does differ.
    let hash = kinora_store::passwords::hash("another one than that", 13).expect("a hash");
    place.run(&format!("UPDATE people SET password_hash = '{hash}' WHERE login LIKE 'known-%'"));
    let control = place.sign_in(CONTROL.min(scaled(CONTROL))).await;
    rows.push(control.control("timing, control: signing in, known passwords hashed at twice the cost, AUC"));
    drop(place.kinora);
    rows
}
