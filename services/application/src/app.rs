//! Puts the application together and serves it.

use std::sync::Arc;
use std::time::Duration;

use actix_web::middleware::from_fn;
use actix_web::web::{self, ServiceConfig};
use actix_web::{App, HttpServer};
use kinora_runtime::redis::Redis;
use kinora_runtime::tls::{Protocols, Tls, TlsError};
use kinora_runtime::{CredentialError, Service, credentials, sockets};
use kinora_saml::VerifierProcess;
use kinora_store::Pool;
use kinora_vault::{MasterKeys, S3Credentials, Vault, VaultError, VaultSecrets};

use crate::accounts::passwords::PasswordDesk;
use crate::context::Context;
use crate::database::Database;
use crate::drain::{self, Drain};
use crate::guards::Guards;
use crate::middleware::{csrf, panic_guard, rate_limit, request_id, security_headers, session};
use crate::pages::{self, Pages, PagesError};
use crate::rate::RateLimiter;
use crate::secrets::Keys;
use crate::sessions::Sessions;
use crate::settings::ApplicationSettings;
use crate::single_sign_on::desk::Desk;
use crate::storage::Storage;
use crate::{accounts, health, installation, library, media, openapi, privacy, provisioning, single_sign_on};

/// How long a client may take to send its request's head.
const HEAD_TIMEOUT: Duration = Duration::from_secs(10);
/// How long an idle connection is kept: longer than load balancers keep theirs, so that they close.
const KEEP_ALIVE: Duration = Duration::from_secs(75);

/// How long answers that were made may take to reach their clients at the end.
const LAST_GRACE: Duration = Duration::from_secs(3);

/// Why the application cannot run.
#[derive(Debug, thiserror::Error)]
pub enum ApplicationError {
    /// A secret is missing.
    #[error(transparent)]
    Credential(#[from] CredentialError),
    /// The vault cannot be used.
    #[error("vault: {0}")]
    Vault(#[from] VaultError),
    /// A certificate, key or authority cannot be used.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// Keys cannot be derived.
    #[error("OpenSSL: {0}")]
    Keys(#[from] openssl::error::ErrorStack),
    /// Passwords cannot be hashed.
    #[error("passwords: {0}")]
    Passwords(#[from] kinora_store::passwords::PasswordError),
    /// The web client cannot be read.
    #[error("web_root: {0}")]
    Pages(#[from] PagesError),
    /// The address cannot be listened on, or the server failed.
    #[error("listen = \"{address}\": {source}")]
    Listen {
        /// The address.
        address: std::net::SocketAddr,
        /// Why not.
        source: std::io::Error,
    },
}

fn parallelism() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// What the handlers share.
///
/// # Errors
/// [`ApplicationError`].
pub fn prepare(service: &Service<ApplicationSettings>) -> Result<Context, ApplicationError> {
    let settings = service.settings.clone();
    let password = service.secret(credentials::DATABASE_PASSWORD)?;
    let pool = Pool::new(&settings.database, password.expose_text(), "kinora-application");
    let database = Database::new(pool, &settings.database);
    let master_key = service.secret(credentials::VAULT_MASTER_KEY)?;
    let master_keys = MasterKeys::parse(master_key.expose_text())?;
    let mut secrets = VaultSecrets::new(master_keys.clone());
    if settings.vault.s3.is_some() {
        secrets.s3 = Some(S3Credentials {
            access_key: service.secret("vault-s3-access-key")?.expose_text().to_owned(),
            secret_key: service.secret("vault-s3-secret-key")?.expose_text().to_owned(),
        });
    }
    let redis = Redis::new(&settings.redis, Some(&service.secret(credentials::REDIS_PASSWORD)?))?;
    let verifier = Arc::new(VerifierProcess::new(settings.saml.verifier(), parallelism()));
    let vault = Arc::new(Vault::open(&settings.vault, secrets)?);
    Ok(Context {
        sessions: Sessions::new(database.clone(), settings.session.idle_limit.get()),
        keys: Keys::derive(&service.credentials.read_key(credentials::SESSION_KEY)?)?,
        rates: RateLimiter::new(&settings.rate_limit),
        passwords: PasswordDesk::new(&settings.password)?,
        guards: Guards::new(database.clone()),
        redis,
        storage: Arc::new(Storage::new(&vault)),
        vault,
        master_keys,
        sign_on: Desk::new(Arc::clone(&verifier)),
        verifier,
        database,
        settings,
    })
}

/// Registers all addresses.
pub fn configure(config: &mut ServiceConfig) {
    config
        .configure(health::configure)
        .service(
            web::scope("/api")
                // Addresses are tried in this order: those that are asked for most come first.
                .service(
                    web::scope("/data/v1")
                        .configure(library::configure)
                        .configure(accounts::configure)
                        .configure(single_sign_on::configure)
                        .configure(provisioning::configure)
                        .configure(privacy::configure)
                        .configure(installation::configure),
                )
                .service(
                    web::scope("/media/v1").wrap(from_fn(media::need_storage)).configure(media::configure),
                )
                .configure(openapi::configure),
        )
        .configure(single_sign_on::configure_protocol)
        .configure(single_sign_on::protocol::configure)
        .configure(provisioning::configure_protocol)
        .configure(pages::configure);
}

/// Serves until shutdown is requested, then lets running requests end.
///
/// # Errors
/// [`ApplicationError`].
pub async fn serve(service: Service<ApplicationSettings>) -> Result<(), ApplicationError> {
    let context = web::Data::new(prepare(&service)?);
    let settings = &service.settings;
    let pages = settings.web_root.as_deref().map(Pages::read).transpose()?.map(web::Data::new);
    let address = settings.listen;
    let failed = |source| ApplicationError::Listen { address, source };
    let threads = match settings.threads {
        0 => parallelism(),
        count => count,
    };
    // Each server thread has blocking threads of its own: enough for all connections of the pool, and
    // for the passwords.
    let blocking = Database::most_threads(settings.database.pool_size as usize) + threads;
    let (hub, _listener) = library::events::start(context.clone(), &service.shutdown).map_err(failed)?;
    let data = context.clone();
    let tls = service.tls(Protocols::Http2)?;
    let drain = web::Data::new(Drain::new(service.shutdown.clone()));
    let (draining, greeting) = (drain.clone(), drain.clone());
    let server = HttpServer::new(move || {
        let app = App::new().app_data(data.clone()).app_data(hub.clone()).app_data(drain.clone());
        let app = match &pages {
            Some(pages) => app.app_data(pages.clone()),
            None => app,
        };
        // The last one registered is the outermost.
        app.wrap(from_fn(rate_limit::rate_limit))
            .wrap(from_fn(csrf::csrf))
            .wrap(from_fn(session::session))
            .wrap(from_fn(security_headers::security_headers))
            .wrap(from_fn(panic_guard::panic_guard))
            .wrap(from_fn(request_id::request_id))
            .wrap(from_fn(drain::drain))
            .configure(configure)
    })
    .workers(threads)
    .worker_max_blocking_threads(blocking)
    .client_request_timeout(HEAD_TIMEOUT)
    .keep_alive(KEEP_ALIVE)
    .shutdown_timeout(LAST_GRACE.as_secs())
    .disable_signals()
    .on_connect(move |_, connection| greeting.connected(connection));
    let passed = service.sockets.take(sockets::HTTP);
    let is_passed = !passed.is_empty();
    let acceptor = || tls.as_ref().map(Tls::acceptor).transpose();
    let server = match acceptor()? {
        _ if is_passed => passed.into_iter().try_fold(server, |server, listener| match acceptor()? {
            Some(acceptor) => server.listen_openssl(listener, acceptor).map_err(failed),
            None => server.listen(listener).map_err(failed),
        })?,
        Some(acceptor) => server.bind_openssl(address, acceptor).map_err(failed)?,
        None => server.bind(address).map_err(failed)?,
    };
    for bound in server.addrs() {
        log::info!(address:% = bound, tls = tls.is_some(), from_systemd = is_passed; "listening");
    }
    let server = server.run();
    let handle = server.handle();
    let (stopping, grace) = (service.shutdown.clone(), settings.shutdown_grace.get());
    tokio::spawn(async move {
        stopping.requested().await;
        handle.pause().await;
        draining.finish(grace).await;
        handle.stop(true).await;
    });
    accounts::housekeeping::spawn(context.database.clone(), service.shutdown.clone());
    accounts::support_watch::spawn(context.clone(), service.shutdown.clone());
    single_sign_on::watch::spawn(context.clone(), service.shutdown.clone());
    media::sweep::spawn(context.clone(), service.shutdown.clone());
    context.storage.watch(&context.vault, &context.database, &service.shutdown);
    tokio::spawn(Arc::clone(&context.guards).run(service.shutdown.clone()));
    service.notify_ready();
    server.await.map_err(failed)
}
