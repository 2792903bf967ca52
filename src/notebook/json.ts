/*
 * JSON for notebooks and kernels: reading and writing a document changes nothing. JSON.parse turns 1.0 into 1,
 * 12345678901234567890 into 12345678901234567000, -0.0 into 0, and moves keys that look like array indices to the
 * front; it also rejects the bare NaN and Infinity that Python writes.
 */

export * from './json-reader';
export * from './json-value';
export * from './json-writer';
