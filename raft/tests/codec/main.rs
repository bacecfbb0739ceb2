//! The codec reads back what it writes, agrees with another implementation of the schema, and survives any bytes.

mod arbitrary;
mod errors;
mod gogoproto;
mod raftpb;
mod round_trip;
