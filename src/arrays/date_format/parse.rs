//! From the text of a format to its items.

use super::{Field, Item};

/// Why a text is no format of dates. It repeats fields of the format, which stands in a policy, never a value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DateFormatError {
    /// A `%` that nothing follows.
    #[error("a `%` stands at its end; a percent sign is written `%%`")]
    Open,
    /// A field that is not offered.
    #[error("`{0}` is not known; the fields are %Y %y %m %-m %b %B %d %-d %j %H %M %S %f %z %%")]
    Unknown(String),
    /// Two fields that tell the same.
    #[error("`{0}` tells what another field tells already")]
    Twice(&'static str),
    /// The fields do not tell the whole date.
    #[error("it has no {0}: a whole date is a year, with month and day or the day of the year")]
    Incomplete(&'static str),
    /// A digit after a number that has no fixed length.
    #[error("a digit may follow `{0}`, whose own digits would not end there: put a separator between them")]
    Unending(&'static str),
}

/// What a field tells.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Tells {
    Year,
    Month,
    Day,
    DayOfYear,
    Time,
}

impl Field {
    const ALL: [(&'static str, Field); 14] = [
        ("%Y", Field::Year),
        ("%y", Field::ShortYear),
        ("%m", Field::Month),
        ("%-m", Field::PlainMonth),
        ("%b", Field::ShortMonthName),
        ("%B", Field::MonthName),
        ("%d", Field::Day),
        ("%-d", Field::PlainDay),
        ("%j", Field::DayOfYear),
        ("%H", Field::Hour),
        ("%M", Field::Minute),
        ("%S", Field::Second),
        ("%f", Field::Fraction),
        ("%z", Field::Zone),
    ];

    fn tells(self) -> Tells {
        match self {
            Field::Year | Field::ShortYear => Tells::Year,
            Field::Month | Field::PlainMonth | Field::ShortMonthName | Field::MonthName => Tells::Month,
            Field::Day | Field::PlainDay => Tells::Day,
            Field::DayOfYear => Tells::DayOfYear,
            Field::Hour | Field::Minute | Field::Second | Field::Fraction | Field::Zone => Tells::Time,
        }
    }

    fn may_begin_with_digit(self) -> bool {
        !matches!(self, Field::ShortMonthName | Field::MonthName | Field::Zone)
    }

    fn is_unending(self) -> bool {
        matches!(self, Field::PlainMonth | Field::PlainDay | Field::Fraction)
    }

    fn name(self) -> &'static str {
        Self::ALL.iter().find(|(_, field)| *field == self).map_or("%", |(name, _)| name)
    }
}

pub(super) fn parse(format: &str) -> Result<Vec<Item>, DateFormatError> {
    let items = split(format)?;
    let fields: Vec<Field> = items.iter().filter_map(field_of).collect();
    for (index, &field) in fields.iter().enumerate() {
        let same = |other: &Field| match field.tells() {
            Tells::Time => *other == field,
            told => other.tells() == told,
        };
        if fields[..index].iter().any(same) {
            return Err(DateFormatError::Twice(field.name()));
        }
    }
    let told = |tells| fields.iter().any(|field| field.tells() == tells);
    match (told(Tells::Year), told(Tells::Month), told(Tells::Day), told(Tells::DayOfYear)) {
        (false, ..) => return Err(DateFormatError::Incomplete("year (`%Y`)")),
        (_, true, true, false) | (_, false, false, true) => {}
        (_, _, _, true) => return Err(DateFormatError::Twice("%j")),
        (_, false, _, _) => return Err(DateFormatError::Incomplete("month (`%m`)")),
        (_, _, false, _) => return Err(DateFormatError::Incomplete("day (`%d`)")),
    }
    for pair in items.windows(2) {
        let digit_follows = match &pair[1] {
            Item::Literal(literal) => literal.starts_with(|c: char| c.is_ascii_digit()),
            Item::Field(field) => field.may_begin_with_digit(),
        };
        if let Some(field) = field_of(&pair[0]).filter(|field| digit_follows && field.is_unending()) {
            return Err(DateFormatError::Unending(field.name()));
        }
    }
    Ok(items)
}

fn field_of(item: &Item) -> Option<Field> {
    match item {
        Item::Field(field) => Some(*field),
        Item::Literal(_) => None,
    }
}

/// Literals and fields in turn; no two literals stand side by side.
fn split(format: &str) -> Result<Vec<Item>, DateFormatError> {
    let mut items = Vec::new();
    let mut literal = String::new();
    let mut rest = format;
    while let Some((before, _)) = rest.split_once('%') {
        literal.push_str(before);
        rest = &rest[before.len()..];
        if let Some(after) = rest.strip_prefix("%%") {
            literal.push('%');
            rest = after;
            continue;
        }
        let Some(&(name, field)) = Field::ALL.iter().find(|(name, _)| rest.starts_with(name)) else {
            let unknown: String = rest.chars().take(if rest.starts_with("%-") { 3 } else { 2 }).collect();
            return Err(if unknown == "%" { DateFormatError::Open } else { DateFormatError::Unknown(unknown) });
        };
        if !literal.is_empty() {
            items.push(Item::Literal(std::mem::take(&mut literal)));
        }
        items.push(Item::Field(field));
        rest = &rest[name.len()..];
    }
    literal.push_str(rest);
    if !literal.is_empty() {
        items.push(Item::Literal(literal));
    }
    Ok(items)
}
