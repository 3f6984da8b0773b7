//! The files a deployment is made of, held against what they speak of: the
//! tables, the programs' variables, the licenses, a real private cluster.

mod files;

mod graphql;
mod metadata;
mod tracked;

mod compose;
mod image;
mod licenses;
mod scripts;
