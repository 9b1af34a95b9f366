//! Binds SQL expressions to the source columns, and evaluates them batch by batch.

use std::collections::BTreeSet;
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Schema, SchemaRef};
use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::common::{Column, DFSchema};
use datafusion::error::DataFusionError;
use datafusion::functions::core::expr_fn::get_field;
use datafusion::logical_expr::planner::{ExprPlanner, PlannerResult, RawFieldAccessExpr};
use datafusion::logical_expr::registry::FunctionRegistry;
use datafusion::logical_expr::{Expr, GetFieldAccess, Volatility};
use datafusion::physical_plan::PhysicalExpr;
use datafusion::prelude::{SessionConfig, SessionContext};

use super::functions;
use crate::policy::chain::KeyChain;
use crate::policy::sql::{BoundSql, Evaluate, SqlBinder};

/// Binds SQL by DataFusion. Names are taken as they are written: no folding to lower case.
pub struct Expressions {
    context: SessionContext,
}

impl Expressions {
    /// With our transforms as functions; the keyed ones use `keys` and are absent without it.
    pub fn new(keys: Option<&KeyChain>) -> Self {
        let mut config = SessionConfig::new();
        config.options_mut().sql_parser.enable_ident_normalization = false;
        let context = SessionContext::new_with_config(config);
        for function in functions::all(keys) {
            context.register_udf(function);
        }
        context.state_ref().write().register_expr_planner(Arc::new(Fields)).expect("takes planners");
        Self { context }
    }
}

/// `value['field']` of a struct, as `get_field(value, 'field')`.
#[derive(Debug)]
struct Fields;

impl ExprPlanner for Fields {
    fn plan_field_access(
        &self,
        access: RawFieldAccessExpr,
        _: &DFSchema,
    ) -> Result<PlannerResult<RawFieldAccessExpr>, DataFusionError> {
        Ok(match access.field_access {
            GetFieldAccess::NamedStructField { name } => PlannerResult::Planned(get_field(access.expr, name)),
            _ => PlannerResult::Original(access),
        })
    }
}

#[derive(Debug)]
struct Physical {
    expression: Arc<dyn PhysicalExpr>,
    data_type: DataType,
}

impl Evaluate for Physical {
    fn evaluate(&self, batch: &RecordBatch) -> Result<ArrayRef, String> {
        // a foreign error may quote the value that it met: only its kind is told
        let failed = |error: DataFusionError| match error {
            DataFusionError::ArrowError(..) => "the expression fails on a value of these rows (a cast or an overflow?)",
            DataFusionError::ResourcesExhausted(_) => "the expression ran out of memory",
            _ => "the expression fails on these rows",
        };
        let value = self.expression.evaluate(batch).and_then(|value| value.into_array(batch.num_rows()));
        let array = value.map_err(failed)?;
        if array.data_type() == &self.data_type {
            return Ok(array);
        }
        cast(&array, &self.data_type).map_err(|_| format!("its result is no {}", self.data_type))
    }
}

impl SqlBinder for Expressions {
    fn bind(&self, sql: &str, schema: &SchemaRef) -> Result<BoundSql, String> {
        let all = DFSchema::try_from(schema.as_ref().clone()).map_err(described)?;
        let expression = self.context.parse_sql_expr(sql, &all).map_err(described)?;
        refuse_unsteady(&expression)?;
        let columns = in_schema_order(expression.column_refs().into_iter().cloned(), schema);
        let raw_columns = in_schema_order(raw_columns(&expression).into_iter(), schema);
        let fields: Vec<_> = columns.iter().filter_map(|name| schema.field_with_name(name).ok().cloned()).collect();
        let read = Schema::new(fields);
        let read_schema = DFSchema::try_from(read.clone()).map_err(described)?;
        let physical = self.context.create_physical_expr(expression, &read_schema).map_err(described)?;
        let data_type = match physical.data_type(&read).map_err(described)? {
            // one form for text, whatever function made it
            DataType::Utf8View | DataType::LargeUtf8 => DataType::Utf8,
            DataType::Null => return Err("the expression is always null".to_owned()),
            other => other,
        };
        let nullable = physical.nullable(&read).map_err(described)?;
        let evaluator = Arc::new(Physical { expression: physical, data_type: data_type.clone() });
        Ok(BoundSql { sql: sql.to_owned(), columns, raw_columns, data_type, nullable, evaluator })
    }
}

/// Only the policy's own text and the schema are known here, so DataFusion's words hold no values.
fn described(error: DataFusionError) -> String {
    let text = error.strip_backtrace();
    let first_line = text.lines().next().unwrap_or_default();
    first_line.trim_start_matches("Error during planning: ").trim_start_matches("Schema error: ").to_owned()
}

/// Two runs must give the same: no `now()`, `random()` or `uuid()`; one row must suffice: no aggregates or subqueries.
fn refuse_unsteady(expression: &Expr) -> Result<(), String> {
    let mut refused = None;
    let walked = expression.apply(|node| {
        let reason = match node {
            Expr::ScalarFunction(call) if call.func.signature().volatility != Volatility::Immutable => {
                Some(format!("`{}` gives another answer in every run, and runs must be repeatable", call.func.name()))
            }
            Expr::AggregateFunction(_) | Expr::WindowFunction(_) => {
                Some("aggregates and window functions need other rows; an expression sees one row".to_owned())
            }
            Expr::ScalarSubquery(_) | Expr::InSubquery(_) | Expr::Exists(_) => {
                Some("subqueries are not possible here; an expression sees one row".to_owned())
            }
            _ => None,
        };
        refused = reason;
        Ok(if refused.is_some() { TreeNodeRecursion::Stop } else { TreeNodeRecursion::Continue })
    });
    walked.map_err(described)?;
    refused.map_or(Ok(()), Err)
}

/// Columns that reach the result outside any of our functions.
fn raw_columns(expression: &Expr) -> BTreeSet<Column> {
    let mut columns = BTreeSet::new();
    let walked = expression.apply(|node| {
        Ok(match node {
            Expr::ScalarFunction(call) if functions::hides(call) => TreeNodeRecursion::Jump,
            Expr::Column(column) => {
                columns.insert(column.clone());
                TreeNodeRecursion::Continue
            }
            _ => TreeNodeRecursion::Continue,
        })
    });
    debug_assert!(walked.is_ok(), "the visitor gives no error");
    columns
}

fn in_schema_order(columns: impl Iterator<Item = Column>, schema: &Schema) -> Vec<String> {
    let named: BTreeSet<String> = columns.map(|column| column.name).collect();
    schema.fields().iter().map(|field| field.name().clone()).filter(|name| named.contains(name)).collect()
}

#[cfg(test)]
mod tests {
    use arrow::array::{Array, AsArray, Int64Array, StringArray};
    use arrow::datatypes::Field;

    use super::super::forms::{FORMS, Need};
    use super::*;

    fn schema() -> SchemaRef {
        Arc::new(Schema::new(vec![
            Field::new("Email", DataType::Utf8, true),
            Field::new("age", DataType::Int64, true),
            Field::new("born", DataType::Date32, true),
        ]))
    }

    fn bind(sql: &str) -> Result<BoundSql, String> {
        Expressions::new(None).bind(sql, &schema())
    }

    #[test]
    fn an_expression_reads_only_its_columns_and_keeps_their_case() {
        let bound = bind("lower(split_part(Email, '@', 2))").unwrap();
        assert_eq!((bound.columns.as_slice(), &bound.data_type), (&["Email".to_owned()][..], &DataType::Utf8));
        let fields = Schema::new(vec![schema().field(0).clone()]);
        let texts: ArrayRef = Arc::new(StringArray::from(vec![Some("a@Example.COM"), None]));
        let batch = RecordBatch::try_new(Arc::new(fields), vec![texts]).unwrap();
        let made = bound.evaluator.evaluate(&batch).unwrap();
        assert_eq!(made.as_string::<i32>().iter().collect::<Vec<_>>(), [Some("example.com"), None]);
        assert!(bind("lower(email)").unwrap_err().contains("email"));
    }

    #[test]
    fn what_differs_between_runs_or_needs_other_rows_is_refused() {
        for sql in [
            "random_token(Email)",
            "now()",
            "random()",
            "uuid()",
            "current_date()",
            "sum(age)",
            "age + random()",
            "(select 1)",
        ] {
            assert!(bind(sql).is_err(), "{sql}");
        }
    }

    #[test]
    fn columns_inside_our_functions_are_not_raw() {
        let bound = bind("mask(Email, 1, 0) || cast(age as varchar)").unwrap();
        assert_eq!(bound.columns, ["Email", "age"]);
        assert_eq!(bound.raw_columns, ["age"]);
    }

    #[test]
    fn a_failing_row_is_told_without_its_value() {
        let bound = bind("cast(Email as bigint)").unwrap();
        let fields = Schema::new(vec![schema().field(0).clone()]);
        let texts: ArrayRef = Arc::new(StringArray::from(vec!["CANARY"]));
        let batch = RecordBatch::try_new(Arc::new(fields), vec![texts]).unwrap();
        let error = bound.evaluator.evaluate(&batch).unwrap_err();
        assert!(!error.contains("CANARY"), "{error}");
    }

    #[test]
    fn numbers_compare_as_numbers() {
        let bound = bind("age >= 18").unwrap();
        let fields = Schema::new(vec![schema().field(1).clone()]);
        let ages: ArrayRef = Arc::new(Int64Array::from(vec![Some(9), Some(18), None]));
        let batch = RecordBatch::try_new(Arc::new(fields), vec![ages]).unwrap();
        let made = bound.evaluator.evaluate(&batch).unwrap();
        assert_eq!(made.as_boolean().iter().collect::<Vec<_>>(), [Some(false), Some(true), None]);
    }

    fn keyring() -> crate::keys::Keyring {
        let secret = b"hex:000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
        crate::keys::Keyring::parse(&crate::crypto::Secret::new(secret.to_vec())).unwrap()
    }

    #[test]
    fn every_keyed_function_is_known_to_the_policy_as_such() {
        let keyed = FORMS.iter().filter(|form| form.key != Need::No);
        let keyed: Vec<_> = keyed.map(|form| form.name).collect();
        assert_eq!(keyed, crate::policy::bind::KEYED_FUNCTIONS);
    }

    #[test]
    fn functions_give_the_tokens_of_rules_and_tenants_by_column() {
        let keys = KeyChain::one(Arc::new(keyring().active().clone()));
        let binder = Expressions::new(Some(&keys));
        let evaluate = |sql: &str, text: &str| {
            let bound = binder.bind(sql, &schema()).unwrap();
            let fields = Schema::new(vec![schema().field(0).clone()]);
            let texts: ArrayRef = Arc::new(StringArray::from(vec![Some(text), None]));
            let made = bound.evaluator.evaluate(&RecordBatch::try_new(Arc::new(fields), vec![texts]).unwrap()).unwrap();
            let made = made.as_string::<i32>();
            assert!(made.is_null(1));
            made.value(0).to_owned()
        };
        // tokens-v1.json
        assert_eq!(evaluate("pseudonym(Email, 'users')", "anna@example.com"), "8dff3c784fedbb5e2e0029d0d5153237");
        let by_literal = evaluate("pseudonym(Email, 'users', 'anna')", "anna");
        assert_eq!(evaluate("pseudonym(Email, 'users', Email)", "anna"), by_literal);
        assert_ne!(by_literal, evaluate("pseudonym(Email, 'users')", "anna"));
        assert_eq!(evaluate("parse_email(Email)['domain']", "anna@example.com"), "example.com");
        assert_eq!(evaluate("mask(Email, 1, 2, '#')", "abcdef"), "a###ef");
    }

    #[test]
    fn every_function_can_be_called() {
        let keys = KeyChain::one(Arc::new(keyring().active().clone()));
        let binder = Expressions::new(Some(&keys));
        let calls = [
            "encrypt(Email, 'd')",
            "encrypt(age, 'd', Email, 'hex')",
            "fpe(Email, 'd', 'alphanumeric')",
            "fpe(age, 'd', NULL, NULL, Email, Email)",
            "rekeyable(Email, 'd', NULL, 'base32')",
            "ip_prefix_preserving(Email, 'd', Email)",
            "email(Email, 'users', 'registrable')",
            "surrogate(Email, 'given_name', 'en_US', 'd')",
            "date_shift(born, age, 30, 'd')",
            "date_shift(Email, age, 30, 'd', '%d.%m.%Y', Email)",
            "noise_uniform(age, Email, 2, 'd')",
            "noise_laplace(age, Email, 0.5, 'd')",
            "generalize_date(born, 'month')",
            "generalize_date(born, 'year', 'first_day')",
            "generalize_age(born, '2026-01-01', 10)",
            "generalize_number(age, 10)",
            "generalize_prefix(Email, 2)",
            "scrub(Email)",
            "scrub(Email, 'pseudonym', 'd')",
            "ip_truncate(Email)",
            "ip_truncate(Email, 16, 32)",
            "mask(Email, 1, 2, '#', true)",
            "redact(Email, '[gone]')",
            "nullify(age)",
            "hash(age, 'blake3', 'base32')",
            "pseudonym(age, 'd', NULL, 96, 'base64url', 'u_')",
        ];
        // runs must be repeatable: `random_token` is for others' queries
        for form in FORMS.iter().filter(|form| form.transform != "random") {
            let called = |call: &&str| call.starts_with(&format!("{}(", form.name));
            assert!(calls.iter().any(called), "{} is not called", form.name);
        }
        for call in calls {
            let bound = binder.bind(call, &schema()).unwrap_or_else(|error| panic!("{call}: {error}"));
            assert!(bound.raw_columns.is_empty(), "{call}");
        }
    }

    #[test]
    fn a_wrong_call_tells_how_the_function_is_called() {
        let keys = KeyChain::one(Arc::new(keyring().active().clone()));
        let bind = |sql: &str| Expressions::new(Some(&keys)).bind(sql, &schema()).unwrap_err();
        assert!(bind("pseudonym(Email)").contains("pseudonym(value, domain [, tenant"));
        assert!(bind("pseudonym(Email, Email)").contains("pseudonym(value, domain [, tenant"));
        assert!(bind("pseudonym(Email, 'users', 't', 13)").contains("64 to 256 bits"));
        assert!(bind("mask(Email, -1, 0)").contains("whole number"));
    }
}
