//! The library's queries against a real PostgreSQL: pages, permissions, events, removal.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use chrono::{DateTime, TimeDelta, Utc};
use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::{Nullable, Text, Uuid as SqlUuid};
use kinora_core::asset::{AssetKind, AssetStatus};
use kinora_core::permission::{ModuleRole, ProductionRoles};
use kinora_core::{AssetId, OrganisationId, PersonId, ProductionId, RunId, SessionId, StepId, VersionId};
use kinora_store::asset_list::{self, Listing, SortBy};
use kinora_store::events::{self, Follower};
use kinora_store::principals::{Principal, ProductionMembership, Proof};
use kinora_store::schema::{assets, organisations, people, production_members, productions, runs, sessions};
use kinora_store::{Origin, StoreError};
use kinora_tests::{DatabaseRole, TestDatabase};

/// Numbers that look random and are the same in every run (xorshift).
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % limit
    }
}

struct World {
    organisation: OrganisationId,
    production: ProductionId,
    person: PersonId,
}

fn make_world(conn: &mut PgConnection) -> World {
    let world = World {
        organisation: OrganisationId::new(),
        production: ProductionId::new(),
        person: PersonId::new(),
    };
    diesel::insert_into(organisations::table)
        .values((organisations::id.eq(world.organisation.0), organisations::name.eq("Studio")))
        .execute(conn)
        .unwrap();
    insert_person(conn, world.person);
    diesel::insert_into(productions::table)
        .values((
            productions::id.eq(world.production.0),
            productions::organisation_id.eq(world.organisation.0),
            productions::name.eq("Film"),
        ))
        .execute(conn)
        .unwrap();
    set_library_role(conn, world.production, world.person, Some("manager"));
    world
}

fn insert_person(conn: &mut PgConnection, id: PersonId) {
    diesel::insert_into(people::table)
        .values((
            people::id.eq(id.0),
            people::login.eq(id.to_string()),
            people::login_key.eq(id.to_string()),
            people::display_name.eq("Somebody"),
        ))
        .execute(conn)
        .unwrap();
}

fn set_library_role(conn: &mut PgConnection, production: ProductionId, person: PersonId, role: Option<&str>) {
    diesel::delete(production_members::table.find((production.0, person.0))).execute(conn).unwrap();
    if let Some(role) = role {
        diesel::insert_into(production_members::table)
            .values((
                production_members::production_id.eq(production.0),
                production_members::person_id.eq(person.0),
                production_members::library_role.eq(role),
            ))
            .execute(conn)
            .unwrap();
    }
}

fn principal(world: &World, library: Option<ModuleRole>) -> Principal {
    let roles = ProductionRoles { library, office: Some(ModuleRole::Reader), ..ProductionRoles::default() };
    let membership =
        ProductionMembership { organisation_id: world.organisation, roles, ends_at: None, support: None };
    Principal {
        person_id: world.person,
        login: "somebody".to_owned(),
        display_name: "Somebody".to_owned(),
        password_change_required: false,
        proof: Proof::Session(SessionId::new()),
        expires_at: Utc::now() + TimeDelta::hours(1),
        methods: Default::default(),
        confirmed_at: None,
        support: Vec::new(),
        is_limited: false,
        withheld: Default::default(),
        is_single_sign_on: false,
        organisations: Vec::new(),
        productions: HashMap::from([(world.production, membership)]),
    }
}

fn manager(world: &World) -> Principal {
    principal(world, Some(ModuleRole::Manager))
}

struct NewAsset {
    name: String,
    size_bytes: i64,
    duration_us: Option<i64>,
    created_at: DateTime<Utc>,
    status: &'static str,
}

fn insert_asset(conn: &mut PgConnection, world: &World, new: &NewAsset) -> AssetId {
    let id = AssetId::new();
    diesel::insert_into(assets::table)
        .values((
            assets::id.eq(id.0),
            assets::production_id.eq(world.production.0),
            assets::name.eq(&new.name),
            assets::status.eq(new.status),
            assets::kind.eq("video"),
            assets::size_bytes.eq(new.size_bytes),
            assets::duration_us.eq(new.duration_us),
            assets::created_at.eq(new.created_at),
        ))
        .execute(conn)
        .unwrap();
    id
}

/// An asset among many with which it shares every value that lists are ordered by.
fn random_asset(random: &mut Random) -> NewAsset {
    let names = ["A001", "a001", "B_%\\", "Ärger", "ärger", "shot 12", "", "ゴジラ"];
    let name = names[random.below(names.len() as u64) as usize];
    NewAsset {
        name: if name.is_empty() { "x".to_owned() } else { name.to_owned() },
        size_bytes: random.below(4) as i64,
        duration_us: random.below(3).checked_sub(1).map(|us| us as i64),
        created_at: DateTime::from_timestamp(1_700_000_000 + random.below(4) as i64, 0).unwrap(),
        status: if random.below(3) == 0 { "failed" } else { "ready" },
    }
}

fn listing(world: &World) -> Listing {
    Listing {
        production_id: world.production,
        status: None,
        kind: None,
        name_contains: None,
        sort_by: SortBy::Created,
        descending: true,
        after: None,
        limit: 7,
    }
}

#[test]
fn pages_show_each_row_once_whatever_is_added_and_removed_meanwhile() {
    let database = TestDatabase::create("library_pages");
    let mut conn = database.connect(DatabaseRole::Application);
    let world = make_world(&mut conn);
    let caller = manager(&world);
    let mut random = Random(0x9E37_79B9_7F4A_7C15);
    for sort_by in [SortBy::Created, SortBy::Name, SortBy::Size, SortBy::Duration] {
        for descending in [false, true] {
            for status in [None, Some(AssetStatus::Failed)] {
                diesel::delete(assets::table).execute(&mut conn).unwrap();
                let mut there = BTreeSet::new();
                for _ in 0..60 {
                    let new = random_asset(&mut random);
                    let id = insert_asset(&mut conn, &world, &new);
                    if status.is_none_or(|status| status.name() == new.status) {
                        there.insert(id);
                    }
                }
                let mut asked = Listing { sort_by, descending, status, ..listing(&world) };
                let mut shown = Vec::new();
                loop {
                    let page = asset_list::list(&mut conn, &caller, &asked).unwrap();
                    assert!(page.items.len() <= asked.limit);
                    shown.extend(page.items.iter().map(|asset| asset.id));
                    let Some(next) = page.next else { break };
                    asked.after = Some(next);
                    // Some come, some go: also the very row that the page ended with.
                    for _ in 0..random.below(4) {
                        insert_asset(&mut conn, &world, &random_asset(&mut random));
                    }
                    let victim = match random.below(3) {
                        0 => *shown.last().unwrap(),
                        1 => *there.iter().nth(random.below(there.len() as u64) as usize).unwrap(),
                        _ => continue,
                    };
                    diesel::delete(assets::table.find(victim.0)).execute(&mut conn).unwrap();
                    there.remove(&victim);
                }
                let case = format!("{sort_by:?} descending {descending} {status:?}");
                let once: BTreeSet<AssetId> = shown.iter().copied().collect();
                assert_eq!(once.len(), shown.len(), "{case}: a row was shown twice");
                assert!(there.is_subset(&once), "{case}: a row that was there all the time was left out");
            }
        }
    }
}

/// Assets with every kind of value that a column can hold.
fn insert_all_kinds(conn: &mut PgConnection, world: &World) {
    let names = [
        "A001.mov",
        " ",
        "quote \" slash / back \\",
        "tab\tline\nreturn\rbell\u{7}\u{7f}",
        "Ärger 🎬 \u{2028} مرحبا",
    ];
    for (index, name) in names.into_iter().enumerate() {
        let new = NewAsset {
            name: name.to_owned(),
            size_bytes: [0, 1, i64::MAX, -7, 42][index],
            duration_us: [None, Some(0), Some(i64::MAX), Some(1), None][index],
            created_at: DateTime::from_timestamp_micros(
                [0, -1, 951_782_399_999_999, 1_795_308_099_123_456, 946_684_799_999_999][index],
            )
            .unwrap(),
            status: AssetStatus::ALL[index % AssetStatus::ALL.len()].name(),
        };
        let id = insert_asset(conn, world, &new);
        let failure =
            [None, Some(r#"{"code": "truncated", "message": "Cut \"off\"", "detail": "moov"}"#)][index % 2];
        sql_query("UPDATE assets SET kind = $2, failure = $3::jsonb, created_by = $4 WHERE id = $1")
            .bind::<SqlUuid, _>(id.0)
            .bind::<Text, _>(AssetKind::ALL[index % AssetKind::ALL.len()].name())
            .bind::<Nullable<Text>, _>(failure)
            .bind::<Nullable<SqlUuid>, _>((index % 2 == 0).then_some(world.person.0))
            .execute(conn)
            .unwrap();
    }
}

#[test]
fn what_is_written_of_a_page_is_what_the_page_is() {
    let database = TestDatabase::create("library_written");
    let mut conn = database.connect(DatabaseRole::Application);
    let world = make_world(&mut conn);
    let caller = manager(&world);
    let empty = Listing { limit: 50, ..listing(&world) };
    let mut json = b"before".to_vec();
    assert_eq!(asset_list::write(&mut conn, &caller, &empty, &mut json).unwrap(), None);
    assert_eq!(json, b"before[]");
    insert_all_kinds(&mut conn, &world);
    let mut written = 0;
    for sort_by in [SortBy::Created, SortBy::Name, SortBy::Size, SortBy::Duration] {
        for limit in [1, 2, 4, 5, 50] {
            let asked = Listing { sort_by, limit, ..listing(&world) };
            let page = asset_list::list(&mut conn, &caller, &asked).unwrap();
            let mut json = Vec::new();
            assert_eq!(asset_list::write(&mut conn, &caller, &asked, &mut json).unwrap(), page.next);
            assert_eq!(String::from_utf8(json).unwrap(), serde_json::to_string(&page.items).unwrap());
            written += page.items.len();
        }
    }
    assert_eq!(written, 4 * (1 + 2 + 4 + 5 + 5));
    let outsider = principal(&world, None);
    let refused = asset_list::write(&mut conn, &outsider, &empty, &mut json).unwrap_err();
    assert!(matches!(refused, StoreError::NotFound));
}

#[test]
fn a_list_is_in_order_and_filters_mean_what_they_say() {
    let database = TestDatabase::create("library_filters");
    let mut conn = database.connect(DatabaseRole::Application);
    let world = make_world(&mut conn);
    let caller = manager(&world);
    let mut random = Random(42);
    for _ in 0..50 {
        insert_asset(&mut conn, &world, &random_asset(&mut random));
    }
    let all = Listing { limit: 200, ..listing(&world) };
    let mut names = |text: &str| -> BTreeMap<String, usize> {
        let asked = Listing { name_contains: Some(text.to_owned()), ..all.clone() };
        let mut found = BTreeMap::new();
        for asset in asset_list::list(&mut conn, &caller, &asked).unwrap().items {
            *found.entry(asset.name).or_default() += 1;
        }
        found
    };
    assert_eq!(names("a00").keys().collect::<Vec<_>>(), ["A001", "a001"]);
    assert_eq!(names("ÄRG").keys().collect::<Vec<_>>(), ["Ärger", "ärger"]);
    // What would be wild cards in LIKE is text.
    assert_eq!(names("_%\\").keys().collect::<Vec<_>>(), ["B_%\\"]);
    assert!(names("%").len() == 1 && names("0_1").is_empty());
    for (sort_by, descending) in [(SortBy::Size, false), (SortBy::Duration, true)] {
        let asked = Listing { sort_by, descending, ..all.clone() };
        let items = asset_list::list(&mut conn, &caller, &asked).unwrap().items;
        assert_eq!(items.len(), 50);
        match sort_by {
            SortBy::Size => assert!(items.is_sorted_by_key(|asset| asset.size_bytes)),
            _ => assert!(items.is_sorted_by_key(|asset| std::cmp::Reverse(asset.duration_us.unwrap_or(-1)))),
        }
    }
}

#[test]
fn lists_walk_one_index_even_when_plans_are_generic() {
    let database = TestDatabase::create("library_plans");
    let mut conn = database.connect(DatabaseRole::Owner);
    let world = make_world(&mut conn);
    conn.batch_execute(&format!(
        "INSERT INTO assets (id, production_id, name, kind, status, size_bytes, duration_us, created_at) \
         SELECT gen_random_uuid(), '{}', 'A' || i * 7919 % 40000, 'video', \
                CASE WHEN i % 50 = 0 THEN 'failed' ELSE 'ready' END, i % 977 * 1000, i % 499, \
                now() - i * interval '1 second' FROM generate_series(1, 40000) i; \
         ANALYZE assets; SET plan_cache_mode = force_generic_plan",
        world.production
    ))
    .unwrap();
    let caller = manager(&world);
    for (sort_by, descending, status, index) in [
        (SortBy::Created, true, None, "assets_by_creation"),
        (SortBy::Created, false, None, "assets_by_creation"),
        (SortBy::Created, true, Some(AssetStatus::Failed), "assets_by_status"),
        (SortBy::Name, false, None, "assets_by_name"),
        (SortBy::Name, true, None, "assets_by_name"),
        (SortBy::Size, true, None, "assets_by_size"),
        (SortBy::Duration, false, None, "assets_by_duration"),
    ] {
        let first = Listing { sort_by, descending, status, limit: 50, ..listing(&world) };
        let page = asset_list::list(&mut conn, &caller, &first).unwrap();
        let second = Listing { after: page.next, ..first.clone() };
        for asked in [first, second] {
            let lines = asset_list::explain(&mut conn, &asked).unwrap();
            let plan = lines.join("\n");
            assert!(plan.contains(index), "{asked:?}\n{plan}");
            assert!(!plan.contains("Sort") && !plan.contains("Seq Scan"), "{asked:?}\n{plan}");
            assert!(!plan.contains("Rows Removed by Filter"), "{asked:?}\n{plan}");
        }
    }
}

#[test]
fn without_a_role_in_the_library_nothing_of_it_exists() {
    let database = TestDatabase::create("library_invisible");
    let mut conn = database.connect(DatabaseRole::Application);
    let world = make_world(&mut conn);
    let id = insert_asset(&mut conn, &world, &random_asset(&mut Random(1)));
    let outsider = principal(&world, None);
    let origin = Origin::system("test");
    let is_invisible = |error: StoreError| matches!(error, StoreError::NotFound);
    assert!(is_invisible(asset_list::list(&mut conn, &outsider, &listing(&world)).unwrap_err()));
    assert!(is_invisible(kinora_store::assets::find_detail(&mut conn, &outsider, id).unwrap_err()));
    assert!(is_invisible(kinora_store::run_views::list_of_asset(&mut conn, &outsider, id).unwrap_err()));
    assert!(is_invisible(kinora_store::versions::find_file(&mut conn, &outsider, id, None).unwrap_err()));
    assert!(is_invisible(
        kinora_store::assets::rename(&mut conn, &outsider, &origin, id, |r| r == 1, "mine").unwrap_err()
    ));
    let reader = principal(&world, Some(ModuleRole::Reader));
    assert_eq!(kinora_store::assets::find_detail(&mut conn, &reader, id).unwrap().asset.id, id);
    let refused =
        kinora_store::assets::rename(&mut conn, &reader, &origin, id, |r| r == 1, "mine").unwrap_err();
    assert!(matches!(refused, StoreError::Forbidden));
    let editor = principal(&world, Some(ModuleRole::Editor));
    let refused = kinora_store::assets::remove(&mut conn, &editor, &origin, id, |r| r == 1).unwrap_err();
    assert!(matches!(refused, StoreError::Forbidden));
}

#[test]
fn a_change_needs_the_revision_that_was_read_and_leaves_an_event_and_an_audit_row() {
    let database = TestDatabase::create("library_change");
    let mut conn = database.connect(DatabaseRole::Application);
    let world = make_world(&mut conn);
    let (caller, origin) = (manager(&world), Origin::system("test"));
    let id = insert_asset(&mut conn, &world, &random_asset(&mut Random(1)));
    let renamed =
        kinora_store::assets::rename(&mut conn, &caller, &origin, id, |r| r == 1, "Scene 12").unwrap();
    assert_eq!((renamed.asset.revision, renamed.asset.name.as_str()), (2, "Scene 12"));
    let late =
        kinora_store::assets::rename(&mut conn, &caller, &origin, id, |r| r == 1, "Scene 13").unwrap_err();
    assert!(matches!(late, StoreError::RevisionMismatch { current: 2 }));
    kinora_store::assets::remove(&mut conn, &caller, &origin, id, |r| r == 2).unwrap();
    assert!(matches!(
        kinora_store::assets::find_detail(&mut conn, &caller, id).unwrap_err(),
        StoreError::NotFound
    ));
    let kinds: Vec<String> =
        events::list_after(&mut conn, world.production, 0, 10).unwrap().into_iter().map(|e| e.kind).collect();
    assert_eq!(kinds, ["asset", "asset_removed"]);
    let actions: Vec<String> =
        kinora_store::audit::list(&mut conn, world.organisation, &Default::default(), None, 10)
            .unwrap()
            .into_iter()
            .map(|row| row.action)
            .collect();
    assert_eq!(actions, ["asset.removed", "asset.renamed"]);
}

/// An asset with a version, a run and two steps that have both ended.
fn make_ended_run(conn: &mut PgConnection, world: &World) -> (AssetId, RunId, StepId, StepId) {
    let object = kinora_core::object::SealedObject {
        id: kinora_core::ObjectId::new(),
        master_key_id: "k".to_owned(),
        wrapped_key: "w".to_owned(),
        size_bytes: 5,
        sha256: "0".repeat(64),
        segments: vec![kinora_core::object::Segment { number: 0, length_bytes: 5 }],
        place: kinora_core::object::Place::Store,
    };
    let delivery = kinora_store::versions::Delivery {
        production_id: world.production,
        person_id: world.person,
        file_name: "A001.mov",
        media_type: "video/quicktime",
        original: &object,
    };
    let (asset, version): (AssetId, VersionId) =
        conn.transaction(|conn| kinora_store::versions::insert_asset(conn, delivery)).unwrap();
    let (run, probe, render) = (RunId::new(), StepId::new(), StepId::new());
    conn.batch_execute(&format!(
        "INSERT INTO runs (id, production_id, asset_id, version_id, workflow, workflow_version, state, finished_at) \
         VALUES ('{run}', '{}', '{asset}', '{version}', 'ingest', 1, 'failed', now()); \
         UPDATE assets SET status = 'failed' WHERE id = '{asset}'; \
         INSERT INTO steps (id, run_id, position, kind, needs, state, attempt, tries, started_at, failure) VALUES \
         ('{probe}', '{run}', 0, 'probe', '{{}}', 'failed', 3, 3, now(), \
          '{{\"code\": \"storage\", \"message\": \"m\", \"detail\": \"d\"}}'), \
         ('{render}', '{run}', 1, 'render', '{{probe}}', 'failed', 0, 0, NULL, \
          '{{\"code\": \"upstream\", \"message\": \"m\"}}')",
        world.production
    ))
    .unwrap();
    (asset, run, probe, render)
}

#[test]
fn a_failed_step_is_started_again_alone_and_those_behind_it_wait_for_it() {
    let database = TestDatabase::create("library_restart");
    let mut conn = database.connect(DatabaseRole::Application);
    let world = make_world(&mut conn);
    let (caller, origin) = (manager(&world), Origin::system("test"));
    let (asset, run, probe, render) = make_ended_run(&mut conn, &world);
    let early = kinora_store::run_views::restart_step(&mut conn, &caller, &origin, run, render).unwrap_err();
    assert!(matches!(early, StoreError::Conflict(_)), "{early:?}");
    let ended = kinora_store::run_views::request_cancel(&mut conn, &caller, &origin, run).unwrap_err();
    assert!(matches!(ended, StoreError::Conflict(_)), "{ended:?}");
    let again = kinora_store::run_views::restart_step(&mut conn, &caller, &origin, run, probe).unwrap();
    let states: Vec<&str> = again.steps.iter().map(|step| step.state.name()).collect();
    assert_eq!((again.state.name(), states), ("active", vec!["waiting", "blocked"]));
    // The attempt goes on counting, so that what the old one may still send is ignored.
    assert_eq!(again.steps[0].attempt, 3);
    assert!(again.steps.iter().all(|step| step.failure.is_none()));
    let detail = kinora_store::assets::find_detail(&mut conn, &caller, asset).unwrap();
    assert_eq!(detail.asset.status, AssetStatus::Processing);
    let cancelled = kinora_store::run_views::request_cancel(&mut conn, &caller, &origin, run).unwrap();
    assert!(cancelled.cancel_requested_at.is_some());
    let kinds: Vec<String> =
        events::list_after(&mut conn, world.production, 0, 10).unwrap().into_iter().map(|e| e.kind).collect();
    assert_eq!(kinds, ["asset", "run", "run"]);
}

#[test]
fn a_removed_asset_cancels_its_runs_and_gives_up_its_objects() {
    let database = TestDatabase::create("library_removal");
    let mut conn = database.connect(DatabaseRole::Application);
    let world = make_world(&mut conn);
    let (caller, origin) = (manager(&world), Origin::system("test"));
    let (asset, run, probe, _) = make_ended_run(&mut conn, &world);
    kinora_store::run_views::restart_step(&mut conn, &caller, &origin, run, probe).unwrap();
    let revision = kinora_store::assets::find_detail(&mut conn, &caller, asset).unwrap().asset.revision;
    let object = kinora_store::versions::find_file(&mut conn, &caller, asset, None).unwrap().object;
    kinora_store::assets::remove(&mut conn, &caller, &origin, asset, |r| r == revision).unwrap();
    let cancelled: Option<DateTime<Utc>> =
        runs::table.find(run.0).select(runs::cancel_requested_at).first(&mut conn).unwrap();
    assert!(cancelled.is_some());
    assert!(matches!(
        kinora_store::run_views::find(&mut conn, &caller, run).unwrap_err(),
        StoreError::NotFound
    ));
    let now = Utc::now();
    assert!(kinora_store::objects::claim_orphans(&mut conn, now, 10).unwrap().is_empty(), "too early");
    let later = now + TimeDelta::days(1);
    assert_eq!(kinora_store::objects::claim_orphans(&mut conn, later, 10).unwrap(), [object.id]);
    kinora_store::objects::forget_orphan(&mut conn, object.id).unwrap();
    assert!(kinora_store::objects::claim_orphans(&mut conn, later, 10).unwrap().is_empty());
    assert_eq!(kinora_store::objects::find(&mut conn, object.id).unwrap().wrapped_key, "");
    // Nothing is wrong with a backup of this.
    assert!(answers_of_the_drill(&mut conn).iter().all(|(_, is_right)| *is_right));
    let still_there = "UPDATE assets SET removed_at = NULL";
    let _ = diesel::sql_query(still_there).execute(&mut conn).unwrap();
    assert!(answers_of_the_drill(&mut conn).contains(&("objects lack their keys".to_owned(), false)));
}

/// What the daily drill asks of a database that was restored, as far as it is about media, and what this one answers.
fn answers_of_the_drill(conn: &mut PgConnection) -> Vec<(String, bool)> {
    #[derive(diesel::QueryableByName)]
    struct Answer {
        #[diesel(sql_type = diesel::sql_types::Bool)]
        is_right: bool,
    }
    let program = concat!(env!("CARGO_MANIFEST_DIR"), "/../ansible/roles/backup/files/backup-drill");
    let ask = "import json, sys; from importlib.machinery import SourceFileLoader; sys.dont_write_bytecode = True; \
               sys.path.insert(0, sys.argv[1].rpartition('/')[0]); \
               print(json.dumps(SourceFileLoader('drill', sys.argv[1]).load_module().QUESTIONS))";
    let said =
        std::process::Command::new("python3").args(["-W", "ignore", "-c", ask, program]).output().unwrap();
    assert!(said.status.success(), "{}", String::from_utf8_lossy(&said.stderr));
    let questions: Vec<(String, String)> = serde_json::from_slice(&said.stdout).unwrap();
    questions
        .into_iter()
        .filter(|(what, _)| what.contains("versions") || what.contains("objects"))
        .map(|(what, question)| {
            let named = format!("SELECT ({question}) AS is_right");
            let answer: Answer = diesel::sql_query(named).get_result(conn).unwrap();
            (what, answer.is_right)
        })
        .collect()
}

#[test]
fn what_an_asset_refers_to_is_never_an_orphan() {
    let database = TestDatabase::create("library_orphans");
    let mut conn = database.connect(DatabaseRole::Application);
    let world = make_world(&mut conn);
    let (asset, ..) = make_ended_run(&mut conn, &world);
    let object = kinora_store::versions::find_file(&mut conn, &manager(&world), asset, None).unwrap().object;
    let long_ago = Utc::now() - TimeDelta::days(9);
    kinora_store::objects::orphan(&mut conn, &[object.id.0], long_ago).unwrap();
    assert!(kinora_store::objects::claim_orphans(&mut conn, Utc::now(), 10).unwrap().is_empty());
}

#[test]
fn events_of_many_writers_have_no_gaps_and_become_visible_in_order() {
    const WRITERS: usize = 6;
    const EACH: usize = 40;
    let database = TestDatabase::create("library_events");
    let mut conn = database.connect(DatabaseRole::Application);
    let world = make_world(&mut conn);
    let production = world.production;
    std::thread::scope(|scope| {
        for writer in 0..WRITERS {
            let mut conn = database.connect(DatabaseRole::Application);
            scope.spawn(move || {
                for number in 0..EACH {
                    let outcome = conn.transaction(|conn| {
                        events::record_production(conn, production)?;
                        // Every third writes two, every seventh takes it all back.
                        if number % 3 == writer % 3 {
                            events::record_production(conn, production)?;
                        }
                        if number % 7 == 0 { Err(StoreError::Forbidden) } else { Ok(()) }
                    });
                    assert!(matches!(outcome, Ok(()) | Err(StoreError::Forbidden)), "{outcome:?}");
                }
            });
        }
        let mut reader = database.connect(DatabaseRole::Application);
        scope.spawn(move || {
            let mut seen = 0;
            // As long as there is an end in sight: each writer keeps at least 34 of its 40.
            while seen < (WRITERS * 34) as i64 {
                for event in events::list_after(&mut reader, production, seen, 50).unwrap() {
                    assert_eq!(event.sequence, seen + 1, "a number is missing or came late");
                    seen = event.sequence;
                }
            }
        });
    });
    let extent = events::find_extent(&mut conn, production).unwrap();
    let all = events::list_after(&mut conn, production, 0, 10_000).unwrap();
    assert_eq!(extent.oldest, 1);
    assert_eq!(extent.newest, all.len() as i64);
    assert!(extent.continues_from(0) && extent.continues_from(extent.newest));
    assert!(!extent.continues_from(extent.newest + 1));
}

#[test]
fn trimmed_events_are_noticed_by_who_comes_back_too_late() {
    let database = TestDatabase::create("library_trim");
    let mut conn = database.connect(DatabaseRole::Application);
    let world = make_world(&mut conn);
    for _ in 0..5 {
        events::record_production(&mut conn, world.production).unwrap();
    }
    conn.batch_execute("UPDATE events SET at = now() - interval '8 days' WHERE sequence = 3").unwrap();
    // By number: 1 and 2 go with the 3, so that what is kept has no gap.
    assert_eq!(events::trim(&mut conn, Utc::now() - TimeDelta::days(7)).unwrap(), 3);
    let extent = events::find_extent(&mut conn, world.production).unwrap();
    assert_eq!((extent.oldest, extent.newest), (4, 5));
    assert!(extent.continues_from(3) && !extent.continues_from(2));
    assert_eq!(events::trim(&mut conn, Utc::now() + TimeDelta::days(1)).unwrap(), 2);
    let extent = events::find_extent(&mut conn, world.production).unwrap();
    assert_eq!((extent.oldest, extent.newest), (6, 5));
    assert!(extent.continues_from(5) && !extent.continues_from(4));
}

fn insert_session(conn: &mut PgConnection, person: PersonId, number: u8) -> SessionId {
    let id = SessionId::new();
    let later = Utc::now() + TimeDelta::hours(1);
    diesel::insert_into(sessions::table)
        .values((
            sessions::id.eq(id.0),
            sessions::person_id.eq(person.0),
            sessions::token_digest.eq(vec![number; 32]),
            sessions::idle_expires_at.eq(later),
            sessions::expires_at.eq(later),
        ))
        .execute(conn)
        .unwrap();
    id
}

#[test]
fn followers_are_dismissed_for_each_reason_there_is() {
    let database = TestDatabase::create("library_followers");
    let mut conn = database.connect(DatabaseRole::Application);
    let world = make_world(&mut conn);
    let session = insert_session(&mut conn, world.person, 1);
    let other = insert_session(&mut conn, world.person, 2);
    let follower = |credential: SessionId| Follower {
        production: world.production,
        person: world.person,
        credential: credential.0,
        token_digest: None,
    };
    let stranger = Follower { person: PersonId::new(), ..follower(session) };
    let asked = [stranger, follower(session), follower(SessionId::new()), follower(other)];
    let holds = |conn: &mut PgConnection| -> Vec<bool> {
        events::find_roles_of_followers(conn, &asked).unwrap().iter().map(Option::is_some).collect()
    };
    assert_eq!(holds(&mut conn), [false, true, false, true]);
    let id = session.0;
    for (undo, change) in [
        (
            format!("UPDATE sessions SET revoked_at = NULL WHERE id = '{id}'"),
            format!("UPDATE sessions SET revoked_at = now() WHERE id = '{id}'"),
        ),
        (
            format!("UPDATE sessions SET idle_expires_at = now() + interval '1 hour' WHERE id = '{id}'"),
            format!("UPDATE sessions SET idle_expires_at = now() - interval '1 second' WHERE id = '{id}'"),
        ),
        (
            "UPDATE people SET disabled_at = NULL".to_owned(),
            "UPDATE people SET disabled_at = now()".to_owned(),
        ),
        (
            "UPDATE productions SET removed_at = NULL".to_owned(),
            "UPDATE productions SET removed_at = now()".to_owned(),
        ),
        (String::new(), "DELETE FROM production_members".to_owned()),
    ] {
        conn.batch_execute(&change).unwrap();
        assert!(!holds(&mut conn)[1], "{change}");
        if !undo.is_empty() {
            conn.batch_execute(&undo).unwrap();
        }
        assert_eq!(holds(&mut conn)[1], !undo.is_empty(), "{undo}");
    }
}

#[test]
fn who_follows_with_a_cookie_is_dismissed_when_the_session_has_another_one() {
    let database = TestDatabase::create("library_renewed_followers");
    let mut conn = database.connect(DatabaseRole::Application);
    let world = make_world(&mut conn);
    let session = insert_session(&mut conn, world.person, 1);
    let asked = [None, Some([1; 32]), Some([2; 32])].map(|token_digest| Follower {
        production: world.production,
        person: world.person,
        credential: session.0,
        token_digest,
    });
    let holds = |conn: &mut PgConnection| -> Vec<bool> {
        events::find_roles_of_followers(conn, &asked).unwrap().iter().map(Option::is_some).collect()
    };
    assert_eq!(holds(&mut conn), [true, true, false]);
    conn.batch_execute("UPDATE sessions SET token_digest = decode(repeat('02', 32), 'hex')").unwrap();
    assert_eq!(holds(&mut conn), [true, false, true]);
}

#[test]
fn an_asset_in_json_has_exactly_the_fields_of_the_contract() {
    let database = TestDatabase::create("library_json");
    let mut conn = database.connect(DatabaseRole::Application);
    let world = make_world(&mut conn);
    let (_, run, ..) = make_ended_run(&mut conn, &world);
    let page = asset_list::list(&mut conn, &manager(&world), &listing(&world)).unwrap();
    let json = serde_json::to_value(&page.items[0]).unwrap();
    let mut fields: Vec<&str> = json.as_object().unwrap().keys().map(String::as_str).collect();
    fields.sort_unstable();
    assert_eq!(
        fields,
        [
            "created_at",
            "created_by",
            "duration_us",
            "failure",
            "id",
            "kind",
            "name",
            "production_id",
            "revision",
            "size_bytes",
            "status",
            "updated_at",
            "version_id"
        ]
    );
    // PostgreSQL writes and reads the same instant.
    #[derive(QueryableByName)]
    struct Written {
        #[diesel(sql_type = Text)]
        at: String,
    }
    let written: Written = sql_query(
        "SELECT to_char(created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"') AS at FROM assets",
    )
    .get_result(&mut conn)
    .unwrap();
    assert_eq!(json["created_at"], written.at);
    // The technical detail stays out of events, whose readers are many.
    kinora_store::run_views::announce(&mut conn, run).unwrap();
    let event = events::list_after(&mut conn, world.production, 0, 1).unwrap().remove(0);
    let payload: serde_json::Value = serde_json::from_str(&event.payload).unwrap();
    assert_eq!(payload["steps"][0]["failure"]["code"], "storage");
    assert!(payload["steps"][0]["failure"].get("detail").is_none());
}
