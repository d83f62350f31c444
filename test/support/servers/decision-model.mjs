/**
 * Writes a decision model for the real llama-server: the model with random weights, whose metadata say that it decides. Its
 * answers have the form of a trained one.
 */
import { readFileSync, writeFileSync } from 'node:fs';

const ALIGNMENT = 32;
/** Magic, version, and number of tensors, before the number of pairs. */
const COUNT_AT = 16;
const HEADER_SIZE = 24;
const STRING_TYPE = 8;

const METADATA = {
	'llama.decision.type': 'openjev',
	'tokenizer.chat_template.systemone': '{{ state }} {{ question }} {{ options }}',
};

/** @param {number} value */
const u64 = (value) => Buffer.from(BigUint64Array.of(BigInt(value)).buffer);

/** @param {string} text */
const string = (text) => Buffer.concat([u64(Buffer.byteLength(text)), Buffer.from(text)]);

/** @param {string} key @param {string} value */
const pair = (key, value) =>
	Buffer.concat([string(key), Buffer.from(Uint32Array.of(STRING_TYPE).buffer), string(value)]);

/**
 * Pairs are added before the others, as many bytes that the tensors stay aligned.
 *
 * @param {string} source a GGUF file of a llama without them
 * @param {string} file
 */
export const writeDecisionModel = (source, file) => {
	const bytes = readFileSync(source);
	const pairs = Object.entries(METADATA).map(([key, value]) => pair(key, value));
	const size = pairs.reduce((sum, { length }) => sum + length, pair('general.filler', '').length);
	const filler = pair('general.filler', ' '.repeat((ALIGNMENT - (size % ALIGNMENT)) % ALIGNMENT));
	const count = Number(bytes.readBigUInt64LE(COUNT_AT)) + pairs.length + 1;
	const header = Buffer.concat([bytes.subarray(0, COUNT_AT), u64(count)]);
	writeFileSync(file, Buffer.concat([header, ...pairs, filler, bytes.subarray(HEADER_SIZE)]));
};
