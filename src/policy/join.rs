//! Joins between datasets: `customers.customer_id = orders.customer_id`.

use std::fmt;
use std::str::FromStr;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::select::{ColumnPath, Segment};

/// Two columns whose equal values must stay equal.
///
/// Each side is a dataset and a column, parted by the first dot; a name that holds dots stands in backticks.
///
/// ```
/// use lakeveil::policy::Join;
/// let join: Join = "customers.id = `eu.orders`.customer.id".parse().unwrap();
/// assert_eq!(join.right.dataset, "eu.orders");
/// assert_eq!(join.right.column.to_string(), "customer.id");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Join {
    /// What stands before `=`.
    pub left: JoinSide,
    /// What stands after `=`.
    pub right: JoinSide,
}

/// A column of a dataset.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JoinSide {
    /// The dataset, as its policy names it.
    pub dataset: String,
    /// The column in it.
    pub column: ColumnPath,
}

/// Not a join.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("a join is written `dataset.column = dataset.column`")]
pub struct BadJoin;

impl FromStr for Join {
    type Err = BadJoin;

    fn from_str(text: &str) -> Result<Self, BadJoin> {
        let (left, right) = text.split_once('=').ok_or(BadJoin)?;
        Ok(Self { left: side(left)?, right: side(right)? })
    }
}

fn side(text: &str) -> Result<JoinSide, BadJoin> {
    let path: ColumnPath = text.trim().parse().map_err(|_| BadJoin)?;
    match path.segments() {
        [Segment::Field(dataset), column @ ..] => {
            let column = ColumnPath::new(column.to_vec()).ok_or(BadJoin)?;
            Ok(JoinSide { dataset: dataset.clone(), column })
        }
        _ => Err(BadJoin),
    }
}

impl fmt::Display for Join {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let dataset = |side: &JoinSide| ColumnPath::of(&side.dataset);
        let (left, right) = (&self.left, &self.right);
        write!(f, "{}.{} = {}.{}", dataset(left), left.column, dataset(right), right.column)
    }
}

impl TryFrom<String> for Join {
    type Error = BadJoin;

    fn try_from(text: String) -> Result<Self, BadJoin> {
        text.parse()
    }
}

impl From<Join> for String {
    fn from(join: Join) -> Self {
        join.to_string()
    }
}

impl JsonSchema for Join {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Join".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "pattern": r"^.+\..+=.+\..+$" })
    }
}
