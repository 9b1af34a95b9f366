//! `parse_email(value)`: an address taken apart.

use std::sync::Arc;

use arrow::array::{Array, AsArray, StringBuilder, StructArray};
use arrow::buffer::NullBuffer;
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, Fields};
use datafusion::common::Result;
use datafusion::logical_expr::{ColumnarValue, ScalarFunctionArgs, ScalarUDFImpl, Signature, Volatility};

/// `{local, domain}` of an e-mail address; null for what is none. The last `@` splits, both sides are non-empty, and
/// there is no white space: the rule of the `email` normalization step, without its changes.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct ParseEmail {
    signature: Signature,
}

impl Default for ParseEmail {
    fn default() -> Self {
        Self { signature: Signature::string(1, Volatility::Immutable) }
    }
}

fn fields() -> Fields {
    Fields::from(vec![Field::new("local", DataType::Utf8, true), Field::new("domain", DataType::Utf8, true)])
}

impl ScalarUDFImpl for ParseEmail {
    fn name(&self) -> &str {
        "parse_email"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Struct(fields()))
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let addresses = cast(&args.args[0].to_array(args.number_rows)?, &DataType::Utf8)?;
        let (mut local, mut domain) = (StringBuilder::new(), StringBuilder::new());
        let mut valid = Vec::with_capacity(addresses.len());
        for address in addresses.as_string::<i32>() {
            let parts = address.and_then(split);
            valid.push(parts.is_some());
            local.append_option(parts.map(|(local, _)| local));
            domain.append_option(parts.map(|(_, domain)| domain));
        }
        let arrays = vec![Arc::new(local.finish()) as _, Arc::new(domain.finish()) as _];
        let made = StructArray::try_new(fields(), arrays, Some(NullBuffer::from(valid)))?;
        Ok(ColumnarValue::Array(Arc::new(made)))
    }
}

fn split(address: &str) -> Option<(&str, &str)> {
    let (local, domain) = address.rsplit_once('@')?;
    let is_address = !local.is_empty() && !domain.is_empty() && !address.contains(char::is_whitespace);
    is_address.then_some((local, domain))
}
