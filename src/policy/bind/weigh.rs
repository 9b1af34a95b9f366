//! What does not stop the run, and should be known before the output is shared.

use std::collections::HashMap;

use super::super::chain::KeyChain;
use super::super::describe::{ColumnPlan, SMALL_DOMAIN};
use super::{Binder, lies_in};

/// Names by which people call columns of few possible values. What a column is called tells no more than a hint, and a
/// warning too many costs a glance.
const TELLING_NAMES: [(&str, &[&str]); 5] = [
    ("telephone numbers", &["phone", "telephone", "mobile", "msisdn", "fax"]),
    ("IP addresses", &["ip", "ipv4", "ip_address", "client_ip", "remote_addr"]),
    ("dates of birth", &["birth", "birthday", "birthdate", "dob", "born"]),
    ("postal codes", &["zip", "zipcode", "postcode", "postal", "plz"]),
    (
        "national identifiers",
        &["ssn", "nino", "nhs", "pesel", "bsn", "cpf", "dni", "nie", "personnummer", "cpr", "sin", "aadhaar", "codice"],
    ),
];

impl Binder<'_> {
    /// Notes all of it.
    pub(super) fn weigh(&mut self) {
        for warning in self.keys.into_iter().flat_map(KeyChain::links).filter_map(|key| key.warning()) {
            self.warn("weak-key", None, warning);
        }
        self.sorted_by_hidden();
        self.small_domains();
        self.shared_domains();
        self.warnings.sort();
        self.warnings.dedup();
    }

    /// Order is lost from the first column on that is not sorted by, so the prefix is what counts.
    fn sorted_by_hidden(&mut self) {
        for name in &self.source.sorted_by {
            let transformed =
                self.leaves.iter().any(|leaf| leaf.hides() && leaf.inputs.iter().any(|input| lies_in(input, name)));
            if transformed {
                let message = format!(
                    "the source declares that it is sorted by `{name}`: row order shows the rank of each hidden value"
                );
                self.warn("sorted-by-transformed", Some(name), message);
            }
        }
    }

    /// Columns whose outputs can be computed for every possible value.
    fn small_domains(&mut self) {
        let told: Vec<(String, String)> = (self.leaves.iter())
            .filter(|leaf| leaf.tests_guesses)
            .filter_map(|leaf| Some((leaf.name.clone(), few_values(leaf)?)))
            .collect();
        for (name, what) in told {
            let message = format!(
                "`{name}` holds {what}: all possible values can be tried by who holds the key or can have values \
                 transformed"
            );
            self.warn(SMALL_DOMAIN, Some(&name), message);
        }
    }

    /// Columns of one domain that no declared join needs.
    fn shared_domains(&mut self) {
        let mut by_domain: Vec<((&str, &str), Vec<&str>)> = Vec::new();
        for leaf in self.leaves.iter().filter(|leaf| leaf.tests_guesses) {
            // schemes and digests without domains have one token space
            let domain = leaf.domain.as_deref().unwrap_or_default();
            // email and scrub sign as pseudonym does
            let family = match leaf.transform.as_str() {
                "email" | "scrub" => "pseudonym",
                other => other,
            };
            match by_domain.iter_mut().find(|(known, _)| *known == (family, domain)) {
                Some((_, names)) => names.push(&leaf.name),
                None => by_domain.push(((family, domain), vec![&leaf.name])),
            }
        }
        let mut told = Vec::new();
        let joined = self.joined();
        for ((_, domain), names) in by_domain {
            let Some((first, others)) = names.split_first() else { continue };
            for other in others.iter().filter(|other| !joined.are_one(first, other)) {
                told.push((
                    (*other).to_owned(),
                    format!(
                        "`{first}` and `{other}` share {} and no declared join needs it: equal values show as equal \
                         tokens",
                        if domain.is_empty() { "a token space".to_owned() } else { format!("the domain `{domain}`") }
                    ),
                ));
            }
        }
        for (name, message) in told {
            self.warn("shared-domain", Some(&name), message);
        }
    }

    fn joined(&self) -> Joined {
        let mut joined = Joined::default();
        let dataset = &self.policy.dataset;
        let own = |name: &str| (dataset.clone(), name.to_owned());
        for join in &self.policy.joins {
            let side = |side: &super::super::join::JoinSide| (side.dataset.clone(), side.column.to_string());
            joined.unite(side(&join.left), side(&join.right));
        }
        // joins may name a column as it is called in the source
        for leaf in &self.leaves {
            for input in leaf.inputs.iter().filter(|input| **input != leaf.name) {
                joined.unite(own(input), own(&leaf.name));
            }
        }
        joined.dataset = dataset.clone();
        joined
    }
}

/// Why the column's values are few, if plan and names tell so.
fn few_values(leaf: &ColumnPlan) -> Option<String> {
    let before = leaf.type_before.as_deref().unwrap_or_default();
    let by_type = |prefixes: &[&str]| prefixes.iter().any(|prefix| before.starts_with(prefix));
    if leaf.transform == "ip" {
        return Some("IP addresses, of which there are few (2^32 of IPv4)".to_owned());
    }
    if by_type(&["Boolean"]) {
        return Some("true or false".to_owned());
    }
    if by_type(&["Date32", "Date64"]) {
        return Some("dates, of which a lifetime has 36,525".to_owned());
    }
    if by_type(&["Int8", "Int16", "Int32", "UInt8", "UInt16", "UInt32", "Time32"]) {
        return Some(format!("{before}, of which there are at most 2^32"));
    }
    let steps = leaf.parameters.get("normalize").and_then(|steps| steps.as_array());
    if steps.is_some_and(|steps| steps.iter().any(|step| step.as_str().is_some_and(|step| step.starts_with("e164")))) {
        return Some("telephone numbers".to_owned());
    }
    let words: Vec<String> = leaf.inputs.iter().chain([&leaf.name]).flat_map(|name| words_of(name)).collect();
    let named = |(_, names): &&(&str, &[&str])| names.iter().any(|name| words.iter().any(|word| word == name));
    TELLING_NAMES.iter().find(named).map(|(what, _)| format!("{what}, by its name"))
}

/// The words of the last part of a path, in lower case, and the part as a whole: `Client.birthDate` has `birth`, `date`
/// and `birthdate`.
fn words_of(path: &str) -> Vec<String> {
    let last = path.rsplit(['.', ']', '}', '`']).find(|part| !part.is_empty()).unwrap_or(path);
    let mut words = vec![String::new()];
    let mut before_was_lower = false;
    for c in last.chars() {
        if !c.is_alphanumeric() || (c.is_uppercase() && before_was_lower) {
            words.push(String::new());
        }
        if c.is_alphanumeric() {
            words.last_mut().into_iter().for_each(|word| word.extend(c.to_lowercase()));
        }
        before_was_lower = c.is_lowercase();
    }
    words.push(last.to_lowercase());
    words.retain(|word| !word.is_empty());
    words
}

/// Columns of all datasets that declared joins make one.
#[derive(Default)]
struct Joined {
    dataset: String,
    groups: HashMap<(String, String), usize>,
}

impl Joined {
    fn unite(&mut self, a: (String, String), b: (String, String)) {
        let next = self.groups.len();
        let (a, b) = (*self.groups.entry(a).or_insert(next), *self.groups.entry(b).or_insert(next));
        self.groups.values_mut().filter(|group| **group == b).for_each(|group| *group = a);
    }

    /// Whether two columns of this dataset are joined, be it through another dataset.
    fn are_one(&self, a: &str, b: &str) -> bool {
        let group = |name: &str| self.groups.get(&(self.dataset.clone(), name.to_owned()));
        group(a).is_some_and(|a| Some(a) == group(b))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_a_name_are_found_however_they_are_joined() {
        assert_eq!(words_of("client.birthDate"), ["birth", "date", "birthdate"]);
        assert_eq!(words_of("contacts[].home_phone"), ["home", "phone", "home_phone"]);
        assert_eq!(words_of("IP"), ["ip", "ip"]);
        assert!(!words_of("shipment").contains(&"ip".to_owned()));
    }

    #[test]
    fn joins_reach_through_other_datasets() {
        let mut joined = Joined { dataset: "d".to_owned(), ..Joined::default() };
        let column = |dataset: &str, name: &str| (dataset.to_owned(), name.to_owned());
        joined.unite(column("d", "a"), column("x", "k"));
        joined.unite(column("d", "c"), column("y", "k"));
        assert!(!joined.are_one("a", "c"));
        joined.unite(column("y", "k"), column("x", "k"));
        assert!(joined.are_one("a", "c") && !joined.are_one("a", "b"));
    }
}
