//! What happens around every request, from the outside in: request id, panic guard, security headers,
//! session, CSRF protection, rate limit.

pub mod csrf;
pub mod panic_guard;
pub mod rate_limit;
pub mod request_id;
pub mod security_headers;
pub mod session;
