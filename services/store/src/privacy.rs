//! Personal data: what is kept where and how long, taking it along, correcting it, erasing it.
//!
//! One [`register`] says of every column whether it is about somebody. The export, the erasure and the page that tells
//! people what is kept of them are made from it, and a test compares it with the schema of the database: whoever adds
//! a column says there what it holds.
//!
//! What is erased is written down as an [`erasures::Erasure`], with ids and counts alone, in a list to which rows are
//! only added: after a restore everything in it is erased again ([`erasures::repeat`]).

pub mod address;
pub mod correction;
pub mod erasure;
pub mod erasures;
pub mod export;
pub mod held;
pub mod register;
mod tables;
mod traces;

use uuid::Uuid;

/// What stands in place of the name of a person who is erased.
///
/// It ends in the last digits of the id, so that two of them can be told apart.
#[must_use]
pub fn pseudonym(id: Uuid) -> String {
    let text = id.simple().to_string();
    format!("Erased person {}", text.get(24..).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pseudonyms_tell_people_apart_and_nothing_else() {
        let id: Uuid = "0193a1b2-c3d4-7e5f-8a6b-0123456789ab".parse().unwrap();
        assert_eq!(pseudonym(id), "Erased person 456789ab");
    }
}
