//! The cryptography behind TLS, which has to be chosen once in a process.

use rustls::crypto::{CryptoProvider, ring};

/// Makes `ring` the process-wide cryptography of rustls, unless another one was chosen before.
///
/// Every HTTP client of this crate is built without a choice of its own, and building one before this call panics.
/// Calling it again does nothing.
pub fn install_crypto_provider() {
    if CryptoProvider::get_default().is_none() {
        // An error means that another thread was faster, and then there is a provider.
        let _ = ring::default_provider().install_default();
    }
}
