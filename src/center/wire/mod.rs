//! PURE. Signals of hubs and words of providers are read strictly, and what the center says is written in one form.

pub mod outcomes;
pub mod requests;
pub mod said;
pub mod signals;
