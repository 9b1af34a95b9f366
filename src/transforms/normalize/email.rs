//! `email`: the address's local part as it is, its domain in the one ASCII form of UTS #46.
use idna::uts46::{AsciiDenyList, ErrorPolicy, Hyphens, Uts46, verify_dns_length};

use super::text::is_white_space;
use super::{Change, Reason};

const UTS46: Uts46 = Uts46::new();

/// `local@domain`, the last `@` splitting, gives `local@ToASCII(domain)` (UTS #46 section 4.2, non-transitional).
///
/// UTS #46 leaves flags to its user. Here they are those of host names that can receive mail (RFC 5321 section 4.1.2):
/// - UseSTD3ASCIIRules: letters, digits and hyphens. So `<a@b.example>` and `a@b.example;` are errors, not further
///   identifiers beside `a@b.example`.
/// - Of CheckHyphens the first and the last place of a label; hyphens in the third and fourth place are in real use.
/// - CheckBidi, CheckJoiners, VerifyDnsLength (labels of 1 to 63 bytes, 253 in all).
/// - One trailing dot, the DNS root's, is dropped: with and without it the domain is the same.
pub(super) fn canonical(source: &str, out: &mut String) -> Result<Change, Reason> {
    let (local, domain) = source.rsplit_once('@').ok_or(Reason::EmailWithoutAt)?;
    if local.is_empty() || domain.is_empty() {
        return Err(Reason::EmailWithEmptySide);
    }
    if source.chars().any(is_white_space) {
        return Err(Reason::EmailWithWhiteSpace);
    }
    out.push_str(local);
    out.push('@');
    let start = out.len();
    push_ascii_domain(domain, out).ok_or(Reason::EmailDomain)?;
    if !verify_dns_length(&out[start..], true) {
        return Err(Reason::EmailDomain);
    }
    if out.ends_with('.') {
        out.pop();
    }
    Ok(Change::Written)
}

fn push_ascii_domain(domain: &str, out: &mut String) -> Option<()> {
    use idna::uts46::ProcessingSuccess::{Passthrough, WroteToSink};
    let to_ascii = |_: &[char], _: &[char], _: bool| false;
    let result = UTS46.process(
        domain.as_bytes(),
        AsciiDenyList::STD3,
        Hyphens::CheckFirstLast,
        ErrorPolicy::FailFast,
        to_ascii,
        out,
        None,
    );
    match result.ok()? {
        Passthrough => out.push_str(domain),
        WroteToSink => {}
    }
    Some(())
}
