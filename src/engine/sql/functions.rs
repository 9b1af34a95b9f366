//! Our transforms as scalar functions: `pseudonym(value, 'domain' [, 'tenant'])`, `mask(value, first, last [, with])`,
//! `hash(value)`. Null in, null out; the answers are those of the policy's words of the same name.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use arrow::array::ArrayRef;
use arrow::datatypes::DataType;
use datafusion::common::{DataFusionError, Result, ScalarValue, plan_err};
use datafusion::logical_expr::{
    ColumnarValue, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};

use crate::arrays::canonical::Meaning;
use crate::crypto::encode::TokenEncoding;
use crate::policy::chain::KeyChain;
use crate::transforms::Transform;
use crate::transforms::cell::{Cell, EmptyRule, Memo, OnError};
use crate::transforms::hash::{Hash as HashTransform, HashAlgorithm};
use crate::transforms::keyed::Keyed;
use crate::transforms::mask::Mask;
use crate::transforms::pseudonym::Pseudonym;
use crate::transforms::signer::Signer;
use crate::transforms::tally::Tally;
use crate::transforms::text_mask::TextMask;

/// The functions, the keyed ones under `key`.
pub fn all(keys: Option<&KeyChain>) -> Vec<ScalarUDF> {
    let keyed = keys.map(|keys| Family::Pseudonym(keys.clone()));
    let families = [Family::Mask, Family::Hash].into_iter().chain(keyed);
    families.map(|family| ScalarUDF::new_from_impl(TransformFunction::new(family))).collect()
}

/// Whether what goes into the function of this name comes out hidden.
pub fn hides(name: &str) -> bool {
    matches!(name, "pseudonym" | "mask" | "hash")
}

#[derive(Debug, Clone)]
enum Family {
    Pseudonym(KeyChain),
    Mask,
    Hash,
}

/// One of our transforms, its options given as literals.
#[derive(Debug)]
struct TransformFunction {
    family: Family,
    signature: Signature,
}

impl TransformFunction {
    fn new(family: Family) -> Self {
        Self { family, signature: Signature::variadic_any(Volatility::Immutable) }
    }

    /// What equality and hashes look at: never the key itself.
    fn identity(&self) -> (&str, Vec<(&str, crate::crypto::Fingerprint)>) {
        let keys = match &self.family {
            Family::Pseudonym(keys) => keys.links().map(|key| (key.id(), key.fingerprint())).collect(),
            _ => Vec::new(),
        };
        (self.name(), keys)
    }

    /// The transform that the literal `options` describe.
    fn transform(&self, options: &[Option<&ScalarValue>]) -> Result<Box<dyn Transform>> {
        match &self.family {
            Family::Pseudonym(keys) => {
                let (domain, tenant) = match options {
                    [domain] => (text(*domain), Some(String::new())),
                    [domain, tenant] => (text(*domain), text(*tenant).filter(|tenant| !tenant.is_empty())),
                    _ => (None, None),
                };
                let (Some(domain), Some(tenant)) = (domain, tenant) else {
                    return plan_err!("use pseudonym(value, 'domain') or pseudonym(value, 'domain', 'tenant')");
                };
                let signer = Signer::chain(&keys.sources(), &domain, &tenant, 128).map_err(DataFusionError::Plan)?;
                let keys = Keyed::One(signer);
                Ok(Box::new(Pseudonym::new(keys, 128, TokenEncoding::Hex, "")))
            }
            Family::Mask => {
                let (first, last, with) = match options {
                    [first, last] => (count(*first), count(*last), Some('*')),
                    [first, last, with] => (count(*first), count(*last), text(*with).and_then(only_char)),
                    _ => (None, None, None),
                };
                let (Some(keep_first), Some(keep_last), Some(with)) = (first, last, with) else {
                    return plan_err!("use mask(value, first, last) or mask(value, first, last, '*')");
                };
                Ok(Box::new(Mask::new(TextMask { keep_first, keep_last, with, keep_separators: false })))
            }
            Family::Hash if options.is_empty() => {
                Ok(Box::new(HashTransform::new(HashAlgorithm::Sha256, TokenEncoding::Hex)))
            }
            Family::Hash => plan_err!("use hash(value)"),
        }
    }
}

fn text(value: Option<&ScalarValue>) -> Option<String> {
    value?.try_as_str()?.map(str::to_owned)
}

fn count(value: Option<&ScalarValue>) -> Option<usize> {
    match value? {
        ScalarValue::Int64(Some(count)) => usize::try_from(*count).ok(),
        _ => None,
    }
}

fn only_char(text: String) -> Option<char> {
    let mut chars = text.chars();
    chars.next().filter(|_| chars.next().is_none())
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
        match self.family {
            Family::Pseudonym(_) => "pseudonym",
            Family::Mask => "mask",
            Family::Hash => "hash",
        }
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, arguments: &[DataType]) -> Result<DataType> {
        match arguments {
            [] => plan_err!("`{}` needs a value", self.name()),
            _ => Ok(DataType::Utf8),
        }
    }

    fn return_field_from_args(&self, args: ReturnFieldArgs<'_>) -> Result<arrow::datatypes::FieldRef> {
        let [value, ..] = args.arg_fields else { return plan_err!("`{}` needs a value", self.name()) };
        let transform = self.transform(&args.scalar_arguments[1..])?;
        transform.output_type(plain(value.data_type())).map_err(DataFusionError::Plan)?;
        Ok(Arc::new(arrow::datatypes::Field::new(self.name(), DataType::Utf8, true)))
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let [value, options @ ..] = args.args.as_slice() else { return plan_err!("`{}` needs a value", self.name()) };
        let literals: Vec<Option<&ScalarValue>> = options
            .iter()
            .map(|option| match option {
                ColumnarValue::Scalar(literal) => Some(literal),
                ColumnarValue::Array(_) => None,
            })
            .collect();
        let transform = self.transform(&literals)?;
        let cell = Cell {
            meaning: Meaning::Plain,
            normalizer: None,
            empty: EmptyRule::Value,
            on_error: OnError::Fail,
            transform,
        };
        let array: ArrayRef = value.to_array(args.number_rows)?;
        let array = arrow::compute::cast(&array, plain(array.data_type()))?;
        let refused = |_| DataFusionError::Execution(format!("`{}` can't take a value of these rows", self.name()));
        let made = cell.apply(&array, &[], &mut Memo::default(), &mut Tally::default()).map_err(refused)?;
        Ok(ColumnarValue::Array(arrow::compute::cast(&made, &DataType::Utf8)?))
    }
}

fn plain(data_type: &DataType) -> &DataType {
    match data_type {
        DataType::Dictionary(_, values) => values,
        other => other,
    }
}
