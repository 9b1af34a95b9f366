use super::super::{Region, Step, StepParseError};
use schemars::JsonSchema;

#[test]
fn every_name_reads_back() {
    for name in Step::names().filter(|&name| name != "e164") {
        let step: Step = name.parse().unwrap();
        assert_eq!((step.name(), step.to_string().as_str()), (name, name));
    }
    assert_eq!(Step::names().count(), 11);
}

#[test]
fn every_region_reads_back() {
    let regions = Region::all();
    assert!(regions.len() > 200);
    for region in regions {
        let step: Step = format!("e164({region})").parse().unwrap();
        assert_eq!((step, step.name()), (Step::E164(region), "e164"));
    }
}

#[test]
fn what_is_no_step_says_why() {
    use StepParseError::{MissingRegion, TakesNothing, UnknownRegion, UnknownStep};
    for (text, expected) in [
        ("lower", UnknownStep { name: "lower".into() }),
        ("Trim", UnknownStep { name: "Trim".into() }),
        (" trim", UnknownStep { name: " trim".into() }),
        ("", UnknownStep { name: String::new() }),
        ("e146(GB)", UnknownStep { name: "e146".into() }),
        ("trim(GB)", TakesNothing { step: "trim" }),
        ("email()", TakesNothing { step: "email" }),
        ("e164", MissingRegion),
        ("e164()", UnknownRegion { region: String::new() }),
        ("e164(UK)", UnknownRegion { region: "UK".into() }),
        ("e164(gb)", UnknownRegion { region: "gb".into() }),
        ("e164(001)", UnknownRegion { region: "001".into() }),
        ("e164( GB)", UnknownRegion { region: " GB".into() }),
    ] {
        assert_eq!(text.parse::<Step>(), Err(expected), "{text:?}");
    }
}

#[test]
fn candidates_are_what_could_have_been_meant() {
    let candidates = |text: &str| text.parse::<Step>().unwrap_err().candidates();
    assert!(candidates("colapse").contains(&"collapse_whitespace".to_string()));
    assert!(candidates("e164(UK)").contains(&"GB".to_string()));
    assert!(candidates("trim(x)").is_empty());
}

#[test]
fn messages_say_what_to_do() {
    let message = |text: &str| text.parse::<Step>().unwrap_err().to_string();
    assert_eq!(
        message("lower"),
        "there is no normalize step `lower`; the steps are `trim`, `collapse_whitespace`, `lowercase`, `uppercase`, \
         `casefold`, `nfc`, `nfkc`, `digits`, `alphanumeric`, `email`, `e164`"
    );
    assert_eq!(message("trim(x)"), "normalize step `trim` takes nothing in parentheses; write `trim`");
}

#[test]
fn serde_uses_the_same_text() {
    let steps: Vec<Step> = serde_json::from_str(r#"["trim", "e164(DE)"]"#).unwrap();
    assert_eq!(serde_json::to_string(&steps).unwrap(), r#"["trim","e164(DE)"]"#);
    let error = serde_json::from_str::<Step>(r#""e164(XX)""#).unwrap_err().to_string();
    assert!(error.contains("`XX` is no region"), "{error}");
    assert!(serde_json::from_str::<Step>("1").is_err());
}

#[test]
fn the_json_schema_lists_every_name() {
    let schema = schemars::schema_for!(Step);
    assert_eq!(Step::schema_name(), "NormalizeStep");
    assert_eq!(
        schema.get("pattern").and_then(|pattern| pattern.as_str()),
        Some(
            "^(trim|collapse_whitespace|lowercase|uppercase|casefold|nfc|nfkc|digits|alphanumeric|email\
             |e164\\([A-Z]{2}\\))$"
        )
    );
}
