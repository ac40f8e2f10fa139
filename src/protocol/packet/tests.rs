//! Packet drives against a scripted transport.
