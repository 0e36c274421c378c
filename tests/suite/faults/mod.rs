//! Whatever breaks, every click that was answered with a redirect is in the store in the end, once.

mod clock;
mod damage;
mod disk_full;
mod nodes;
mod poison;
mod postgres;
mod redis;
