//! The kernels by themselves, for their benchmark: it need not wait for the rest of the project.
#![deny(unsafe_code)]

/// As in the library.
#[path = "../../src/crypto"]
pub mod crypto {
    pub mod digest;
    pub mod encode;
    pub mod lanes;

    pub use digest::StreamDigest;
    pub use encode::TokenEncoding;
    pub use lanes::HmacKey;
}
