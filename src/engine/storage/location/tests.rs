use super::*;

fn shown(text: &str) -> String {
    Location::parse(text).map_or_else(|error| format!("error: {error}"), |location| location.to_string())
}

fn overlap_of(first: &str, second: &str) -> Option<Overlap> {
    let parse = |text| Location::parse(text).expect("the case is a valid location");
    parse(first).overlap(&parse(second)).expect("nothing unreadable on the way")
}

#[test]
fn every_form_of_every_store_is_read() {
    for (text, expected) in [
        ("lake/raw", "lake/raw"),
        ("file:///lake/a%20b", "/lake/a b"),
        ("file://localhost/lake", "/lake"),
        ("s3://b/x/y/", "s3://b/x/y"),
        ("S3A://b", "s3://b/"),
        ("s3://b/a%41+ =\"é", "s3://b/a%41+ =\"é"),
        ("s3://b/day=*/{a,b}?.csv#1", "s3://b/day=*/{a,b}?.csv#1"),
        ("https://s3.eu-west-1.amazonaws.com/b/k", "s3://b/k"),
        ("https://b.s3.eu-west-1.amazonaws.com/k%20l", "s3://b/k l"),
        ("https://b.s3.amazonaws.com/k", "s3://b/k"),
        ("https://acc.r2.cloudflarestorage.com/b/k", "s3://b/k"),
        ("gs://b/k", "gs://b/k"),
        ("az://c/k", "az://c/k"),
        ("az://c@acc/k", "az://c@acc/k"),
        ("abfss://c@acc.dfs.core.windows.net/k", "az://c@acc/k"),
        ("abfs://c/k", "az://c/k"),
        ("https://acc.blob.core.windows.net/c/k?sv=1&sig=SECRET", "az://c@acc/k"),
        ("https://u:SECRET@h.org:8080/a%20b.csv?sig=SECRET#f", "https://h.org:8080/a b.csv"),
        ("https://b.s3.amazonaws.com/k?X-Amz-Signature=SECRET", "https://b.s3.amazonaws.com/k"),
    ] {
        assert_eq!(shown(text), expected, "{text}");
    }
}

#[test]
fn fail_locations_that_cannot_be_right() {
    for text in [
        "",
        "ftp://h/x",
        "s3://",
        "s3://key:SECRET@b/x",
        "gs://u@b/x",
        "az://u:SECRET@acc/x",
        "abfss://c@example.org/x",
        "file://elsewhere/x",
        "https://",
        "https://h.org/",
    ] {
        let shown = shown(text);
        assert!(shown.starts_with("error: "), "{text}: {shown}");
        assert!(!shown.contains("SECRET"), "{text}: {shown}");
    }
}

#[test]
fn debug_shows_no_credentials() {
    let location = Location::parse("https://acc.blob.core.windows.net/c/k?sig=SECRET").expect("valid");
    assert!(!format!("{location:?}").contains("SECRET"));
}

#[test]
fn keys_are_joined_and_split_by_segments() {
    let location = Location::parse("s3://b/x/").expect("valid");
    let (parent, last) = location.join("y/z.csv").split_last().expect("has segments");
    assert_eq!((parent.to_string().as_str(), last.as_str()), ("s3://b/x/y", "z.csv"));
    assert!(Location::parse("s3://b").expect("valid").split_last().is_none());
    let (parent, last) = Location::parse("a.csv").expect("valid").split_last().expect("has a name");
    assert_eq!((parent.to_string().as_str(), last.as_str()), (".", "a.csv"));
}

#[test]
fn overlap_goes_by_whole_segments() {
    assert_eq!(overlap_of("s3://b/x", "s3a://b/x/"), Some(Overlap::Same));
    assert_eq!(overlap_of("s3://b/x", "s3://b/x/y"), Some(Overlap::SecondInFirst));
    assert_eq!(overlap_of("s3://b/x/y", "s3://b"), Some(Overlap::FirstInSecond));
    assert_eq!(overlap_of("s3://b/x", "s3://b/xy"), None);
    assert_eq!(overlap_of("s3://b/x", "gs://b/x"), None);
    assert_eq!(overlap_of("az://c/x", "az://c@acc/x/y"), Some(Overlap::SecondInFirst));
    assert_eq!(overlap_of("az://c@other/x", "az://c@acc/x/y"), None);
}

#[cfg(unix)]
#[test]
fn overlap_sees_through_links_and_dots() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let root = dir.path();
    std::fs::create_dir_all(root.join("lake/raw")).expect("created");
    std::os::unix::fs::symlink(root.join("lake"), root.join("link")).expect("linked");
    let at = |path: &str| root.join(path).display().to_string();
    assert_eq!(overlap_of(&at("lake"), &at("link/out/new")), Some(Overlap::SecondInFirst));
    assert_eq!(overlap_of(&at("lake/raw/../.."), &at("lake")), Some(Overlap::SecondInFirst));
    assert_eq!(overlap_of(&at("lake/raw"), &at("link/raw/../raw")), Some(Overlap::Same));
    assert_eq!(overlap_of(&at("lake/raw"), &at("lake/raw2")), None);
}
