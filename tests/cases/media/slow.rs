//! Uploads beside a database that is slow or stands still: they become slow, and do not fail.

use diesel::{PgConnection, RunQueryDsl as _, sql_query};
use kinora_tests::{DatabaseRole, Kinora, wait_until};

use super::support::{
    OpenPatch, Studio, Uploader, count, is_marked, make_bytes, original, sha256, vault_files,
};

const FRAME: usize = 65_536;
/// Marks and signs of life that are under way.
const UNDER_WAY: &str = "pg_stat_activity WHERE datname = current_database() AND state = 'active'
    AND query LIKE 'UPDATE \"uploads\"%'";

fn execute(connection: &mut PgConnection, statement: &str) {
    sql_query(statement).execute(connection).unwrap_or_else(|error| panic!("{statement}: {error}"));
}

async fn download(uploader: &Uploader, address: &str) -> Vec<u8> {
    let asset = uploader.head(address).await.expect(200).header("kinora-asset").unwrap().to_owned();
    let request = uploader.client.request(reqwest::Method::GET, &original(&asset));
    uploader.send(request).await.expect(200).bytes
}

/// A mark takes longer than the time between two of them, and only one upload at a time reaches the
/// database: a writer that waited for one statement while it held the turn of another would wait for ever.
#[tokio::test]
async fn uploads_finish_with_two_connections_to_a_slow_database() {
    const UPLOADS: usize = 3;
    let mut kinora = Kinora::builder()
        .applications(1)
        .settings("application", "database.pool_size = 2\nrate_limit.person_burst = 5000")
        .start()
        .await;
    let mut owner = kinora.connect();
    execute(
        &mut owner,
        "CREATE FUNCTION be_slow() RETURNS trigger LANGUAGE plpgsql AS
         $$ BEGIN PERFORM pg_sleep(1.2); RETURN NEW; END $$",
    );
    execute(
        &mut owner,
        "CREATE TRIGGER slow BEFORE UPDATE ON uploads FOR EACH ROW
         WHEN (NEW.offset_bytes > OLD.offset_bytes) EXECUTE FUNCTION be_slow()",
    );
    let mut studio = Studio::open(&kinora);
    let person = studio.hire(&kinora, Some("editor"));
    let uploader = Uploader::new(&kinora.url(), &studio, &person);
    let length = 4 * FRAME + 11;
    let mut open = Vec::new();
    for number in 0..UPLOADS {
        let address = uploader.create(length, &format!("{number}.mov")).await;
        let bytes = make_bytes(2000 + number as u64, length);
        let mut patch = uploader.begin_patch(&address, 0, length).await;
        patch.send(&bytes[..2 * FRAME]).await;
        open.push((address, bytes, patch, 2 * FRAME));
    }
    // A byte now and then keeps every writer at work until all have marked what came first.
    wait_until("each of them is marked", async || {
        for (_, bytes, patch, sent) in &mut open {
            patch.send(&bytes[*sent..=*sent]).await;
            *sent += 1;
        }
        open.iter().all(|(address, ..)| is_marked(&mut owner, address, 2 * FRAME)).then_some(())
    })
    .await;
    let mut ends = tokio::task::JoinSet::new();
    for (address, bytes, mut patch, sent) in open {
        ends.spawn(async move {
            patch.send(&bytes[sent..]).await;
            (patch.status().await, address, sha256(&bytes))
        });
    }
    while let Some(end) = ends.join_next().await {
        let (status, address, sum) = end.unwrap();
        assert_eq!(status, Some(204));
        assert_eq!(sha256(&download(&uploader, &address).await), sum);
    }
    let log = kinora.application(0).log();
    assert!(!log.contains("could not be marked"), "somebody gave up:\n{log}");
}

/// Clients end a connection that takes nothing for a while (often after 30 s), so bytes are taken also
/// while nothing can be noted about them.
#[tokio::test]
async fn bytes_are_taken_while_the_database_stands_still() {
    let kinora = Kinora::api().await;
    let mut studio = Studio::open(&kinora);
    let person = studio.hire(&kinora, Some("editor"));
    let uploader = Uploader::new(&kinora.url(), &studio, &person);
    let length = 120 * FRAME;
    let bytes = make_bytes(3000, length);
    let address = uploader.create(length, "still.mov").await;
    let mut patch: OpenPatch = uploader.begin_patch(&address, 0, length).await;
    let mut sent = FRAME;
    patch.send(&bytes[..sent]).await;
    let mut owner = kinora.connect();
    // As the application, because nobody sees what others ask.
    let mut watcher = kinora.database().connect(DatabaseRole::Application);
    wait_until("it has a writer", async || {
        (count(&mut watcher, "uploads WHERE writer IS NOT NULL") == 1).then_some(())
    })
    .await;
    execute(&mut owner, "BEGIN");
    execute(&mut owner, "SELECT id FROM uploads FOR UPDATE");
    // The mark of the first second, and the sign of life of a later one.
    wait_until("both wait for the row", async || {
        if sent < 60 * FRAME {
            patch.send(&bytes[sent..sent + 1024]).await;
            sent += 1024;
        }
        (count(&mut watcher, UNDER_WAY) >= 2).then_some(())
    })
    .await;
    patch.send(&bytes[sent..]).await;
    wait_until("all bytes are in the vault", async || {
        let stored: u64 =
            vault_files(&kinora).iter().filter_map(|file| file.metadata().ok()).map(|m| m.len()).sum();
        (stored >= length as u64).then_some(())
    })
    .await;
    execute(&mut owner, "ROLLBACK");
    assert_eq!(patch.status().await, Some(204));
    assert_eq!(sha256(&download(&uploader, &address).await), sha256(&bytes));
}
