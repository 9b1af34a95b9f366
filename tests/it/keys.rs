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
    policy(&lake, "{ file: keyring.json }");
    for mode in [0o640, 0o604, 0o620, 0o660] {
        std::fs::set_permissions(lake.path("keyring.json"), std::fs::Permissions::from_mode(mode)).expect("changes");
        let error = lake.run(&[]).expect(3).stderr;
        assert!(error.contains("keyring.json") && error.contains("chmod"), "{mode:o}: {error}");
        assert_eq!(lake.files("out"), Vec::<String>::new(), "{mode:o}");
    }
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
    let mode = std::fs::metadata(lake.path("new.json")).expect("is there").permissions().mode();
    assert_eq!(mode & 0o777, 0o600, "still its owner's alone");
    assert_eq!(lake.files("").iter().filter(|path| path.contains("new.json")).count(), 1, "no copy lies about");
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

#[test]
fn a_retired_key_serves_where_it_is_pinned_and_a_compromised_one_nowhere() {
    let lake = lake();
    lakeveil_in(&lake, &["key", "new", "--id", "next", "--add-to", "keyring.json"]).expect(0);
    let rest = "columns: { id: { pseudonym: { domain: d } } }\n";
    lake.policy(rest);
    lake.run_well(&[]);
    assert_ne!(lake.table("out/t.csv")["id"], [Some(token("d", "1"))], "the active key");
    lake.policy(&format!("key: test\n{rest}"));
    lake.run_well(&[]);
    assert_eq!(lake.table("out/t.csv")["id"], [Some(token("d", "1"))], "the old one still gives the old tokens");
    let keyring = std::fs::read_to_string(lake.path("keyring.json")).expect("reads");
    assert!(keyring.contains("retired"));
    lake.put("keyring.json", keyring.replace("retired", "compromised"));
    let error = lake.run(&["--full"]).expect(3).stderr;
    assert!(error.contains("test") && error.contains("compromised"), "{error}");
}

#[test]
fn fail_keyrings_that_cannot_be_read_without_showing_them() {
    let broken = format!("{{\"version\":1,\"keys\":[{{\"id\":\"test\",\"secret\":\"text:{SECRET}\"");
    let unknown = format!("{{\"version\":1,\"keys\":[],\"extra\":\"{SECRET}\"}}");
    let twice = format!("{{\"id\":\"k\",\"state\":\"active\",\"secret\":\"text:{SECRET}\"}}");
    let twice = format!("{{\"version\":1,\"keys\":[{twice},{twice}]}}");
    let encoded = format!("hex:{SECRET}");
    for content in [&broken, &unknown, &twice, &encoded] {
        for source in ["{ env: TEST_KEYRING }", "{ command: [cat, ring] }", "{ file: ring, permissions: any }"] {
            let lake = lake();
            policy(&lake, source);
            lake.put("ring", content);
            let mut command = lakeveil();
            command.current_dir(lake.path("")).env("TEST_KEYRING", content).env("LAKEVEIL_LOG", "trace");
            let ran = Ran::of(command.args(["run", "policy.yaml"]).output().expect("starts")).expect(3);
            assert!(!ran.words().contains(SECRET), "{source}: {}", ran.words());
            assert_eq!(lake.files("out"), Vec::<String>::new(), "{source}");
        }
    }
}

#[test]
fn fail_a_command_that_fails_without_showing_what_it_printed() {
    let lake = lake();
    let script = format!("echo {SECRET}; echo {SECRET} >&2; exit 7");
    policy(&lake, "{ command: [sh, script] }");
    lake.put("script", script);
    let ran = lake.run(&[]).expect(3);
    assert!(!ran.words().contains(SECRET), "{}", ran.words());
    assert!(ran.stderr.contains("sh"), "{}", ran.stderr);
}
