//! The engine: bus, coordinator, state machine, migrations, with real PostgreSQL, RabbitMQ and
//! Redis, real backends, and workers that do as the test says.

mod bus;
mod canary_account;
mod commands;
mod crashes;
mod database;
mod encodes;
mod fixture;
mod fleet;
mod operators;
mod runs;
mod schema;
mod scripted_worker;
mod states;
