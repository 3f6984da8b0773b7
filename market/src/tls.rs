//! Which cryptography `wss://` and `https://` use.

/// Makes ring the provider of this process, unless the program chose one before.
pub(crate) fn install_provider() {
    // The only error there is: somebody installed a provider already, and that one serves as well.
    let _ = rustls::crypto::ring::default_provider().install_default();
}
