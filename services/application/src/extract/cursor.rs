//! Cursors of lists: opaque, signed, and bound to the list's order and filter.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::error::Problem;
use crate::secrets::Keys;

/// Most items of a page.
pub const MAX_LIMIT: u16 = 200;
const DEFAULT_LIMIT: u16 = 50;
const SIGNATURE: usize = 16;

/// The query parameters of a list without filters.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Page {
    /// `next_cursor` of the page before.
    pub cursor: Option<String>,
    /// Most items: 1 to 200, else 50.
    #[param(minimum = 1, maximum = 200)]
    pub limit: Option<u16>,
}

impl Page {
    /// How many items are wanted.
    ///
    /// # Errors
    /// If it is not 1 to 200.
    pub fn limit(&self) -> Result<i64, Problem> {
        checked_limit(self.limit)
    }
}

/// How many items are wanted.
///
/// # Errors
/// If it is not 1 to 200.
pub fn checked_limit(limit: Option<u16>) -> Result<i64, Problem> {
    match limit.unwrap_or(DEFAULT_LIMIT) {
        limit @ 1..=MAX_LIMIT => Ok(i64::from(limit)),
        _ => Err(Problem::invalid_parameter("limit", "must be 1 to 200")),
    }
}

/// One page of a list.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct List<T> {
    /// The items.
    pub items: Vec<T>,
    /// Pass it as `cursor` for the next page; null at the end.
    pub next_cursor: Option<String>,
}

/// Makes and reads cursors.
pub struct Cursor;

impl Cursor {
    /// The cursor behind `position` in the list `list`, which names address, order and filter.
    ///
    /// # Errors
    /// If the position cannot be written.
    pub fn write(keys: &Keys, list: &str, position: &impl Serialize) -> Result<String, Problem> {
        let position = serde_json::to_vec(position).map_err(Problem::internal)?;
        let signature = keys.sign_cursor(list.as_bytes(), &position);
        let mut bytes = signature.get(..SIGNATURE).unwrap_or_default().to_vec();
        bytes.extend_from_slice(&position);
        Ok(URL_SAFE_NO_PAD.encode(bytes))
    }

    /// The position in `cursor`, if it was made for this list.
    ///
    /// # Errors
    /// If it was not.
    pub fn read<P: DeserializeOwned>(keys: &Keys, list: &str, cursor: &str) -> Result<P, Problem> {
        let wrong = || Problem::invalid_parameter("cursor", "is not a cursor of this list, order and filter");
        let bytes = URL_SAFE_NO_PAD.decode(cursor).map_err(|_| wrong())?;
        let (signature, position) = bytes.split_at_checked(SIGNATURE).ok_or_else(wrong)?;
        let expected = keys.sign_cursor(list.as_bytes(), position);
        if !openssl::memcmp::eq(expected.get(..SIGNATURE).unwrap_or_default(), signature) {
            return Err(wrong());
        }
        serde_json::from_slice(position).map_err(|_| wrong())
    }

    /// Cuts a list that was read with one item too many, and makes the cursor behind the last item kept.
    ///
    /// # Errors
    /// As [`Cursor::write`].
    pub fn cut<T, P: Serialize>(
        keys: &Keys,
        list: &str,
        mut items: Vec<T>,
        limit: i64,
        position: impl Fn(&T) -> P,
    ) -> Result<List<T>, Problem> {
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let has_more = items.len() > limit;
        items.truncate(limit);
        let next_cursor = match items.last() {
            Some(last) if has_more => Some(Self::write(keys, list, &position(last))?),
            _ => None,
        };
        Ok(List { items, next_cursor })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use kinora_runtime::Secret;

    #[test]
    fn a_cursor_belongs_to_its_list() {
        let keys = Keys::derive(&Secret::new([1_u8; 32])).unwrap();
        let cursor = Cursor::write(&keys, "assets?sort=name", &("a", 7)).unwrap();
        let read = |list: &str, cursor: &str| Cursor::read::<(String, i32)>(&keys, list, cursor);
        assert_eq!(read("assets?sort=name", &cursor).unwrap(), ("a".to_owned(), 7));
        assert!(read("assets?sort=size", &cursor).is_err());
        assert!(read("assets?sort=name", "AAAA").is_err());
        assert!(read("assets?sort=name", "%%%").is_err());
        let other = Keys::derive(&Secret::new([2_u8; 32])).unwrap();
        assert!(Cursor::read::<(String, i32)>(&other, "assets?sort=name", &cursor).is_err());
    }

    #[test]
    fn the_last_page_has_no_cursor() {
        let keys = Keys::derive(&Secret::new([1_u8; 32])).unwrap();
        let page = |count: i32| Cursor::cut(&keys, "l", (0..count).collect(), 2, |item: &i32| *item).unwrap();
        assert_eq!(page(2).next_cursor, None);
        assert_eq!(page(3).items, [0, 1]);
        assert!(page(3).next_cursor.is_some());
    }
}
