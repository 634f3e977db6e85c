//! Who may do what: organisation roles, module roles, and the acts they allow.
//!
//! An act needs a least role in one module of one production. Whoever lacks even [`Reader`] there
//! must get the same answer as for something that does not exist; that decision is made once, in
//! [`ProductionRoles::decide`].
//!
//! [`Reader`]: ModuleRole::Reader

use serde::{Deserialize, Serialize};

use crate::ids::ProductionId;

/// A part of the product that a member can be let into on its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Module {
    /// Production office: contacts, schedules, papers.
    Office,
    /// The media library.
    Library,
    /// Timed text.
    Subtitling,
    /// Budgets and actuals.
    Budget,
}

impl Module {
    /// All modules, in the order in which pages show them.
    pub const ALL: [Self; 4] = [Self::Office, Self::Library, Self::Subtitling, Self::Budget];
}

/// What a member may do in one module. Each role includes those before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum ModuleRole {
    /// Sees, plays and downloads.
    Reader,
    /// Also adds and changes.
    Editor,
    /// Also removes, and decides who is a member of the module.
    Manager,
}

/// What a member may do in the organisation as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum OrganisationRole {
    /// Sees nothing but the productions they are a member of.
    Member,
    /// Manages people, productions and memberships; sees media only as a member of a production.
    Administrator,
    /// An administrator who also decides who else is owner. There is always at least one.
    Owner,
}

impl OrganisationRole {
    /// Whether this role manages people, productions and memberships.
    #[must_use]
    pub fn administers(self) -> bool {
        self >= Self::Administrator
    }

    /// Whether a person with this role may give or take `role` to or from somebody.
    ///
    /// Only owners make or unmake owners, so that an administrator cannot take over.
    #[must_use]
    pub fn may_grant(self, role: Self) -> bool {
        self.administers() && role <= self
    }
}

macro_rules! named {
    ($type:ident, [$($variant:ident => $name:literal),+ $(,)?]) => {
        impl $type {
            /// The name in the database and the API.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $name),+ }
            }

            /// The value of that name.
            #[must_use]
            pub fn from_name(name: &str) -> Option<Self> {
                match name { $($name => Some(Self::$variant),)+ _ => None }
            }
        }
    };
}

named!(Module, [Office => "office", Library => "library", Subtitling => "subtitling", Budget => "budget"]);
named!(ModuleRole, [Reader => "reader", Editor => "editor", Manager => "manager"]);
named!(OrganisationRole, [Member => "member", Administrator => "administrator", Owner => "owner"]);

/// The roles one person has in one production, a role or none for each module.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct ProductionRoles {
    /// Role in the production office.
    #[serde(default)]
    pub office: Option<ModuleRole>,
    /// Role in the library.
    #[serde(default)]
    pub library: Option<ModuleRole>,
    /// Role in subtitling.
    #[serde(default)]
    pub subtitling: Option<ModuleRole>,
    /// Role in the budget.
    #[serde(default)]
    pub budget: Option<ModuleRole>,
}

/// What an access token may do at most of what its person may, in productions. With a scope it may also
/// do nothing to the person's own account, and nothing that administers an organisation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct TokenScope {
    /// The most it may do.
    pub most_role: ModuleRole,
    /// In these modules, at least one.
    #[cfg_attr(feature = "openapi", schema(min_items = 1, max_items = 4))]
    pub modules: Vec<Module>,
    /// In these productions; in all of the person's without this.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(min_items = 1, max_items = 100))]
    pub productions: Option<Vec<ProductionId>>,
}

impl TokenScope {
    /// What is left of somebody's roles in a production.
    #[must_use]
    pub fn limit(&self, production: ProductionId, roles: ProductionRoles) -> ProductionRoles {
        if self.productions.as_ref().is_some_and(|productions| !productions.contains(&production)) {
            return ProductionRoles::default();
        }
        let limited = |module, role: Option<ModuleRole>| {
            role.filter(|_| self.modules.contains(&module)).map(|role| role.min(self.most_role))
        };
        ProductionRoles {
            office: limited(Module::Office, roles.office),
            library: limited(Module::Library, roles.library),
            subtitling: limited(Module::Subtitling, roles.subtitling),
            budget: limited(Module::Budget, roles.budget),
        }
    }
}

/// How a request for an act in a module is to be answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Go ahead.
    Allowed,
    /// The person sees the thing but may not do this to it (HTTP 403).
    Forbidden,
    /// The person must not learn that the thing exists (HTTP 404).
    Invisible,
}

impl ProductionRoles {
    /// Manager of every module: what the maker of a production becomes.
    pub const MANAGER: Self = Self {
        office: Some(ModuleRole::Manager),
        library: Some(ModuleRole::Manager),
        subtitling: Some(ModuleRole::Manager),
        budget: Some(ModuleRole::Manager),
    };

    /// The role in `module`.
    #[must_use]
    pub fn role(&self, module: Module) -> Option<ModuleRole> {
        match module {
            Module::Office => self.office,
            Module::Library => self.library,
            Module::Subtitling => self.subtitling,
            Module::Budget => self.budget,
        }
    }

    /// In each module the higher role of both.
    #[must_use]
    pub fn higher(&self, other: &Self) -> Self {
        let role = |module| self.role(module).max(other.role(module));
        Self {
            office: role(Module::Office),
            library: role(Module::Library),
            subtitling: role(Module::Subtitling),
            budget: role(Module::Budget),
        }
    }

    /// Whether there is no role in any module, so that the production itself is invisible.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        Module::ALL.iter().all(|module| self.role(*module).is_none())
    }

    /// How to answer a request that needs at least `least` in `module`.
    #[must_use]
    pub fn decide(&self, module: Module, least: ModuleRole) -> Decision {
        match self.role(module) {
            None => Decision::Invisible,
            Some(role) if role >= least => Decision::Allowed,
            Some(_) => Decision::Forbidden,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_pair_of_held_and_needed_role_is_decided() {
        use Decision::{Allowed, Forbidden, Invisible};
        use ModuleRole::{Editor, Manager, Reader};
        let table = [
            (None, [Invisible, Invisible, Invisible]),
            (Some(Reader), [Allowed, Forbidden, Forbidden]),
            (Some(Editor), [Allowed, Allowed, Forbidden]),
            (Some(Manager), [Allowed, Allowed, Allowed]),
        ];
        for (held, decisions) in table {
            for (least, decision) in [Reader, Editor, Manager].into_iter().zip(decisions) {
                let roles = ProductionRoles { library: held, ..Default::default() };
                assert_eq!(roles.decide(Module::Library, least), decision, "{held:?} {least:?}");
            }
        }
    }

    #[test]
    fn a_role_in_one_module_opens_no_other() {
        for module in Module::ALL {
            let mut roles = ProductionRoles::MANAGER;
            match module {
                Module::Office => roles.office = None,
                Module::Library => roles.library = None,
                Module::Subtitling => roles.subtitling = None,
                Module::Budget => roles.budget = None,
            }
            assert_eq!(roles.decide(module, ModuleRole::Reader), Decision::Invisible);
            assert!(!roles.is_empty());
        }
        assert!(ProductionRoles::default().is_empty());
    }

    #[test]
    fn a_scope_gives_nothing_and_takes_what_is_not_in_it() {
        let (inside, outside) = (ProductionId::new(), ProductionId::new());
        let scope = TokenScope {
            most_role: ModuleRole::Editor,
            modules: vec![Module::Library, Module::Office],
            productions: Some(vec![inside]),
        };
        let held = ProductionRoles {
            office: Some(ModuleRole::Reader),
            library: Some(ModuleRole::Manager),
            subtitling: Some(ModuleRole::Manager),
            budget: None,
        };
        let left = ProductionRoles {
            office: Some(ModuleRole::Reader),
            library: Some(ModuleRole::Editor),
            ..ProductionRoles::default()
        };
        assert_eq!(scope.limit(inside, held), left);
        assert!(scope.limit(outside, held).is_empty());
        assert!(scope.limit(inside, ProductionRoles::default()).is_empty());
        let everywhere = TokenScope { productions: None, ..scope };
        assert_eq!(everywhere.limit(outside, held), left);
    }

    #[test]
    fn only_owners_make_owners() {
        use OrganisationRole::{Administrator, Member, Owner};
        for (who, role, may) in [
            (Member, Member, false),
            (Member, Owner, false),
            (Administrator, Member, true),
            (Administrator, Administrator, true),
            (Administrator, Owner, false),
            (Owner, Owner, true),
        ] {
            assert_eq!(who.may_grant(role), may, "{who:?} {role:?}");
        }
    }
}
