//! Personal data: the register knows all of it, exports hold it, erasures leave none of it.

mod correction;
mod erasing;
mod export;
mod operator;
mod register;
mod remains;
