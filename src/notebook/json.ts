/*
 * JSON as notebooks and kernels need it: nothing a document says is changed by reading and writing it again. Plain
 * JSON.parse turns 1.0 into 1, 12345678901234567890 into 12345678901234567000, -0.0 into 0, and puts keys that look
 * like array indices first; Python also writes bare NaN and Infinity, which it refuses.
 */

export * from './json-reader';
export * from './json-value';
export * from './json-writer';
