//! What signs a value: `HMAC-SHA256` under a subkey, through the links of a chain, or as an interoperable scheme has it.

use argon2::{Algorithm, Argon2, Params, Version};
use arrow::array::{Array, BinaryArray};
use zeroize::Zeroizing;

use super::TransformError;
use super::keyed::RowKeys;
use super::spec::Scheme;
use super::subkeys::Keys;
use super::tokens::CHUNK;
use crate::crypto::lanes::HmacKey;
use crate::crypto::{Secret, hkdf_sha256};

/// The purpose under which the subkeys of pseudonyms are derived.
pub const PURPOSE: &str = "pseudonym";
/// The purpose of the further links of a chain.
const CHAIN: &str = "chain";

/// From a value to the bytes of its token.
///
/// - the first link signs the value, each further one the bytes of the one before, cut to the token's length
///   (TOKENS.md section 5);
/// - a scheme may put a constant before each value.
#[derive(Debug, Clone)]
pub struct Signer {
    first: HmacKey,
    further: Vec<HmacKey>,
    before: Vec<u8>,
    /// Bytes that a link hands to the next.
    bytes: usize,
}

impl Signer {
    /// One link.
    pub fn new(key: HmacKey) -> Self {
        Self { first: key, further: Vec::new(), before: Vec::new(), bytes: 32 }
    }

    /// The links of `keys` for `domain` and `tenant`: tokens of `bits` bits.
    ///
    /// # Errors
    /// A key that does not serve.
    pub fn chain(keys: &Keys, domain: &str, tenant: &str, bits: u16) -> Result<Self, String> {
        let mut links = keys.links().zip(std::iter::once(PURPOSE).chain(std::iter::repeat(CHAIN)));
        let mut link = || {
            let (source, purpose) = links.next()?;
            Some(source.subkey(purpose, domain, tenant, 32).map(|subkey| HmacKey::new(subkey.expose())))
        };
        let first = link().ok_or("no key")??;
        let further = std::iter::from_fn(link).collect::<Result<_, _>>()?;
        Ok(Self { first, further, before: Vec::new(), bytes: usize::from(bits) / 8 })
    }

    /// The token of one value; only its first bytes, as many as it was made for, count.
    pub fn sign(&self, value: &[u8]) -> [u8; 32] {
        let mut token = if self.before.is_empty() {
            self.first.sign(value)
        } else {
            self.first.sign(&[&self.before, value].concat())
        };
        for link in &self.further {
            token = link.sign(&token[..self.bytes]);
        }
        token
    }

    /// `out[i]` = the token of `values[offsets[i]..offsets[i + 1]]`, as [`HmacKey::sign_many`].
    pub fn sign_many(&self, offsets: &[i32], values: &[u8], out: &mut [[u8; 32]]) {
        if self.before.is_empty() {
            self.first.sign_many(offsets, values, out);
        } else {
            self.sign_behind(offsets, values, out);
        }
        if self.further.is_empty() {
            return;
        }
        let mut stored = Vec::with_capacity(CHUNK * self.bytes);
        let steps: Vec<i32> = (0..=CHUNK).map(|link| (link * self.bytes) as i32).collect();
        for out in out.chunks_mut(CHUNK) {
            for link in &self.further {
                stored.clear();
                out.iter().for_each(|token| stored.extend_from_slice(&token[..self.bytes]));
                link.sign_many(&steps[..=out.len()], &stored, out);
            }
        }
    }

    /// The values, each behind the constant.
    fn sign_behind(&self, offsets: &[i32], values: &[u8], out: &mut [[u8; 32]]) {
        let mut gathered = Vec::new();
        let mut ends = Vec::with_capacity(CHUNK + 1);
        for (out, offsets) in out.chunks_mut(CHUNK).zip(offsets.windows(2).collect::<Vec<_>>().chunks(CHUNK)) {
            gathered.clear();
            ends.clear();
            ends.push(0);
            for pair in offsets {
                gathered.extend_from_slice(&self.before);
                gathered.extend_from_slice(&values[pair[0] as usize..pair[1] as usize]);
                ends.push(gathered.len() as i32);
            }
            self.first.sign_many(&ends, &gathered, out);
        }
    }
}

/// Values of one key that are gathered and signed at one go.
const GATHERED: usize = 4096;

/// Signs every value under its row's key: those of `rows`, which are part of `values`.
///
/// # Errors
/// None today; the loop that it is called from can fail.
pub(super) fn sign_rows(keys: &RowKeys<'_, Signer>, values: &BinaryArray) -> Result<Vec<[u8; 32]>, TransformError> {
    let mut digests = vec![[0; 32]; values.len()];
    if let RowKeys::One(key) = keys {
        key.sign_many(values.value_offsets(), values.value_data(), &mut digests);
        return Ok(digests);
    }
    let (mut offsets, mut gathered, mut signed) = (Vec::new(), Vec::new(), vec![[0; 32]; GATHERED]);
    for (key, rows) in keys.groups() {
        for rows in rows.chunks(GATHERED) {
            offsets.clear();
            offsets.push(0);
            gathered.clear();
            for &row in rows {
                gathered.extend_from_slice(values.value(row));
                // a part of an array, whose own offsets are as wide
                offsets.push(gathered.len() as i32);
            }
            let signed = &mut signed[..rows.len()];
            key.sign_many(&offsets, &gathered, signed);
            rows.iter().zip(signed).for_each(|(&row, signed)| digests[row] = *signed);
        }
    }
    Ok(digests)
}

const NO_CHAIN: &str = "a key chain moves the tokens of the scheme `lakeveil` only";

/// The scheme `hmac-sha256`: the root is the key, the value the message (TOKENS.md section 4).
pub(super) fn hmac_sha256(keys: &Keys) -> Result<Signer, String> {
    if keys.is_chain() {
        return Err(NO_CHAIN.to_owned());
    }
    keys.newest().root(Scheme::HmacSha256).map(|root| Signer::new(HmacKey::new(root.expose())))
}

/// The scheme of kelora 2's `pseudonym(value, domain)` (TOKENS.md section 4).
pub(super) struct Kelora {
    master: Secret,
}

impl Kelora {
    /// Bytes of a token: 24 characters of base64url.
    #[cfg(test)]
    const BYTES: usize = 18;

    /// The master key: Argon2id (RFC 9106), 64 MiB, three passes, one lane.
    pub fn new(keys: &Keys) -> Result<Self, String> {
        if keys.is_chain() {
            return Err(NO_CHAIN.to_owned());
        }
        let root = keys.newest().root(Scheme::Kelora)?;
        let failed = |error: argon2::Error| format!("Argon2id of the key's secret: {error}");
        let params = Params::new(65_536, 3, 1, Some(32)).map_err(failed)?;
        let mut master = Zeroizing::new(vec![0; 32]);
        Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
            .hash_password_into(root.expose(), b"kelora:v1:master", &mut master)
            .map_err(failed)?;
        Ok(Self { master: Secret::new(master) })
    }

    /// The signer of a domain: HMAC-SHA256(domain key, domain || value).
    pub fn signer(&self, domain: &str) -> Result<Signer, String> {
        let mut key = Zeroizing::new([0; 32]);
        hkdf_sha256(self.master.expose(), None, format!("kelora:v1:{domain}").as_bytes(), &mut *key);
        Ok(Signer { before: domain.as_bytes().to_vec(), ..Signer::new(HmacKey::new(&*key)) })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use serde_json::json;

    use super::super::subkeys::SubkeySource;
    use super::super::testing::{Root, built, companion, keys, one};
    use super::*;
    use crate::crypto::vectors::{self, unhex};

    #[test]
    fn every_pseudonym_of_the_known_answers_comes_out() {
        for case in vectors::cases::<vectors::Pseudonym>("pseudonym") {
            let encoding = if case.encoding == "binary" { "hex" } else { &case.encoding };
            let mut spec = json!({ "domain": case.domain, "bits": case.bits, "encoding": encoding,
                                   "accept_collisions": true });
            if !case.tenant.is_empty() {
                spec["tenant"] = json!({ "column": "tenant" });
            }
            let built = built(json!({ "pseudonym": spec }), &keys(&case.root_hex)).unwrap();
            let companions: Vec<&str> = built.companions.iter().map(|_| case.tenant.as_str()).collect();
            let made = one(&built, &case.canonical_utf8, &companions);
            assert_eq!(made.as_deref(), Some(case.token.as_str()), "{case:?}");
        }
    }

    #[test]
    fn every_chain_of_the_known_answers_comes_out_one_by_one_and_many_at_once() {
        for case in vectors::cases::<vectors::Chain>("chain") {
            let link = |root: &String| Arc::new(Root(Secret::new(unhex(root)))) as Arc<dyn SubkeySource>;
            let keys = Keys::chain(case.roots_hex.iter().map(link).collect()).unwrap();
            let signer = Signer::chain(&keys, &case.domain, &case.tenant, case.bits).unwrap();
            let bytes = usize::from(case.bits) / 8;
            assert_eq!(signer.sign(case.canonical_utf8.as_bytes())[..bytes], unhex(&case.hex), "{case:?}");
            let values: Vec<Option<&str>> = vec![Some(case.canonical_utf8.as_str()); 2 * CHUNK + 3];
            let values = companion(values);
            let mut many = vec![[0; 32]; values.len()];
            signer.sign_many(values.value_offsets(), values.value_data(), &mut many);
            assert!(many.iter().all(|token| token[..bytes] == unhex(&case.hex)), "{case:?}");
        }
    }

    #[test]
    fn the_scheme_hmac_sha256_has_the_known_answers_in_full_length() {
        for case in vectors::cases::<vectors::HmacSha256>("hmac_sha256") {
            for (encoding, token) in [("hex", &case.hex), ("base64", &case.base64)] {
                let spec = json!({ "pseudonym": { "scheme": "hmac-sha256", "encoding": encoding } });
                let built = built(spec, &keys(&case.root_hex)).unwrap();
                assert_eq!(one(&built, &case.canonical_utf8, &[]).as_ref(), Some(token), "{case:?}");
            }
        }
    }

    #[test]
    fn the_scheme_kelora_has_the_tokens_of_kelora_2_2_1() {
        let keys = keys(&data_encoding::HEXLOWER.encode(b"correct horse battery staple kelora"));
        let master = Kelora::new(&keys).unwrap();
        let expected = unhex("7c290cd0f39e99e0cafc22b205d46574220bc9d19360824c3558fb17a5d27149");
        assert_eq!(master.master.expose(), expected);
        for case in vectors::cases_of::<vectors::Kelora>("kelora-2.2.1.json", "pseudonym") {
            let signer = master.signer(&case.domain).unwrap();
            let token = |bytes: &[u8; 32]| data_encoding::BASE64URL_NOPAD.encode(&bytes[..Kelora::BYTES]);
            assert_eq!(token(&signer.sign(case.value.as_bytes())), case.token, "{case:?}");
            let values = companion(vec![Some(case.value.as_str()); CHUNK + 1]);
            let mut many = vec![[0; 32]; values.len()];
            signer.sign_many(values.value_offsets(), values.value_data(), &mut many);
            assert!(many.iter().all(|bytes| token(bytes) == case.token), "{case:?}");
        }
    }

    #[test]
    fn a_chain_serves_the_scheme_lakeveil_only() {
        let link = || Arc::new(Root(Secret::new(vec![7; 32]))) as Arc<dyn SubkeySource>;
        let keys = Keys::chain(vec![link(), link()]).unwrap();
        for spec in [json!({ "scheme": "hmac-sha256" }), json!({ "scheme": "kelora", "domain": "users" })] {
            assert!(built(json!({ "pseudonym": spec }), &keys).is_err());
        }
    }
}
