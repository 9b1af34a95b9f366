//! Keyrings: where they come from, who may read them, and new keys.

use crate::support::{Lake, Ran, SECRET, lakeveil, token};

fn policy(lake: &Lake, keyring: &str) {
    lake.put(
        "policy.yaml",
        format!(
            "version: 1\ndataset: t\nsource: {{ url: in/ }}\nsink: {{ url: out/ }}\nkeyring: {keyring}\n\
             columns: {{ id: {{ pseudonym: {{ domain: d }} }} }}\n"
        ),
    );
}

fn lake() -> Lake {
    let lake = Lake::new();
    lake.put("in/t.csv", "id\n1\n");
    lake
}

fn lakeveil_in(lake: &Lake, args: &[&str]) -> Ran {
    Ran::of(lakeveil().current_dir(lake.path("")).args(args).output().expect("starts"))
}

#[test]
fn a_file_a_variable_and_a_command_give_the_same_tokens() {
    let keyring = |lake: &Lake| std::fs::read_to_string(lake.path("keyring.json")).expect("reads");
    for source in ["{ file: keyring.json }", "{ env: TEST_KEYRING }", "{ command: [cat, keyring.json] }"] {
        let lake = lake();
        policy(&lake, source);
        let mut command = lakeveil();
        command.current_dir(lake.path("")).env("TEST_KEYRING", keyring(&lake)).args(["run", "policy.yaml"]);
        Ran::of(command.output().expect("starts")).expect(0);
        assert_eq!(lake.table("out/t.csv")["id"], [Some(token("d", "1"))], "{source}");
    }
}

#[test]
fn a_bare_secret_is_a_key_named_default() {
    let lake = lake();
    policy(&lake, "{ env: TEST_KEYRING }");
    let mut command = lakeveil();
    command.current_dir(lake.path("")).env("TEST_KEYRING", format!("{SECRET}\n"));
    let ran = Ran::of(command.args(["run", "policy.yaml"]).output().expect("starts")).expect(0);
    assert!(ran.stdout.contains("default (fingerprint"), "{}", ran.stdout);
    assert_eq!(lake.table("out/t.csv")["id"], [Some(token("d", "1"))]);
}

#[cfg(unix)]
#[test]
fn fail_a_keyring_that_others_can_read() {
    use std::os::unix::fs::PermissionsExt;
    let lake = lake();
    std::fs::set_permissions(lake.path("keyring.json"), std::fs::Permissions::from_mode(0o640)).expect("changes");
    policy(&lake, "{ file: keyring.json }");
    let error = lake.run(&[]).expect(3).stderr;
    assert!(error.contains("keyring.json") && error.contains("chmod"), "{error}");
    policy(&lake, "{ file: keyring.json, permissions: any }");
    lake.run_well(&[]);
}

#[cfg(unix)]
#[test]
fn a_new_keyring_is_its_owners_alone_and_is_never_overwritten() {
    use std::os::unix::fs::PermissionsExt;
    let lake = lake();
    lakeveil_in(&lake, &["key", "new", "--id", "first", "--out", "new.json"]).expect(0);
    let mode = std::fs::metadata(lake.path("new.json")).expect("is there").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let before = std::fs::read(lake.path("new.json")).expect("reads");
    lakeveil_in(&lake, &["key", "new", "--id", "second", "--out", "new.json"]).expect(3);
    assert!(std::fs::read(lake.path("new.json")).expect("reads") == before, "a key that is gone is data that is gone");

    policy(&lake, "{ file: new.json }");
    let report = lake.run_well(&[]);
    assert_eq!(report["keys"][0]["id"], "first");
    lakeveil_in(&lake, &["key", "new", "--id", "second", "--add-to", "new.json"]).expect(0);
    let keyring = lake.json("new.json");
    let states: Vec<_> =
        keyring["keys"].as_array().expect("keys").iter().map(|key| (&key["id"], &key["state"])).collect();
    assert!(states.contains(&(&"first".into(), &"retired".into())), "{states:?}");
    assert!(states.contains(&(&"second".into(), &"active".into())), "{states:?}");
    let again = lake.run_well(&[]);
    assert_eq!((&again["keys"][0]["id"], &again["totals"]["objects_written"]), (&"second".into(), &1.into()));
}

#[test]
fn two_new_keys_differ() {
    let lake = lake();
    let secret = || {
        let ran = lakeveil_in(&lake, &["key", "new"]).expect(0);
        let keyring: serde_json::Value = serde_json::from_str(&ran.stdout).expect("JSON");
        keyring["keys"][0]["secret"].as_str().expect("a secret").to_owned()
    };
    let (first, second) = (secret(), secret());
    assert!(first != second && first.len() == "hex:".len() + 64, "32 random bytes each time");
}
