//! The kernels with unsafe code, by themselves: see README.md.
#![deny(unsafe_code)]

/// As in the library.
#[path = "../../src/crypto"]
pub mod crypto {
    pub mod digest;
    pub mod lanes;

    pub use digest::StreamDigest;
    pub use lanes::HmacKey;
}
