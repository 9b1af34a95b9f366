use std::collections::HashSet;

use arrow::array::{Array, ArrayRef, BinaryArray, Int64Array};
use arrow::compute::cast;
use proptest::prelude::*;
use serde_json::Value;

use super::super::family::build;
use super::super::spec::TransformSpec;
use super::super::testing::{any_keys, apply, cell, companion, keys, shown, texts as column};
use super::*;
use crate::arrays::canonical::{Meaning, canonical};
use crate::arrays::restore::restore;
use crate::crypto::vectors::cases_of;

/// A case of `fpe-v1.json`.
#[derive(Debug, Deserialize)]
struct Case {
    root_hex: String,
    domain: String,
    tenant: String,
    tweak: Option<String>,
    alphabet: Option<String>,
    alphabet_range: Option<(char, char)>,
    separators: Option<String>,
    #[serde(rename = "type")]
    data_type: Option<String>,
    input: String,
    output: Option<String>,
    #[serde(default)]
    refused: bool,
}

fn fpe(spec: &Value, root_hex: &str) -> Fpe {
    let spec: FpeSpec = serde_json::from_value(spec.clone()).unwrap();
    assert_eq!(spec.faults(), []);
    spec.transform(&mut Context::new(Some(&keys(root_hex)))).unwrap()
}

fn any_fpe(spec: &Value) -> Fpe {
    let mut spec = spec.clone();
    spec["domain"] = "cards".into();
    fpe(&spec, "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f")
}

fn run(fpe: &Fpe, array: &ArrayRef, companions: &[BinaryArray], direction: Direction) -> Transformed {
    let text = canonical(array, Meaning::Plain).unwrap().values;
    let made = fpe.run(&Values { array, canonical: &text, companions }, direction).unwrap();
    assert_eq!(made.array.len(), array.len());
    assert_eq!(made.failures.len(), made.array.logical_null_count() - array.logical_null_count());
    assert_eq!(
        Ok(cast(&made.array, array.data_type()).unwrap().data_type().clone()),
        fpe.output_type(array.data_type())
    );
    made
}

/// There and back, for one value; or why it could not be taken.
fn one(fpe: &Fpe, array: &ArrayRef, companions: &[BinaryArray]) -> Result<(String, String), String> {
    let text = |array: &ArrayRef| {
        let text = canonical(array, Meaning::Plain).unwrap().values;
        String::from_utf8(text.value(0).to_vec()).unwrap()
    };
    let made = run(fpe, array, companions, Direction::Encrypt);
    match made.failures.iter().next() {
        Some(failure) => Err(failure.reason.clone().into_owned()),
        None => {
            let back = run(fpe, &made.array, companions, Direction::Decrypt);
            assert_eq!(back.failures.len(), 0);
            Ok((text(&made.array), text(&back.array)))
        }
    }
}

fn one_text(fpe: &Fpe, value: &str) -> Result<(String, String), String> {
    one(fpe, &column([Some(value)]), &[])
}

/// Every case of a family, there and back; what comes back is `back` of what went in.
fn meet(family: &str, checksum: Option<&str>, back: impl Fn(&str) -> String) {
    let cases = cases_of::<Case>("fpe-v1.json", family);
    for case in &cases {
        let range = case.alphabet_range.map(|(first, last)| (first..=last).collect::<String>());
        let mut spec = json!({ "domain": case.domain });
        let mut put = |key: &str, value: Option<Value>| value.into_iter().for_each(|value| spec[key] = value);
        put("alphabet", case.alphabet.clone().or(range).map(Value::from));
        put("separators", case.separators.clone().map(Value::from));
        put("checksum", checksum.map(Value::from));
        put("tenant", (!case.tenant.is_empty()).then(|| json!({ "column": "tenant" })));
        put("tweak_column", case.tweak.as_ref().map(|_| "tweak".into()));
        let tenant = Some(&case.tenant).filter(|tenant| !tenant.is_empty());
        let companions: Vec<_> = tenant.into_iter().chain(&case.tweak).map(|value| companion([Some(value)])).collect();
        let source = case.data_type.as_deref().unwrap_or("Utf8").parse().unwrap();
        let given = restore(&companion([Some(&case.input)]), &source).unwrap();
        assert!(given.failures.is_empty(), "{case:?}");
        let made = one(&fpe(&spec, &case.root_hex), &given.array, &companions);
        match (&case.output, case.refused) {
            (Some(output), false) => assert_eq!(made, Ok((output.clone(), back(&case.input))), "{case:?}"),
            (None, true) => assert!(made.is_err(), "{case:?}: {made:?}"),
            _ => panic!("{case:?}"),
        }
    }
    assert!(cases.iter().any(|case| case.refused) && cases.iter().any(|case| !case.refused));
}

#[test]
fn texts_meet_the_known_answers() {
    meet("text", None, str::to_owned);
}

#[test]
fn integers_meet_the_known_answers() {
    meet("integer", None, str::to_owned);
}

#[test]
fn decimals_meet_the_known_answers() {
    meet("decimal", None, str::to_owned);
}

#[test]
fn luhn_meets_the_known_answers() {
    meet("luhn", Some("luhn"), str::to_owned);
}

#[test]
fn iban_meets_the_known_answers() {
    meet("iban", Some("iban"), |given| given.replace(' ', "").to_ascii_uppercase());
}

#[test]
fn every_kind_of_text_has_the_same_outputs_in_its_own_type() {
    let fpe = json!({ "fpe": { "domain": "cards" } });
    let values = column([Some("4111-1111-1111-1111"), None, Some("nothing"), Some("4111-1111-1111-1111")]);
    let expected = shown(&apply(&cell(fpe.clone()), &values, &[]).0);
    assert_eq!((expected[1].as_ref(), expected[2].as_ref()), (None, None));
    assert_eq!(expected[0], expected[3]);
    let dictionary = DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8));
    for data_type in [DataType::LargeUtf8, DataType::Utf8View, dictionary] {
        let (made, tally) = apply(&cell(fpe.clone()), &cast(&values, &data_type).unwrap(), &[]);
        assert_eq!(made.data_type(), &data_type);
        assert_eq!(shown(&made), expected);
        assert_eq!(tally.failed, 1);
    }
}

#[test]
fn normalized_text_is_what_is_encrypted_of_a_number_too() {
    let array: ArrayRef = Arc::new(Int64Array::from(vec![-1_234_567, 7_654_321]));
    let fpe = any_fpe(&json!({}));
    let given = |values: &[&str]| {
        let canonical = companion(values.iter().map(Some));
        fpe.apply(&Values { array: &array, canonical: &canonical, companions: &[] }).unwrap()
    };
    // without its sign, and as what is no integer any more
    let made = given(&["1234567", "7654321.0"]);
    assert_eq!(made.failures.iter().map(|failure| failure.index).collect::<Vec<_>>(), [1]);
    let positive: ArrayRef = Arc::new(Int64Array::from(vec![1_234_567]));
    assert_eq!(shown(&made.array)[0], shown(&run(&fpe, &positive, &[], Direction::Encrypt).array)[0]);
}

#[test]
fn only_text_and_numbers_of_digits_are_taken() {
    use DataType::*;
    let (plain, hex) = (any_fpe(&json!({})), any_fpe(&json!({ "alphabet": "hex" })));
    let written = any_fpe(&json!({ "alphabet": "0123456789" }));
    let checks = [any_fpe(&json!({ "checksum": "luhn" })), any_fpe(&json!({ "checksum": "iban" }))];
    for data_type in [Utf8, LargeUtf8, Utf8View, Null] {
        for fpe in [&plain, &hex, &checks[0], &checks[1]] {
            assert_eq!(fpe.output_type(&data_type), Ok(data_type.clone()));
        }
    }
    for data_type in [
        Int8,
        Int16,
        Int32,
        Int64,
        UInt8,
        UInt16,
        UInt32,
        UInt64,
        Decimal32(9, 2),
        Decimal64(9, -2),
        Decimal128(38, 9),
        Decimal256(76, 0),
    ] {
        assert_eq!(plain.output_type(&data_type), Ok(data_type.clone()));
        assert_eq!(written.output_type(&data_type), Ok(data_type.clone()));
        assert!(hex.output_type(&data_type).is_err());
        assert!(checks.iter().all(|fpe| fpe.output_type(&data_type).is_err()));
    }
    for data_type in
        [Binary, FixedSizeBinary(16), Boolean, Date32, Float64, Timestamp(arrow::datatypes::TimeUnit::Second, None)]
    {
        assert!(plain.output_type(&data_type).unwrap_err().contains(&data_type.to_string()));
    }
}

#[test]
fn a_row_without_tweak_or_tenant_is_an_error_and_each_of_them_counts() {
    let spec = json!({ "tweak_column": "day", "tenant": { "column": "tenant" } });
    let fpe = any_fpe(&spec);
    let values = column([Some("123456789"); 6]);
    let companions = [
        companion([Some("a"), Some("b"), Some("a"), None, Some(""), Some("a")]),
        companion([Some("1"), Some("1"), Some("2"), Some("1"), Some("1"), None]),
    ];
    let made = run(&fpe, &values, &companions, Direction::Encrypt);
    assert_eq!(made.failures.iter().map(|failure| failure.index).collect::<Vec<_>>(), [3, 4, 5]);
    let distinct: HashSet<_> = shown(&made.array).into_iter().take(3).collect();
    assert_eq!(distinct.len(), 3);
    let with_null =
        run(&fpe, &column([None::<&str>]), &[companion([None::<&str>]), companion([None::<&str>])], Direction::Encrypt);
    assert!(with_null.failures.is_empty());
}

#[test]
fn faults_name_their_option() {
    for (options, paths) in [
        (json!({ "alphabet": "a" }), vec!["alphabet"]),
        (json!({ "alphabet": "abca" }), vec!["alphabet"]),
        (json!({ "alphabet": "a-z" }), vec!["separators"]),
        (json!({ "separators": "1" }), vec!["separators"]),
        (json!({ "checksum": "luhn", "alphabet": "hex" }), vec!["alphabet"]),
        (json!({ "checksum": "luhn", "separators": "7" }), vec!["separators"]),
        (json!({ "checksum": "iban", "alphabet": "digits", "separators": "" }), vec!["alphabet", "separators"]),
        (json!({ "tweak_column": "" }), vec!["tweak_column"]),
        (json!({ "domain": "", "tenant": { "column": "" } }), vec!["domain", "tenant.column"]),
    ] {
        let mut spec = json!({ "domain": "d" });
        spec.as_object_mut().unwrap().extend(options.as_object().unwrap().clone());
        let spec: FpeSpec = serde_json::from_value(spec).unwrap();
        let faults = spec.faults();
        assert_eq!(faults.iter().map(|fault| fault.path.join(".")).collect::<Vec<_>>(), paths, "{options}");
        // what would not be caught when a policy is checked is caught when it is built
        if paths != ["tweak_column"] {
            let keys = any_keys();
            assert!(
                build(&TransformSpec::Fpe(spec), Some(&keys)).is_err() || paths.contains(&"tenant.column"),
                "{options}"
            );
        }
    }
}

/// The digits of a text of digits.
fn digits(text: &str) -> Vec<u32> {
    text.chars().filter_map(|character| character.to_digit(10)).collect()
}

/// Luhn's formula in another form: a table of doubled digits.
fn is_luhn_valid(text: &str) -> bool {
    let doubled = [0, 2, 4, 6, 8, 1, 3, 5, 7, 9];
    let digits = digits(text).into_iter().rev().enumerate();
    digits.map(|(at, digit)| if at % 2 == 1 { doubled[digit as usize] } else { digit }).sum::<u32>() % 10 == 0
}

/// The remainder by 97, digit by digit of the number that is written out.
fn iban_remainder(iban: &str) -> u32 {
    let turned = iban.chars().skip(4).chain(iban.chars().take(4));
    let written: String = turned.map(|character| character.to_digit(36).unwrap().to_string()).collect();
    digits(&written).into_iter().fold(0, |remainder, digit| (remainder * 10 + digit) % 97)
}

/// A text, and one of the alphabets that it may be of.
fn formatted() -> impl Strategy<Value = (Value, String)> {
    prop_oneof![
        "[0-9 ./()+:-]{0,50}".prop_map(|text| (json!({}), text)),
        "[a-z]{0,30}".prop_map(|text| (json!({ "alphabet": "lower" }), text)),
        "[0-9A-Za-z -]{0,80}".prop_map(|text| (json!({ "alphabet": "alphanumeric" }), text)),
        "[0-9a-f]{0,300}".prop_map(|text| (json!({ "alphabet": "hex" }), text)),
        "[äöü🙂\u{301}\u{5d0}_]{0,40}"
            .prop_map(|text| (json!({ "alphabet": "üöä🙂\u{301}\u{5d0}", "separators": "_" }), text)),
    ]
}

proptest! {
    #[test]
    fn texts_keep_their_form_and_come_back((spec, text) in formatted()) {
        let fpe = any_fpe(&spec);
        let Shape::Plain(format) = &fpe.shape else { panic!("no checksum") };
        let (mut symbols, radix) = (Vec::new(), f64::from(format.alphabet().radix()));
        format.read(&text, &mut symbols).unwrap();
        match one_text(&fpe, &text) {
            Ok((made, back)) => {
                prop_assert_eq!(back, text.clone());
                prop_assert_eq!(made.chars().count(), text.chars().count());
                for (before, after) in text.chars().zip(made.chars()) {
                    match format.alphabet().numeral(before) {
                        Some(_) => prop_assert!(format.alphabet().numeral(after).is_some()),
                        None => prop_assert_eq!(before, after),
                    }
                }
            }
            Err(_) => prop_assert!(symbols.len() > 256 || radix.powi(symbols.len() as i32) < 1e6),
        }
    }

    #[test]
    fn any_unicode_is_taken_or_refused_without_a_word_of_it(text in "\\PC{0,20}|[\\x00-\\u{10ffff}]{0,20}", at in 0..3_usize) {
        let checks = [json!({ "alphabet": "hex" }), json!({ "checksum": "luhn" }), json!({ "checksum": "iban" })];
        let letters: HashSet<char> = text.chars().filter(|c| !c.is_ascii()).collect();
        if let Err(reason) = one_text(&any_fpe(&checks[at]), &text) {
            prop_assert!(!reason.contains(|c| letters.contains(&c)), "{}", reason);
            prop_assert!(text.chars().count() < 4 || !reason.contains(&text));
        }
    }

    #[test]
    fn integers_keep_sign_and_length_and_come_back(value in any::<i64>(), unsigned in any::<u64>(), shift in 0..60_u32) {
        let fpe = any_fpe(&json!({}));
        for array in [
            cast(&Int64Array::from(vec![value >> shift]), &DataType::Int64).unwrap(),
            Arc::new(arrow::array::UInt64Array::from(vec![unsigned >> shift])),
            Arc::new(arrow::array::Int32Array::from(vec![(value >> 32) as i32 >> (shift / 2)])),
            Arc::new(arrow::array::UInt32Array::from(vec![(unsigned >> 32) as u32 >> (shift / 2)])),
            Arc::new(arrow::array::Decimal64Array::from(vec![value % 1_000_000_000_000]).with_precision_and_scale(12, 3).unwrap()),
        ] {
            let unscaled = |text: &str| text.bytes().filter(u8::is_ascii_digit).count();
            let before = shown(&array)[0].clone().unwrap();
            match one(&fpe, &array, &[]) {
                Ok((made, back)) => {
                    prop_assert_eq!(&back, &String::from_utf8(canonical(&array, Meaning::Plain).unwrap().values.value(0).to_vec()).unwrap());
                    prop_assert_eq!(made.starts_with('-'), before.starts_with('-'));
                    if !array.data_type().is_decimal() {
                        prop_assert_eq!(made.len(), before.len());
                        prop_assert!(!made.trim_start_matches('-').starts_with('0'));
                    }
                }
                Err(reason) => prop_assert!(unscaled(before.trim_start_matches(['-', '0', '.'])) < 7, "{}", reason),
            }
        }
    }

    #[test]
    fn luhn_valid_digits_stay_luhn_valid_and_no_others_are_taken(body in "[0-9 -]{6,30}", last in 0..10_u32) {
        let text = format!("{body}{last}");
        match one_text(&any_fpe(&json!({ "checksum": "luhn" })), &text) {
            Ok((made, back)) => {
                prop_assert!(is_luhn_valid(&text) && is_luhn_valid(&made));
                prop_assert_eq!(back, text);
            }
            Err(_) => prop_assert!(!is_luhn_valid(&text) || digits(&text).len() < 7),
        }
    }

    #[test]
    fn ibans_stay_valid_and_keep_country_and_letters(bban in "[0-9A-Z]{1,30}", country in "[A-Z]{2}", lower in any::<bool>()) {
        let check = 98 - iban_remainder(&format!("{country}00{bban}"));
        let iban = format!("{country}{check:02}{bban}");
        let given = if lower { iban.to_ascii_lowercase() } else { iban.clone() };
        match one_text(&any_fpe(&json!({ "checksum": "iban" })), &given) {
            Ok((made, back)) => {
                prop_assert_eq!(iban_remainder(&made), 1);
                prop_assert_eq!(&made[..2], &country);
                let letters = |text: &str| text.char_indices().filter(|(_, c)| c.is_ascii_uppercase()).collect::<Vec<_>>();
                prop_assert_eq!(letters(&made), letters(&iban));
                prop_assert_eq!(back, iban);
            }
            Err(_) => prop_assert!(digits(&bban).len() < 6),
        }
    }
}

#[test]
fn distinct_values_have_distinct_outputs_in_every_form() {
    let many: i64 = 20_000;
    let luhn = |n: i64| (0..10).map(|last| format!("{n:07}{last}")).find(|text| is_luhn_valid(text)).unwrap();
    let columns: [(Value, Vec<String>); 3] = [
        (json!({}), (0..many).map(|n| format!("{:06}", n * 49)).collect()),
        (json!({ "alphabet": "hex" }), (0..many).map(|n| format!("{n:05x}")).collect()),
        (json!({ "checksum": "luhn" }), (0..many).map(|n| luhn(n * 433)).collect()),
    ];
    for (spec, values) in columns {
        let made = run(&any_fpe(&spec), &column(values.iter().map(Some)), &[], Direction::Encrypt);
        assert!(made.failures.is_empty());
        assert_eq!(shown(&made.array).into_iter().collect::<HashSet<_>>().len(), values.len(), "{spec}");
    }
    let numbers: ArrayRef = Arc::new(Int64Array::from_iter_values((0..many).map(|n| 1_000_000 + n * 449)));
    let made = run(&any_fpe(&json!({})), &numbers, &[], Direction::Encrypt);
    assert_eq!(shown(&made.array).into_iter().flatten().collect::<HashSet<_>>().len(), many as usize);
}

#[test]
fn a_mebibyte_is_refused_and_so_are_marks_that_stand_alone() {
    let fpe = any_fpe(&json!({}));
    for text in
        ["1".repeat(1 << 20), "é".repeat(1 << 19), "\u{301}".to_owned(), "\u{202e}123456".to_owned(), "\0".repeat(9)]
    {
        assert!(one_text(&fpe, &text).is_err());
    }
    assert_eq!(one_text(&fpe, &"1".repeat(257)).unwrap_err(), "257 symbols; at most 256 are taken");
    assert_eq!(one_text(&fpe, "12345").unwrap_err(), "5 symbols of an alphabet of 10; at least 6 are needed");
}
