use super::*;

fn labelled(search: &Search, text: &str) -> String {
    let (mut at, mut out) = (0, String::new());
    for (name, range) in search.find(text) {
        out += &text[at..range.start];
        out += &format!("<{}>", name.to_uppercase());
        at = range.end;
    }
    out + &text[at..]
}

#[test]
fn numbers_of_everyday_text_are_no_finds() {
    let search = everything();
    for text in [
        "On 2024-05-12 at 12:30:45.123 (2024-05-12T12:30:45+02:00) we sold 3 of 12 for 1,234,567.89.",
        "Release 1.2.3, 10.15.7.1.2, v1.2.3.4, build 20240512.3, RFC 5322, ISO 9001:2015, §139b",
        "12.05.2024, 5/12/24, 05/12/2024, 12-05-2024, 1990-1995, 1990–1995",
        "pi is 3.14159265358979323846, e is 2.718281828459045, 1.4242424242424242",
        "550e8400-e29b-41d4-a716-446655440000 abcdefab-4240-2216-5197-a446655440a0 00000000-0000-0000-0000-507981321036",
        "9e107d9d372bb6826bd81d3542a419d6 0xdeadbeef",
        "https://example.com/a?b=1&c=2#d @mention #42 C++17 std::vector<int> a::b key=value",
        "page 12-34, rows 1 000 000, size 1024x768, 100% of 5-7 kg, 1+1=2, (1) (2) (3)",
        "00:1a:2b:3c:4d:5e AB-1234 order 12345678 invoice 1234567",
        "sk-learn, xoxo-kisses, ghp_, AKIA, eyJhbGciOiJub25lIn0, -----BEGIN CERTIFICATE-----",
    ] {
        assert_eq!(found(&search, text), [], "{text}");
    }
}

#[test]
fn finds_stand_in_sentences_of_all_sorts() {
    let search = everything();
    for (text, expected) in [
        ("ann@example.com.", "<EMAIL>."),
        ("a@x.com,b@y.org;c@z.net", "<EMAIL>,<EMAIL>;<EMAIL>"),
        ("tel:+49-30-901820 fax", "tel:<PHONE> fax"),
        ("+44 (0)20 7946 0958", "<PHONE>"),
        ("call +1.212.555.0142, or 1 (212) 555-0142", "call <PHONE>, or <PHONE>"),
        ("+44 20 7946 0958 2 times", "<PHONE> 2 times"),
        ("4111-1111-1111-1111-123", "<CARD>-123"),
        ("REF-2024-4111111111111111", "REF-2024-<CARD>"),
        ("1,4111111111111111,2", "1,<CARD>,2"),
        ("http://192.0.2.1:80/ via [2001:db8::1]", "http://<IP>:80/ via [<IP>]"),
        ("patient-943-476-5919.pdf", "patient-<UK_NHS>.pdf"),
        ("pesel_44051401359", "pesel_<PL_PESEL>"),
        ("身份44051401359号", "身份<PL_PESEL>号"),
        ("IBAN:GB29NWBK60161331926819", "IBAN:<IBAN>"),
        ("079-49-5678@example.com", "<EMAIL>"),
        ("john.4111111111111111@example.com", "<EMAIL>"),
        ("user:pass@host.example/", "user:<EMAIL>/"),
        ("19640823+3234", "<SE_PERSONNUMMER>"),
        ("X-1234567-L", "<ES_NIE>"),
        ("DNI 12.345.678-Z", "DNI <ES_DNI>"),
    ] {
        assert_eq!(labelled(&search, text), expected, "{text}");
    }
}

#[test]
fn an_identifier_inside_something_longer_is_none() {
    let search = everything();
    for text in [
        "A44051401359",
        "44051401359B",
        "440514013590",
        "0.44051401359",
        "44051401359.5",
        "x12345678Zx",
        "123-45-6789-1",
        "1-123-45-6789",
        "411111111111111111111",
        "9434765919abc",
        "+4420794609581234567",
        "++442079460958",
        "a+442079460958",
    ] {
        assert_eq!(labelled(&search, text), text);
    }
}

#[test]
fn a_private_key_without_its_end_takes_the_rest() {
    let search = everything();
    let begin = "-----BEGIN RSA PRIVATE KEY-----";
    assert_eq!(labelled(&search, &format!("x {begin}\nMIIE\nab@c.de")), "x <API_KEY>");
    assert_eq!(labelled(&search, &format!("{begin}\nMIIE\n-----END RSA PRIVATE KEY----- y")), "<API_KEY> y");
    assert_eq!(
        labelled(&search, &format!("{begin}\\nMI\\n-----END RSA PRIVATE KEY-----\\n{begin}")),
        "<API_KEY>\\n<API_KEY>"
    );
}

#[test]
fn a_token_needs_a_header_that_names_an_algorithm() {
    let search = everything();
    let token = |header: &str| format!("{}.e30.c2ln", data_encoding::BASE64URL_NOPAD.encode(header.as_bytes()));
    let valid = token(r#"{"alg":"HS256","typ":"JWT"}"#);
    assert_eq!(labelled(&search, &format!("Bearer {valid}.")), "Bearer <JWT>.");
    for header in [r#"{"typ":"JWT"}"#, r#"{"alg":1}"#, r#"{"alg":"HS256""#] {
        let text = token(header);
        assert_eq!(labelled(&search, &text), text, "{header}");
    }
    let text = format!("x{valid}");
    assert_eq!(labelled(&search, &text), text, "part of a longer run");
}

#[test]
fn national_telephone_numbers_are_found_where_their_region_is_named() {
    let region = |code| crate::transforms::normalize::Region::from_code(code).unwrap();
    let german = Search::new(&[Kind::Phone], vec![], vec![region("DE"), region("GB")]);
    let text = "030 901820, (030) 901820, 020 7946 0958, 0049 30 901820, am 02.03.2024, Nr. 12345678";
    assert_eq!(labelled(&search(&[Kind::Phone]), text), text);
    assert_eq!(labelled(&german, text), "<PHONE>, <PHONE>, <PHONE>, <PHONE>, am 02.03.2024, Nr. 12345678");
}

#[test]
fn the_policys_own_patterns_come_first() {
    let patterns = vec![pattern("patient", r"\bP-\d{6}\b"), pattern("mail", r"\w+@example\.com")];
    let search = Search::new(Kind::ALL, patterns, vec![]);
    assert_eq!(labelled(&search, "P-123456 ann@example.com bob@example.org"), "<PATIENT> <MAIL> <EMAIL>");
    assert_eq!(search.names()[..2], ["patient", "mail"]);
}

#[test]
fn overlapping_finds_leave_nothing_of_either() {
    let patterns = vec![pattern("left", "abc"), pattern("right", "cde")];
    let search = Search::new(&[], patterns, vec![]);
    assert_eq!(labelled(&search, "abcde cde abc"), "<LEFT> <RIGHT> <LEFT>");
}

#[test]
fn only_what_is_asked_for_is_found() {
    let text = "ann@example.com 192.0.2.1 +442079460958 44051401359";
    for (kind, expected) in [
        (Kind::Email, "<EMAIL> 192.0.2.1 +442079460958 44051401359"),
        (Kind::Ip, "ann@example.com <IP> +442079460958 44051401359"),
        (Kind::Phone, "ann@example.com 192.0.2.1 <PHONE> 44051401359"),
        (Kind::PlPesel, "ann@example.com 192.0.2.1 +442079460958 <PL_PESEL>"),
        (Kind::Jwt, text),
    ] {
        assert_eq!(labelled(&search(&[kind]), text), expected);
    }
}
