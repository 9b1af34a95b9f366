//! Names as they are written in e-mail addresses: lower-case ASCII letters.

/// Appends `name` in lower-case ASCII letters. German umlauts and sharp s become two letters, other accented letters
/// of the lists lose their accents; whatever else is no letter of ASCII is left out.
///
/// ```
/// use lakeveil::transforms::surrogate::fold::push_ascii;
/// let mut out = String::new();
/// push_ascii("Jörg Großmann", &mut out);
/// push_ascii("Łukasz", &mut out);
/// assert_eq!(out, "joerggrossmannlukasz");
/// ```
pub fn push_ascii(name: &str, out: &mut String) {
    for letter in name.chars() {
        match letter {
            'a'..='z' => out.push(letter),
            'A'..='Z' => out.push(letter.to_ascii_lowercase()),
            other => out.push_str(spelled(other)),
        }
    }
}

/// Every accented letter that a list of names has: a test holds that none is missing.
fn spelled(letter: char) -> &'static str {
    match letter {
        'Ä' | 'ä' => "ae",
        'Ö' | 'ö' => "oe",
        'Ü' | 'ü' => "ue",
        'ß' => "ss",
        'Á' | 'á' | 'à' | 'ą' => "a",
        'ç' | 'Ć' | 'ć' => "c",
        'É' | 'é' | 'è' | 'ê' | 'ë' | 'ę' => "e",
        'Í' | 'í' | 'î' | 'ï' => "i",
        'Ł' | 'ł' => "l",
        'ñ' | 'ń' => "n",
        'Ó' | 'ó' | 'ò' | 'ô' => "o",
        'Ś' | 'ś' => "s",
        'Ú' | 'ú' => "u",
        'ź' | 'Ż' | 'ż' => "z",
        _ => "",
    }
}
