//! PURE. Signals of hubs are read strictly, and what the center says is written in one form.

pub mod requests;
pub mod said;
pub mod signals;
