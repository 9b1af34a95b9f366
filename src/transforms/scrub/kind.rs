//! What can be searched for.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

macro_rules! kinds {
    ($($(#[doc = $doc:literal])+ $kind:ident = $name:literal,)+) => {
        /// Something that text may hold and that has a form of its own.
        ///
        /// Of two kinds that could claim the same characters the one further up gives its name.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
        #[non_exhaustive]
        pub enum Kind {
            $($(#[doc = $doc])+ #[serde(rename = $name)] $kind,)+
        }

        impl Kind {
            /// All of them, in order.
            pub const ALL: &'static [Kind] = &[$(Kind::$kind,)+];

            /// The word for it in a policy.
            pub const fn name(self) -> &'static str {
                match self { $(Kind::$kind => $name,)+ }
            }
        }
    };
}

// each states: form, check, where it comes from, and how often digits of the right form pass by chance
kinds! {
    /// Keys of AWS, GitHub, GitLab, Google, npm, OpenAI, PyPI, SendGrid, Slack, Stripe, by prefix, alphabet and length
    /// as each of them documents; PEM private keys (RFC 7468), to the end of the text if their end is missing.
    ApiKey = "api_key",
    /// JSON web tokens: RFC 7515 and RFC 7516 in compact form, whose header is JSON with `alg`.
    Jwt = "jwt",
    /// E-mail addresses: RFC 5322 dot-atoms with RFC 6531 letters, or short quoted strings, `@`, host of two labels or
    /// more that ends in letters (RFC 5321, RFC 5890).
    Email = "email",
    /// International bank account numbers: ISO 13616, lengths of the SWIFT registry, release 101; 1 in 97.
    Iban = "iban",
    /// Payment card numbers of 13 to 19 digits: ISO/IEC 7812, Luhn and the issuers' ranges and lengths; 1 in 10.
    Card = "card",
    /// IP addresses: four decimal octets without leading zeros, or RFC 4291 section 2.2.
    Ip = "ip",
    /// Italy, codice fiscale: Decreto ministeriale 23 dicembre 1976, check letter, month letter, omocodia; 1 in 26.
    ItCodiceFiscale = "it_codice_fiscale",
    /// France, numéro d'inscription au répertoire: INSEE, key 97 - n mod 97, `2A` as 19 and `2B` as 18; 1 in 97.
    FrNir = "fr_nir",
    /// Finland, henkilötunnus: Digital and Population Data Services Agency, date and check character mod 31; 1 in 31.
    FiHetu = "fi_hetu",
    /// Spain, número de identidad de extranjero: Orden INT/2058/2008, letter mod 23; 1 in 23.
    EsNie = "es_nie",
    /// Spain, documento nacional de identidad: Real Decreto 1553/2005, letter mod 23; 1 in 23.
    EsDni = "es_dni",
    /// Brazil, cadastro de pessoas físicas: Receita Federal, two check digits mod 11; 1 in 100.
    BrCpf = "br_cpf",
    /// Norway, fødselsnummer and D-nummer: Skatteetaten, date and two check digits mod 11; 1 in 500.
    NoFodselsnummer = "no_fodselsnummer",
    /// Poland, PESEL: Ustawa o ewidencji ludności, date with century and weights 1 3 7 9; 1 in 50.
    PlPesel = "pl_pesel",
    /// Germany, steuerliche Identifikationsnummer: § 139b AO, ISO/IEC 7064 MOD 11,10, one digit of the first ten twice
    /// or three times; 1 in 300.
    DeSteuerId = "de_steuer_id",
    /// Sweden, personnummer and samordningsnummer: Skatteverket, SKV 704, date and Luhn; 1 in 130.
    SePersonnummer = "se_personnummer",
    /// India, Aadhaar: UIDAI, "A UID Numbering Scheme", 2010, Verhoeff; 1 in 13.
    InAadhaar = "in_aadhaar",
    /// United Kingdom, NHS number: NHS Data Dictionary, mod 11; 1 in 11.
    UkNhs = "uk_nhs",
    /// Netherlands, burgerservicenummer: RvIG, elfproef; 1 in 11.
    NlBsn = "nl_bsn",
    /// Canada, social insurance number: Service Canada, Luhn; 1 in 11.
    CaSin = "ca_sin",
    /// United States, social security number: SSA POMS RM 10201.035, no check digit, so with separators only.
    UsSsn = "us_ssn",
    /// United Kingdom, national insurance number: HMRC NIM39110, upper-case, no check digit.
    UkNino = "uk_nino",
    /// Denmark, CPR number: CPR-kontoret, date; its check digit fell in 2007, so with the hyphen only.
    DkCpr = "dk_cpr",
    /// Telephone numbers: `+` and what libphonenumber calls possible (ITU-T E.164); North American ones with
    /// separators; national ones of `phone_regions`, which libphonenumber calls valid.
    Phone = "phone",
}

impl Kind {
    /// The kind of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|kind| kind.name() == name)
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kind_is_written_as_it_is_called() {
        for &kind in Kind::ALL {
            assert_eq!(serde_json::to_value(kind).unwrap(), kind.name());
            assert_eq!(Kind::from_name(kind.name()), Some(kind));
        }
        assert_eq!(Kind::from_name("Email"), None);
    }
}
