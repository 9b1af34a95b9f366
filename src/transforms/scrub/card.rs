//! Payment card numbers.

use super::checksums::{luhn, number};
use super::groups::{Before, Groups, Separator, is_word};

/// Issuer ranges by leading digits (first, last), and the lengths that each issues.
///
/// As "Payment card number" lists them from the networks' own publications and ISO/IEC 7812.
const ISSUERS: &[(u64, u64, &[usize])] = &[
    (2200, 2205, &[16, 17, 18, 19]),         // Mir
    (2221, 2720, &[16]),                     // Mastercard
    (300, 305, &[14, 15, 16, 17, 18, 19]),   // Diners Club
    (3095, 3095, &[14, 15, 16, 17, 18, 19]), // Diners Club
    (34, 34, &[15]),                         // American Express
    (3528, 3589, &[16, 17, 18, 19]),         // JCB
    (36, 36, &[14, 15, 16, 17, 18, 19]),     // Diners Club
    (37, 37, &[15]),                         // American Express
    (38, 39, &[14, 15, 16, 17, 18, 19]),     // Diners Club
    (4, 4, &[13, 16, 19]),                   // Visa
    (50, 50, &[13, 14, 15, 16, 17, 18, 19]), // Maestro, Verve, RuPay, Dankort
    (51, 55, &[16]),                         // Mastercard
    (56, 58, &[13, 14, 15, 16, 17, 18, 19]), // Maestro
    (60, 60, &[16, 17, 18, 19]),             // Discover, RuPay
    (62, 62, &[16, 17, 18, 19]),             // UnionPay, Discover
    (63, 63, &[13, 14, 15, 16, 17, 18, 19]), // Maestro, InstaPayment, InterPayment
    (644, 659, &[16, 17, 18, 19]),           // Discover, RuPay, Troy, Verve
    (67, 67, &[13, 14, 15, 16, 17, 18, 19]), // Maestro
    (81, 82, &[16, 17, 18, 19]),             // UnionPay, RuPay
    (9792, 9792, &[16]),                     // Troy
];

/// The end of the longest card number that begins with these groups, in one piece or in groups of two digits or more
/// with the same space or hyphen between them.
pub(super) fn find(bytes: &[u8], before: Before, groups: &Groups) -> Option<usize> {
    if matches!(before, Before::Letter | Before::Decimal) {
        return None;
    }
    let all = groups.groups();
    let separator = all.first()?.after.filter(|after| matches!(after, Separator::Space | Separator::Hyphen));
    // how many of the groups hang together
    let joined = 1 + all.iter().take_while(|group| separator.is_some() && group.after == separator).count();
    let together = &all[..joined.min(all.len())];
    let short = together.iter().position(|group| group.len < 2).unwrap_or(together.len());
    (together[..short].iter().rev())
        .filter(|group| (13..=19).contains(&group.total))
        .filter(|group| group.after != Some(Separator::Dot) && !is_word(bytes.get(group.end)))
        .find(|group| is_card(groups.digits(group.total)))
        .map(|group| group.end)
}

fn is_card(digits: &[u8]) -> bool {
    let is_issued = ISSUERS.iter().any(|&(first, last, lens)| {
        let leading = number(&digits[..first.ilog10() as usize + 1]);
        (first..=last).contains(&leading) && lens.contains(&digits.len())
    });
    is_issued && luhn(digits)
}
