//! The seam between the policy and the expression language: binding knows what an expression reads and gives, the
//! engine knows how to evaluate it.

use std::fmt::Debug;
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch};
use arrow::datatypes::{DataType, SchemaRef};

/// Understands SQL expressions over the source columns.
pub trait SqlBinder: Send + Sync {
    /// Binds `sql` to the source columns.
    ///
    /// # Errors
    /// What is wrong with it, for the person who wrote the policy.
    fn bind(&self, sql: &str, schema: &SchemaRef) -> Result<BoundSql, String>;
}

/// Evaluates one bound expression over a batch.
pub trait Evaluate: Debug + Send + Sync {
    /// One value for each row. The batch has the columns that [`BoundSql::columns`] names, in that order.
    ///
    /// # Errors
    /// Without anything of a value.
    fn evaluate(&self, batch: &RecordBatch) -> Result<ArrayRef, String>;
}

/// A bound expression.
#[derive(Debug, Clone)]
pub struct BoundSql {
    /// As the policy has it.
    pub sql: String,
    /// Source columns that it reads, in the order that [`Evaluate`] wants them.
    pub columns: Vec<String>,
    /// Of these, the ones that flow into the result outside any function that hides them.
    pub raw_columns: Vec<String>,
    /// Type of the result.
    pub data_type: DataType,
    /// Whether the result may be null.
    pub nullable: bool,
    /// How to compute it.
    pub evaluator: Arc<dyn Evaluate>,
}
