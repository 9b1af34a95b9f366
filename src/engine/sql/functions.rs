//! Our transforms as scalar functions. Null in, null out; the answers are those of the policy's words.

use std::collections::HashMap;
use std::hash::{Hash, Hasher};
use std::sync::{Arc, Mutex, PoisonError};

use arrow::array::{ArrayRef, BinaryArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::common::{DataFusionError, Result, ScalarValue, plan_err};
use datafusion::logical_expr::expr::ScalarFunction;
use datafusion::logical_expr::{
    ColumnarValue, Expr, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};
use datafusion::prelude::SessionContext;
use serde_json::{Map, Value};

use super::forms::{Argument, FORMS, Form, Need};
use super::parse_email::ParseEmail;
use crate::arrays::canonical::{canonical, meaning_of};
use crate::crypto::Fingerprint;
use crate::keys::Keyring;
use crate::policy::chain::KeyChain;
use crate::policy::transform_from_json;
use crate::transforms::cell::{Cell, EmptyRule, Memo, OnError};
use crate::transforms::family::{Built, build};
use crate::transforms::tally::Tally;

/// Registers every transform as a scalar function of `context`, the keyed ones under the keyring's active key:
/// `pseudonym(value, domain [, tenant])`, `mask(value, first, last)`, `parse_email(value)` and the others that the README
/// lists. Arguments behind the value are literals, but for columns that steer (a tenant, an entity).
///
/// ```
/// use datafusion::prelude::{SessionConfig, SessionContext};
/// use lakeveil::crypto::Secret;
/// use lakeveil::keys::Keyring;
///
/// # tokio::runtime::Runtime::new()?.block_on(async {
/// let secret = b"hex:000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
/// let keyring = Keyring::parse(&Secret::new(secret.to_vec()))?;
/// let context = SessionContext::new();
/// lakeveil::register(&context, &keyring);
/// let rows = context.sql("select pseudonym('anna@example.com', 'users') as token").await?.collect().await?;
/// let shown = datafusion::arrow::util::pretty::pretty_format_batches(&rows)?.to_string();
/// assert!(shown.contains("8dff3c784fedbb5e2e0029d0d5153237"), "{shown}"); // a known answer of TOKENS.md
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn register(context: &SessionContext, keyring: &Keyring) {
    let keys = KeyChain::one(Arc::new(keyring.active().clone()));
    all(Some(&keys)).into_iter().for_each(|function| context.register_udf(function));
}

/// The functions, the keyed ones under `keys` and absent without.
pub(super) fn all(keys: Option<&KeyChain>) -> Vec<ScalarUDF> {
    let forms = FORMS.iter().filter(|form| keys.is_some() || form.key != Need::Must);
    let transforms = forms.map(|form| ScalarUDF::new_from_impl(TransformFunction::new(form, keys)));
    transforms.chain([ScalarUDF::new_from_impl(ParseEmail::default())]).collect()
}

/// Whether what goes into this call comes out hidden: by the options given, as a rule of them would tell it.
pub(super) fn hides(call: &ScalarFunction) -> bool {
    let Some(function) = call.func.inner().downcast_ref::<TransformFunction>() else { return false };
    let literals: Vec<Option<&ScalarValue>> = call.args.iter().skip(1).map(literal_of).collect();
    let spec = function.options(&literals).and_then(|text| transform_from_json(&text).map_err(DataFusionError::Plan));
    spec.is_ok_and(|spec| spec.family().is_some_and(|family| family.facts().masking))
}

fn literal_of(argument: &Expr) -> Option<&ScalarValue> {
    match argument {
        Expr::Literal(literal, _) => Some(literal),
        _ => None,
    }
}

/// One of our transforms, its options given as literals.
#[derive(Debug)]
struct TransformFunction {
    form: &'static Form,
    keys: Option<KeyChain>,
    signature: Signature,
    /// What was built, by its options: some keys take long to derive, and a query has many batches.
    built: Mutex<HashMap<String, Arc<Built>>>,
}

impl TransformFunction {
    fn new(form: &'static Form, keys: Option<&KeyChain>) -> Self {
        let volatility = if form.transform == "random" { Volatility::Volatile } else { Volatility::Immutable };
        let keys = keys.filter(|_| form.key != Need::No).cloned();
        Self { form, keys, signature: Signature::variadic_any(volatility), built: Mutex::default() }
    }

    /// What equality and hashes look at: never the keys themselves.
    fn identity(&self) -> (&str, Vec<(&str, Fingerprint)>) {
        let links = self.keys.iter().flat_map(KeyChain::links);
        (self.form.name, links.map(|key| (key.id(), key.fingerprint())).collect())
    }

    /// The rule that the literals are short for, as JSON; columns that steer it are called by their place.
    fn options(&self, literals: &[Option<&ScalarValue>]) -> Result<String> {
        let usage = || DataFusionError::Plan(format!("use {}", self.form.usage()));
        if literals.len() < self.form.required || literals.len() > self.form.arguments.len() {
            return Err(usage());
        }
        let mut options = Value::Object(Map::new());
        if !self.form.always.is_empty() {
            set(&mut options, self.form.always, Value::Object(Map::new()));
        }
        for (at, (argument, literal)) in self.form.arguments.iter().zip(literals).enumerate() {
            // NULL as it is written has no type; one of a type is a row's value, and a missing tenant fails its row
            if matches!(literal, Some(ScalarValue::Null)) && at >= self.form.required {
                continue;
            }
            match argument {
                Argument::Option(path) => set(&mut options, path, literal.and_then(option).ok_or_else(usage)?),
                Argument::Column(path) => set(&mut options, path, column_name(at).into()),
            }
        }
        let spec = Value::Object(Map::from_iter([(self.form.transform.to_owned(), options)]));
        Ok(spec.to_string())
    }

    /// The transform that the literals describe.
    fn built(&self, literals: &[Option<&ScalarValue>]) -> Result<Arc<Built>> {
        let text = self.options(literals)?;
        let mut known = self.built.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(built) = known.get(&text) {
            return Ok(Arc::clone(built));
        }
        let spec = transform_from_json(&text).map_err(DataFusionError::Plan)?;
        let keys = self.keys.as_ref().map(KeyChain::sources);
        let built = build(&spec, keys.as_ref()).map_err(|error| DataFusionError::Plan(error.to_string()))?;
        let built = Arc::new(built);
        known.insert(text, Arc::clone(&built));
        Ok(built)
    }
}

/// What a steering column is called in the options: it is no name of a source's column.
fn column_name(at: usize) -> String {
    format!("argument {at}")
}

/// The place of the argument that [`column_name`] is the name of.
fn argument_of(name: &str) -> Option<usize> {
    name.strip_prefix("argument ")?.parse().ok()
}

/// A literal as an option's value.
fn option(literal: &ScalarValue) -> Option<Value> {
    if literal.is_null() {
        return None;
    }
    match literal {
        ScalarValue::Boolean(Some(value)) => Some((*value).into()),
        ScalarValue::Int64(Some(value)) => Some((*value).into()),
        ScalarValue::Float64(Some(value)) => Some(value.to_string().into()),
        other => Some(other.try_as_str()??.into()),
    }
}

/// Puts `value` at a dotted path.
fn set(options: &mut Value, path: &str, value: Value) {
    if path.is_empty() {
        *options = value;
        return;
    }
    let mut at = options;
    for key in path.split('.') {
        if !at.is_object() {
            *at = Value::Object(Map::new());
        }
        at = &mut at[key];
    }
    *at = value;
}

impl PartialEq for TransformFunction {
    fn eq(&self, other: &Self) -> bool {
        self.identity() == other.identity()
    }
}

impl Eq for TransformFunction {}

impl Hash for TransformFunction {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.identity().hash(state);
    }
}

impl ScalarUDFImpl for TransformFunction {
    fn name(&self) -> &str {
        self.form.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        plan_err!("the type of `{}` follows from its arguments: use {}", self.form.name, self.form.usage())
    }

    fn return_field_from_args(&self, args: ReturnFieldArgs<'_>) -> Result<FieldRef> {
        let [value, ..] = args.arg_fields else { return plan_err!("use {}", self.form.usage()) };
        let built = self.built(&args.scalar_arguments[1..])?;
        let made = built.transform.output_type(plain(value.data_type())).map_err(DataFusionError::Plan)?;
        Ok(Arc::new(Field::new(self.form.name, one_text(made), true)))
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let ([value, behind @ ..], [field, ..]) = (args.args.as_slice(), args.arg_fields.as_slice()) else {
            return plan_err!("use {}", self.form.usage());
        };
        let literals: Vec<Option<&ScalarValue>> = behind.iter().map(literal).collect();
        let built = self.built(&literals)?;
        let refused = || DataFusionError::Execution(format!("`{}` can't take a value of these rows", self.form.name));
        let companion = |name: &String| {
            let at = argument_of(name).and_then(|at| behind.get(at)).ok_or_else(refused)?;
            let field = args.arg_fields.get(argument_of(name).unwrap_or_default() + 1).ok_or_else(refused)?;
            let array = flat(&at.to_array(args.number_rows)?)?;
            canonical(&array, meaning_of(field)).map(|text| text.values).map_err(|_| refused())
        };
        let companions = built.companions.iter().map(companion).collect::<Result<Vec<BinaryArray>>>()?;
        let cell = Cell {
            meaning: meaning_of(field),
            normalizer: None,
            empty: EmptyRule::Value,
            on_error: OnError::Fail,
            transform: Arc::clone(&built.transform),
        };
        let array = flat(&value.to_array(args.number_rows)?)?;
        let made = cell.apply(&array, &companions, &mut Memo::default(), &mut Tally::default());
        let made = made.map_err(|_| refused())?;
        Ok(ColumnarValue::Array(cast(&made, &one_text(made.data_type().clone()))?))
    }
}

fn literal(argument: &ColumnarValue) -> Option<&ScalarValue> {
    match argument {
        ColumnarValue::Scalar(literal) => Some(literal),
        ColumnarValue::Array(_) => None,
    }
}

fn flat(array: &ArrayRef) -> Result<ArrayRef> {
    Ok(cast(array, plain(array.data_type()))?)
}

fn plain(data_type: &DataType) -> &DataType {
    match data_type {
        DataType::Dictionary(_, values) => values,
        other => other,
    }
}

/// One form for text, whatever it came from.
fn one_text(data_type: DataType) -> DataType {
    match data_type {
        DataType::LargeUtf8 | DataType::Utf8View => DataType::Utf8,
        other => other,
    }
}
