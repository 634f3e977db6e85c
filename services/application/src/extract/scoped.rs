//! Things that belong to a production, found by their own id.

use std::marker::PhantomData;

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};
use diesel::pg::PgConnection;
use kinora_core::permission::ProductionRoles;
use kinora_core::{AssetId, ProductionId, RunId};
use kinora_store::scopes;

use super::permission::{InModule, Level, SignedIn, decided, require};
use super::{Extraction, Named, path_id, support};
use crate::context::Context;
use crate::error::{Problem, ProblemKind};

/// Something that belongs to one production for ever.
pub trait Scoped: Named + Into<uuid::Uuid> + Copy + Send + Sync + 'static {
    /// The production that it belongs to; none if it does not exist (any more).
    ///
    /// # Errors
    /// If the database fails.
    fn find_production(self, connection: &mut PgConnection) -> kinora_store::Result<Option<ProductionId>>;
}

impl Scoped for AssetId {
    fn find_production(self, connection: &mut PgConnection) -> kinora_store::Result<Option<ProductionId>> {
        scopes::find_production_of_asset(connection, self)
    }
}

impl Scoped for RunId {
    fn find_production(self, connection: &mut PgConnection) -> kinora_store::Result<Option<ProductionId>> {
        scopes::find_production_of_run(connection, self)
    }
}

/// Somebody with at least the role `L` in the module `M` of the production that owns the `T` in the
/// path. `Within<AssetId, Library, Reader>` reads `{asset_id}`.
#[derive(Clone, Debug)]
pub struct Within<T, M, L> {
    /// Who.
    pub who: SignedIn,
    /// The id in the path.
    pub id: T,
    /// The production that owns it.
    pub production_id: ProductionId,
    /// All roles in the production.
    pub roles: ProductionRoles,
    level: PhantomData<(M, L)>,
}

impl<T: Scoped, M: InModule, L: Level> FromRequest for Within<T, M, L> {
    type Error = Problem;
    type Future = Extraction<Self>;

    fn from_request(request: &HttpRequest, _payload: &mut Payload) -> Self::Future {
        let request = request.clone();
        Box::pin(async move {
            let (_, ()) = require(&request, |principal| {
                if principal.password_change_required {
                    Err(ProblemKind::PasswordChangeRequired.into())
                } else {
                    Ok(())
                }
            })
            .await?;
            let id: T = path_id(&request, T::NAME)?;
            let database = &Context::of(&request)?.database;
            let production_id = database
                .read(move |connection| id.find_production(connection))
                .await?
                .ok_or_else(Problem::not_found)?;
            let (caller, roles) = require(&request, |principal| {
                let roles = principal.production_roles(production_id);
                decided(roles.decide(M::MODULE, L::ROLE)).map(|()| roles)
            })
            .await?;
            let part = Some((T::NAME, id.into()));
            let who = support::admit(&request, caller, production_id, part).await?;
            Ok(Self { who, id, production_id, roles, level: PhantomData })
        })
    }
}
