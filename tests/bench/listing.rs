//! The signed-in list of 50 assets in a production of 40,000, against `pgbench -M prepared` of the
//! statement the application itself sends.

use std::process::Command;

use diesel::sql_types::Text;
use diesel::{QueryableByName, RunQueryDsl, sql_query};
use kinora_tests::{Client, DatabaseRole, Kinora};

use crate::measure::{Row, median, processor_time};
use crate::upload::create_production;

const ASSETS: u32 = 40_000;
const CONNECTIONS: &str = "8";
const SECONDS: u32 = 8;
const ROUNDS: usize = 3;

/// Lets one client send as much as it can: the limit is not what is measured.
pub const NO_LIMITS: &str = "rate_limit.person_per_second = 1000000.0\nrate_limit.person_burst = 1000000\n";

#[derive(QueryableByName)]
struct Statement {
    #[diesel(sql_type = Text)]
    query: String,
}

/// Puts assets into a production as finished ingests would have.
pub fn fill(kinora: &Kinora, production: &str) {
    let mut owner = kinora.database().connect(DatabaseRole::Owner);
    let statement = format!(
        "INSERT INTO assets (id, production_id, name, kind, status, size_bytes, duration_us, created_at)
         SELECT gen_random_uuid(), '{production}', 'A' || lpad((n / 400)::text, 3, '0') || '_C' || lpad((n % 400)::text, 3, '0')
                || '_1122_' || substr(md5(n::text), 1, 6) || '.mov',
                'video', 'ready', 1000000000 + n * 7919, 1000000 * (n % 600 + 1), now() - n * interval '1 minute'
         FROM generate_series(1, {ASSETS}) n"
    );
    sql_query(statement).execute(&mut owner).expect("assets");
    sql_query("VACUUM ANALYZE assets").execute(&mut owner).expect("statistics");
}

/// What `wrk` prints after a label, such as `Requests/sec:`.
fn figure(output: &str, label: &str) -> f64 {
    let line = output.lines().find(|line| line.trim_start().starts_with(label)).expect(label);
    let text = line.split_whitespace().nth(1).expect("a figure");
    let digits: String = text.chars().take_while(|c| c.is_ascii_digit() || *c == '.').collect();
    let value: f64 = digits.parse().expect("a number");
    match text.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.') {
        "us" => value / 1000.0,
        "s" => value * 1000.0,
        _ => value,
    }
}

fn run(command: &mut Command) -> String {
    let output = command.output().expect("the program is installed");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("text")
}

/// The statement as the application's connections last sent it.
fn statement_of(kinora: &Kinora) -> String {
    let mut connection = kinora.database().connect(DatabaseRole::Application);
    let query = "SELECT query FROM pg_stat_activity
                 WHERE datname = current_database() AND query LIKE '%FROM assets a%' AND pid <> pg_backend_pid()
                 ORDER BY query_start DESC LIMIT 1";
    sql_query(query).get_result::<Statement>(&mut connection).expect("the statement").query
}

fn pgbench(kinora: &Kinora, production: &str, statement: &str) -> f64 {
    let script = kinora.directory().join("list.sql");
    let text = statement.replace("$1", ":production").replace("$2", ":most");
    std::fs::write(&script, format!("{text};\n")).unwrap();
    let bin = newest_postgresql();
    let output = run(Command::new(bin.join("pgbench"))
        .args(["-n", "-M", "prepared", "-c", CONNECTIONS, "-j", "1", "-T", &SECONDS.to_string()])
        .args(["-D", &format!("production={production}"), "-D", "most=51", "-f"])
        .arg(&script)
        .arg(kinora.database().url(DatabaseRole::Application)));
    let line = output.lines().find(|line| line.starts_with("tps = ")).expect("tps");
    line.split_whitespace().nth(2).expect("a figure").parse().expect("a number")
}

fn newest_postgresql() -> std::path::PathBuf {
    let mut found: Vec<_> =
        std::fs::read_dir("/usr/lib/postgresql").unwrap().map(|entry| entry.unwrap().path()).collect();
    found.sort();
    found.pop().expect("PostgreSQL").join("bin")
}

fn load(url: &str, client: &Client) -> String {
    let cookie = format!("Cookie: __Host-kinora={}", client.cookie("__Host-kinora").expect("signed in"));
    run(Command::new("wrk").args([
        "-t1",
        "-c",
        CONNECTIONS,
        "--latency",
        "-H",
        &cookie,
        &format!("-d{SECONDS}s"),
        url,
    ]))
}

/// Alternates both sides.
pub async fn measure() -> Vec<Row> {
    let mut kinora = Kinora::builder().applications(1).settings("application", NO_LIMITS).start().await;
    let mut client = kinora.administrator().await;
    let production = create_production(&kinora, &mut client).await;
    fill(&kinora, &production);
    let path = format!("/api/data/v1/productions/{production}/assets");
    let answer = client.get(&path).await.expect(200).json();
    assert_eq!(answer["items"].as_array().map(Vec::len), Some(50));
    let statement = statement_of(&kinora);
    let url = format!("{}{path}", kinora.url());
    let process = kinora.application(0).process_id();
    let (mut rates, mut tails, mut costs, mut peers, mut ratios) = (vec![], vec![], vec![], vec![], vec![]);
    for _ in 0..ROUNDS {
        let peer = pgbench(&kinora, &production, &statement);
        let before = processor_time(process);
        let output = load(&url, &client);
        assert!(!output.contains("Non-2xx"), "{output}");
        let spent = processor_time(process) - before;
        let rate = figure(&output, "Requests/sec:");
        let requests: f64 = output
            .lines()
            .find_map(|line| line.trim().split_once(" requests in "))
            .expect("requests")
            .0
            .parse()
            .expect("a number");
        rates.push(rate);
        tails.push(figure(&output, "99%"));
        costs.push(spent.as_micros() as f64 / requests);
        peers.push(peer);
        ratios.push(rate / peer);
    }
    let (ratio, cost) = (median(ratios), median(costs));
    let seen = format!("{CONNECTIONS} connections, {ASSETS} assets, median of {ROUNDS} × {SECONDS} s");
    vec![
        Row {
            what: "list of 50 assets ÷ `pgbench -M prepared` of its statement",
            figure: format!("{ratio:.2}"),
            goal: "≥ 0.5",
            reached: Some(ratio >= 0.5),
            from: format!("{:.0}/s ÷ {:.0}/s; {seen}", median(rates), median(peers)),
        },
        Row {
            what: "list of 50 assets, 99th percentile",
            figure: format!("{:.1} ms", median(tails)),
            goal: "",
            reached: None,
            from: seen.clone(),
        },
        Row {
            what: "list of 50 assets, the application's processor time per request",
            figure: format!("{cost:.0} µs"),
            goal: "≤ 100 µs",
            reached: Some(cost <= 100.0),
            from: "user and system time of the process".to_owned(),
        },
    ]
}
