//! A production with files delivered to it, and what the database says about their runs.

use std::collections::HashMap;

use chrono::{TimeDelta, Utc};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};
use kinora_bus::{BrokerSettings, Bus};
use kinora_core::asset::AssetKind;
use kinora_core::object::{Place, SealedObject, Segment};
use kinora_core::permission::{ModuleRole, ProductionRoles};
use kinora_core::state::RunState;
use kinora_core::step::{Derivative, DerivativeKind, StepInput, StepKind, StepOutput};
use kinora_core::technical::{Analysis, Technical};
use kinora_core::{
    AssetId, ObjectId, OrganisationId, PersonId, ProductionId, RunId, SessionId, StepId, VersionId,
};
use kinora_store::principals::{Principal, ProductionMembership, Proof};
use kinora_store::run_views::{self, Run, Step};
use kinora_store::runs::{self, NewIngest};
use kinora_store::schema::{organisations, people, productions};
use kinora_store::versions::{self, Delivery};
use kinora_tests::{Kinora, KinoraBuilder, wait_until};

/// Someone's production.
#[derive(Clone, Copy, Debug)]
pub struct World {
    pub organisation: OrganisationId,
    pub production: ProductionId,
    pub person: PersonId,
}

/// A file that was delivered.
#[derive(Clone, Copy, Debug)]
pub struct Delivered {
    pub run: RunId,
    pub asset: AssetId,
    pub version: VersionId,
}

impl World {
    pub fn make(connection: &mut PgConnection) -> Self {
        let world = Self {
            organisation: OrganisationId::new(),
            production: ProductionId::new(),
            person: PersonId::new(),
        };
        diesel::insert_into(organisations::table)
            .values((organisations::id.eq(world.organisation.0), organisations::name.eq("Studio")))
            .execute(connection)
            .unwrap();
        diesel::insert_into(people::table)
            .values((
                people::id.eq(world.person.0),
                people::login.eq("editor"),
                people::login_key.eq("editor"),
                people::display_name.eq("Editor"),
            ))
            .execute(connection)
            .unwrap();
        diesel::insert_into(productions::table)
            .values((
                productions::id.eq(world.production.0),
                productions::organisation_id.eq(world.organisation.0),
                productions::name.eq("Film"),
            ))
            .execute(connection)
            .unwrap();
        world
    }

    pub fn editor(&self) -> Principal {
        let roles = ProductionRoles { library: Some(ModuleRole::Manager), ..ProductionRoles::default() };
        let membership =
            ProductionMembership { organisation_id: self.organisation, roles, ends_at: None, support: None };
        Principal {
            person_id: self.person,
            login: "editor".to_owned(),
            display_name: "Editor".to_owned(),
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
            productions: HashMap::from([(self.production, membership)]),
        }
    }

    pub fn deliver(&self, connection: &mut PgConnection, place: Place) -> Delivered {
        self.deliver_object(connection, &SealedObject { place, ..object() })
    }

    pub fn deliver_object(&self, connection: &mut PgConnection, original: &SealedObject) -> Delivered {
        connection
            .transaction(|connection| {
                let delivery = Delivery {
                    production_id: self.production,
                    person_id: self.person,
                    file_name: "A001_C003.mov",
                    media_type: "video/quicktime",
                    original,
                };
                let (asset, version) = versions::insert_asset(connection, delivery)?;
                let new = NewIngest {
                    production_id: self.production,
                    asset_id: asset,
                    version_id: version,
                    created_by: Some(self.person),
                    place: original.place,
                };
                let run = runs::start_ingest(connection, &new, Utc::now())?;
                Ok::<_, kinora_store::StoreError>(Delivered { run, asset, version })
            })
            .unwrap()
    }

    pub fn run(&self, connection: &mut PgConnection, id: RunId) -> Run {
        run_views::find(connection, &self.editor(), id).unwrap()
    }
}

pub fn object() -> SealedObject {
    SealedObject {
        id: ObjectId::new(),
        master_key_id: "test".to_owned(),
        wrapped_key: "AAAA".to_owned(),
        size_bytes: 10,
        sha256: "0".repeat(64),
        segments: vec![Segment { number: 0, length_bytes: 10 }],
        place: Place::Store,
    }
}

pub fn technical() -> Technical {
    Technical {
        kind: AssetKind::Video,
        container: "QuickTime / MOV".to_owned(),
        duration_us: Some(4_000_000),
        bit_rate: None,
        video: None,
        audio: Vec::new(),
        other_streams: 0,
        start_timecode: None,
        reel: None,
        camera: Vec::new(),
        warnings: vec!["The file has no timecode.".to_owned()],
    }
}

/// What a worker that did the step would report.
pub fn output_of(input: &StepInput) -> StepOutput {
    match input {
        StepInput::Probe { .. } => StepOutput::Probe { technical: technical(), raw_probe: object() },
        StepInput::Settle { original } => {
            StepOutput::Settle { original: SealedObject { place: Place::Store, ..original.clone() } }
        }
        StepInput::Render { .. } => {
            let make = |kind, media_type: &str| Derivative {
                kind,
                media_type: media_type.to_owned(),
                object: object(),
            };
            StepOutput::Render {
                derivatives: vec![
                    make(DerivativeKind::Proxy, "video/mp4"),
                    make(DerivativeKind::Poster, "image/jpeg"),
                ],
                analysis: Analysis::default(),
                warnings: vec!["The file ends early.".to_owned()],
            }
        }
    }
}

pub fn step(run: &Run, kind: StepKind) -> &Step {
    run.steps.iter().find(|step| step.kind == kind).unwrap()
}

#[derive(QueryableByName)]
struct Number {
    #[diesel(sql_type = BigInt)]
    number: i64,
}

#[derive(QueryableByName)]
struct Word {
    #[diesel(sql_type = Text)]
    word: String,
}

/// The number that `SELECT … AS number` gives.
pub fn number(connection: &mut PgConnection, query: &str) -> i64 {
    diesel::sql_query(query).get_result::<Number>(connection).unwrap().number
}

/// The text that `SELECT … AS word` gives.
pub fn word(connection: &mut PgConnection, query: &str) -> String {
    diesel::sql_query(query).get_result::<Word>(connection).unwrap().word
}

/// Backends and a production.
pub struct Engine {
    pub kinora: Kinora,
    pub world: World,
}

/// Timeouts that a test can wait for.
pub const IMPATIENT: &str = "coordinator.heartbeat_timeout = \"2s\"\n\
                             coordinator.start_timeout = \"2s\"\n\
                             coordinator.retry_delay = \"100ms\"\n";

impl Engine {
    pub async fn start(backends: usize) -> Self {
        Self::with(Kinora::builder().backends(backends).settings("backend", IMPATIENT)).await
    }

    pub async fn with(builder: KinoraBuilder) -> Self {
        let kinora = builder.start().await;
        let world = World::make(&mut kinora.connect());
        Self { kinora, world }
    }

    pub fn connect(&self) -> PgConnection {
        self.kinora.connect()
    }

    /// A connection to the broker as workers have it.
    pub fn bus(&self) -> Bus {
        connect_bus(&self.kinora)
    }

    pub fn deliver(&self) -> Delivered {
        self.world.deliver(&mut self.connect(), Place::Store)
    }

    pub fn run(&self, id: RunId) -> Run {
        self.world.run(&mut self.connect(), id)
    }

    /// Waits until the run is in this state.
    pub async fn wait_for_run(&self, id: RunId, state: RunState) -> Run {
        let mut connection = self.connect();
        let what = format!("run {id} is {}", state.name());
        wait_until(&what, async || Some(self.world.run(&mut connection, id)).filter(|run| run.state == state))
            .await
    }

    /// Waits until a step of the run fulfils the condition.
    pub async fn wait_for_step(
        &self,
        id: RunId,
        kind: StepKind,
        what: &str,
        condition: impl Fn(&Step) -> bool,
    ) -> Step {
        let mut connection = self.connect();
        wait_until(what, async || {
            let run = self.world.run(&mut connection, id);
            Some(step(&run, kind).clone()).filter(&condition)
        })
        .await
    }

    /// The result has everything once.
    pub fn assert_complete_and_single(&self, delivered: Delivered) {
        let mut connection = self.connect();
        let version = delivered.version;
        let kinds = word(
            &mut connection,
            &format!(
                "SELECT string_agg(kind, ' ' ORDER BY kind) AS word FROM derivatives WHERE version_id = '{version}'"
            ),
        );
        assert_eq!(kinds, "poster proxy raw_probe");
        let status = word(
            &mut connection,
            &format!("SELECT status || ' ' || kind AS word FROM assets WHERE id = '{}'", delivered.asset),
        );
        assert_eq!(status, "ready video");
        // Nothing that is used is marked for removal, and nothing unused is kept.
        let orphaned = number(
            &mut connection,
            "SELECT count(*) AS number FROM orphan_objects o JOIN derivatives d ON d.object_id = o.object_id",
        );
        assert_eq!(orphaned, 0);
        let unused = number(
            &mut connection,
            "SELECT count(*) AS number FROM objects o \
             WHERE NOT EXISTS (SELECT FROM derivatives d WHERE d.object_id = o.id) \
               AND NOT EXISTS (SELECT FROM versions v WHERE v.original_object_id = o.id)",
        );
        assert_eq!(unused, 0);
        let doubled = number(
            &mut connection,
            "SELECT count(*) AS number FROM (SELECT run_id, kind FROM steps GROUP BY run_id, kind HAVING count(*) > 1) x",
        );
        assert_eq!(doubled, 0);
    }
}

/// A bus as a backend has it.
pub fn connect_bus(kinora: &Kinora) -> Bus {
    let (settings, password) = bus_settings(kinora);
    Bus::start(&settings, &password, "test").unwrap()
}

/// A bus as a worker has it.
pub fn join_bus(kinora: &Kinora) -> Bus {
    let (settings, password) = bus_settings(kinora);
    Bus::join(&settings, &password, "test").unwrap()
}

fn bus_settings(kinora: &Kinora) -> (BrokerSettings, String) {
    let settings = kinora.broker_settings();
    let password = std::fs::read_to_string(&settings.password_file).unwrap();
    let settings = BrokerSettings {
        hosts: vec![format!("127.0.0.1:{}", settings.port)],
        virtual_host: settings.vhost.clone(),
        user: settings.user.clone(),
        tls: false,
        tls_authorities: None,
        prefix: "kinora".to_owned(),
    };
    (settings, password.trim_end().to_owned())
}

/// The id of a step, whose kind the test knows.
pub fn step_id(run: &Run, kind: StepKind) -> StepId {
    step(run, kind).id
}
