//! What two runs must share to be the same job.

use serde_json::json;

use super::super::digest::sha256_of_canonical_json;
use super::super::document::Policy;

/// Counts up when the same policy and input would give other bytes than before.
const OUTPUT_FORMAT: u32 = 7;

/// SHA-256, in hexadecimal, over what decides on an output's bytes: rules, `where`, names, how objects are read and
/// written, the versions of Unicode data and of the lists and files that rules name. Not over comments, places, memory, threads or where the keyring lies; the
/// key's fingerprint stands beside the digest in records.
pub fn policy_digest(policy: &Policy) -> String {
    let Policy { version, dataset, source, sink, key: _, keyring: _, unlisted, filter, joins: _, types, columns } =
        policy;
    // a file that can't be read stops the binding
    let pins = columns.iter().filter_map(|column| column.rule.transform.family()?.pins().ok());
    let pins: Vec<_> = pins.filter(|pins| !pins.is_empty()).collect();
    let decisive = json!({
        "output_format": OUTPUT_FORMAT,
        "version": version,
        "dataset": dataset,
        "source": { "format": source.format, "csv": source.csv },
        "sink": { "format": sink.format, "csv": sink.csv, "parquet": sink.parquet, "names": sink.names },
        "unlisted": unlisted,
        "where": filter,
        "types": types.iter().map(|entry| (&entry.pattern, &entry.column_type)).collect::<Vec<_>>(),
        "columns": columns.iter().map(|column| (&column.pattern, &column.rule)).collect::<Vec<_>>(),
        "unicode": crate::transforms::normalize::UNICODE_VERSIONS,
        "data": crate::transforms::DATA_VERSIONS,
        "finders": crate::transforms::scrub::FINDERS_VERSION,
        "pins": pins,
    });
    sha256_of_canonical_json(&decisive)
}
