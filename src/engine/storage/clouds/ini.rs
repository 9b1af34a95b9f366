//! The little of INI that AWS's shared files use: sections, `name = value`, and one level of indented values.

use std::collections::BTreeMap;

/// Values by section and name. A value of an indented block is named `outer.inner`.
#[derive(Default)]
pub(super) struct Ini {
    sections: BTreeMap<String, BTreeMap<String, String>>,
}

impl Ini {
    /// Reads what can be read: as in AWS's own tools, lines that are neither are passed over, and a name set twice
    /// has its last value.
    pub(super) fn parse(text: &str) -> Self {
        let mut ini = Self::default();
        let (mut section, mut outer) = (None::<String>, String::new());
        for line in text.lines() {
            let indented = line.starts_with([' ', '\t']);
            let line = line.trim();
            if line.is_empty() || line.starts_with(['#', ';']) {
                continue;
            }
            if let Some(rest) = line.strip_prefix('[') {
                let name = rest.split(']').next().unwrap_or_default();
                let name = name.split_whitespace().collect::<Vec<_>>().join(" ");
                ini.sections.entry(name.clone()).or_default();
                section = Some(name);
                outer.clear();
                continue;
            }
            let (Some(section), Some((name, value))) = (&section, line.split_once('=')) else { continue };
            let (name, value) = (name.trim().to_ascii_lowercase(), without_comment(value));
            let name = if indented && !outer.is_empty() {
                format!("{outer}.{name}")
            } else {
                outer = if value.is_empty() { name.clone() } else { String::new() };
                name
            };
            ini.sections.entry(section.clone()).or_default().insert(name, value.to_owned());
        }
        ini
    }

    pub(super) fn has_section(&self, section: &str) -> bool {
        self.sections.contains_key(section)
    }

    /// A value that is set and not empty.
    pub(super) fn get(&self, section: &str, name: &str) -> Option<&str> {
        self.sections.get(section)?.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }
}

/// A comment inside a line needs white space before it.
fn without_comment(value: &str) -> &str {
    let end = [" #", " ;", "\t#", "\t;"].iter().filter_map(|mark| value.find(mark)).min();
    value[..end.unwrap_or(value.len())].trim()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sections_values_comments_and_blocks() {
        let ini = Ini::parse(
            "ignored = 1\n[default]\n# note\nregion=eu-west-1 # where\nkey = a=b#c/+\n\
             [profile  lake]\nservices = local\n[services local]\ns3 =\n  endpoint_url = http://localhost:9000\n\
             dynamodb =\n\tendpoint_url = http://other\nplain = 1\n",
        );
        assert_eq!(ini.get("default", "region"), Some("eu-west-1"));
        assert_eq!(ini.get("default", "key"), Some("a=b#c/+"));
        assert_eq!(ini.get("profile lake", "services"), Some("local"));
        assert_eq!(ini.get("services local", "s3.endpoint_url"), Some("http://localhost:9000"));
        assert_eq!(ini.get("services local", "dynamodb.endpoint_url"), Some("http://other"));
        assert_eq!(ini.get("services local", "plain"), Some("1"));
        assert_eq!(ini.get("services local", "s3"), None);
        assert!(ini.has_section("default") && !ini.has_section("ignored"));
    }
}
