//! What the metadata of fields may say in an output: writers put comments, statistics and whole samples there.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::datatypes::{DataType, Field, FieldRef, Fields, Schema, SchemaRef};

/// Parquet's column id, which says nothing of values and lets table formats find the column again.
const FIELD_ID: &str = "PARQUET:field_id";
/// An extension type's name and its parameters (Arrow columnar format, "Extension Types").
const EXTENSION: [&str; 2] = ["ARROW:extension:name", "ARROW:extension:metadata"];
/// Extension types whose parameters describe the type alone: Arrow's canonical ones ("Canonical Extension Types"),
/// GeoArrow's with their coordinate systems, the frequency of a pandas period and the ends of its intervals. A name
/// whose parameters are missing can't be read by those who know it, so of any other type both are left out.
const KNOWN_EXTENSIONS: [&str; 22] = [
    "arrow.bool8",
    "arrow.fixed_shape_tensor",
    "arrow.json",
    "arrow.opaque",
    "arrow.parquet.variant",
    "arrow.timestamp_with_offset",
    "arrow.uuid",
    "arrow.variable_shape_tensor",
    "geoarrow.box",
    "geoarrow.geometry",
    "geoarrow.geometrycollection",
    "geoarrow.linestring",
    "geoarrow.multilinestring",
    "geoarrow.multipoint",
    "geoarrow.multipolygon",
    "geoarrow.point",
    "geoarrow.polygon",
    "geoarrow.wkb",
    "geoarrow.wkb_view",
    "geoarrow.wkt",
    "pandas.interval",
    "pandas.period",
];

type Metadata = HashMap<String, String>;

/// Of a field's metadata, what may be said of the field that is made of it: its column id.
pub fn told_of_made(field: &Field) -> Metadata {
    let id = field.metadata().get(FIELD_ID).filter(|id| id.parse::<i32>().is_ok());
    id.map(|id| (FIELD_ID.to_owned(), id.clone())).into_iter().collect()
}

/// Of a field's metadata, what may be said of it where it is kept: its column id, and its extension type if that is
/// known to say nothing of values.
pub fn told_of_kept(field: &Field) -> Metadata {
    let mut told = told_of_made(field);
    if field.extension_type_name().is_some_and(|name| KNOWN_EXTENSIONS.contains(&name)) {
        let pairs = EXTENSION.iter().filter_map(|&key| Some((key.to_owned(), field.metadata().get(key)?.clone())));
        told.extend(pairs);
    }
    told
}

/// As [`told_of_kept`], of a further column of the same values: an id is of one column alone.
pub fn told_of_copied(field: &Field) -> Metadata {
    let mut told = told_of_kept(field);
    told.remove(FIELD_ID);
    told
}

/// `field`, and the fields in it, with what `told` gives for metadata.
pub fn with_metadata(field: &Field, told: &impl Fn(&Field) -> Metadata) -> Field {
    let inner = within(field.data_type(), told);
    Field::clone(field).with_data_type(inner).with_metadata(told(field))
}

/// As [`with_metadata`], for a whole schema, which loses what it says of itself.
pub fn schema_with_metadata(schema: &Schema, told: &impl Fn(&Field) -> Metadata) -> SchemaRef {
    let fields = schema.fields().iter().map(|field| Arc::new(with_metadata(field, told)));
    Arc::new(Schema::new(fields.collect::<Fields>()))
}

/// As [`with_metadata`], for the fields in a type.
pub fn within(data_type: &DataType, told: &impl Fn(&Field) -> Metadata) -> DataType {
    let field = |field: &FieldRef| Arc::new(with_metadata(field, told));
    match data_type {
        DataType::List(item) => DataType::List(field(item)),
        DataType::ListView(item) => DataType::ListView(field(item)),
        DataType::LargeList(item) => DataType::LargeList(field(item)),
        DataType::LargeListView(item) => DataType::LargeListView(field(item)),
        DataType::FixedSizeList(item, length) => DataType::FixedSizeList(field(item), *length),
        DataType::Struct(fields) => DataType::Struct(fields.iter().map(field).collect()),
        DataType::Map(entries, sorted) => DataType::Map(field(entries), *sorted),
        DataType::Dictionary(keys, values) => DataType::Dictionary(keys.clone(), Box::new(within(values, told))),
        DataType::RunEndEncoded(ends, values) => DataType::RunEndEncoded(field(ends), field(values)),
        DataType::Union(fields, mode) => {
            DataType::Union(fields.iter().map(|(id, inner)| (id, field(inner))).collect(), *mode)
        }
        flat => flat.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(pairs: &[(&str, &str)]) -> Metadata {
        pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn of_a_kept_field_only_ids_and_types_that_are_known_are_told() {
        let [name, parameters] = EXTENSION;
        for (known, pairs) in [
            (true, vec![(FIELD_ID, "-7")]),
            (true, vec![(name, "arrow.uuid")]),
            (true, vec![(name, "geoarrow.point"), (parameters, "{\"crs\": \"EPSG:4326\"}")]),
            (true, vec![(name, "pandas.period"), (parameters, "{\"freq\": \"D\"}")]),
            (false, vec![(FIELD_ID, "CANARY")]),
            (false, vec![("comment", "CANARY")]),
            (false, vec![(name, "acme.money"), (parameters, "CANARY")]),
            (false, vec![(parameters, "CANARY")]),
        ] {
            let field = Field::new("f", DataType::Utf8, true).with_metadata(told(&pairs));
            assert_eq!(told_of_kept(&field), if known { told(&pairs) } else { Metadata::new() }, "{pairs:?}");
        }
    }

    #[test]
    fn fields_are_reached_at_every_depth() {
        let said = |name: &str, data_type| {
            Arc::new(Field::new(name, data_type, true).with_metadata(told(&[("comment", "CANARY")])))
        };
        let leaf = || said("leaf", DataType::Utf8);
        let pair = DataType::Struct(vec![leaf(), leaf()].into());
        let types = [
            DataType::List(leaf()),
            DataType::ListView(leaf()),
            DataType::LargeList(leaf()),
            DataType::LargeListView(leaf()),
            DataType::FixedSizeList(leaf(), 2),
            DataType::Map(said("entries", pair.clone()), false),
            DataType::Dictionary(Box::new(DataType::Int8), Box::new(pair.clone())),
            DataType::RunEndEncoded(said("ends", DataType::Int16), said("values", pair.clone())),
            DataType::Union([(0, leaf())].into_iter().collect(), arrow::datatypes::UnionMode::Dense),
            DataType::List(said("item", DataType::List(said("item", pair)))),
        ];
        for data_type in types {
            let field = Field::clone(&said("field", data_type));
            assert!(format!("{field:?}").contains("CANARY"));
            let clean = with_metadata(&field, &told_of_kept);
            assert!(!format!("{clean:?}").contains("CANARY"), "{clean:?}");
            assert!(clean.data_type().equals_datatype(field.data_type()));
        }
    }
}
