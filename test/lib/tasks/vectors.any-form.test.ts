/** Vectors, indexes and counts from responses of any form, and vectors that are shortened. */
import {
	getZeroWarnings,
	matchTextIndexes,
	parseTokenCount,
	parseVectors,
	truncateVector,
} from '../../../lib/tasks/vectors';
import { runAtOnce } from '../../../lib/http/steps';
import type { JsonRecord } from '../../../lib/values/records';
import { expectApproved } from '../../support/approved/approved-table';
import { combine } from '../../support/approved/outcome';
import path from 'node:path';

const readVectors = (json: JsonRecord | unknown[], count: number) =>
	runAtOnce(parseVectors(json, count));

const toBase64 = (...values: number[]): string =>
	Buffer.from(new Float32Array(values).buffer).toString('base64');

/** Vectors as an entry of a list has them. */
const VECTORS: Readonly<Record<string, unknown>> = {
	numbers: [1, 0.5],
	'numbers as text': ['1', '0.5'],
	'JSON text': '[1, 0.5]',
	base64: toBase64(1, 0.5),
	'no base64': 'abc',
	'an empty text': '',
	'no numbers': [],
	null: null,
	words: ['one'],
	'a list of vectors': [
		[1, 0.5],
		[0.5, 1],
	],
	objects: [{ index: 1, value: 0.5 }],
	zeros: [0, 0],
	'zeros of 32 bits': [1e-60, 0],
	'too large for 32 bits': [1e39, 1],
	'one more number': [1, 0.5, 2],
	'by type': { float: [1, 0.5] },
};

/** A response with two vectors, the second one as the row says. */
const FORMS: Readonly<Record<string, (vector: unknown) => JsonRecord | unknown[]>> = {
	OpenAI: (vector) => ({
		data: [
			{ index: 0, embedding: [1, 2] },
			{ index: 1, embedding: vector },
		],
	}),
	Ollama: (vector) => ({ embeddings: [[1, 2], vector] }),
	TEI: (vector) => [[1, 2], vector],
};

/** Indexes of two or three entries, undefined: without one. */
const INDEXES: ReadonlyArray<readonly unknown[]> = [
	[0, 1],
	[1, 0],
	[1, 2],
	[2, 1],
	['0', '1'],
	[undefined, undefined],
	[0, undefined],
	[0, 0],
	[1, 1],
	[0, 2],
	[2, 3],
	[-1, 0],
	[0.5, 1],
	['x', 'y'],
	[2],
	[0, 1, 2],
	[1, 2, 3],
];

test('each form of a response with each kind of vector', () => {
	const rows = combine({ form: Object.keys(FORMS), vector: Object.keys(VECTORS) }).map(
		({ form, vector }) => ({
			input: `${form}, ${vector}`,
			outcome: readVectors(FORMS[form]!(VECTORS[vector]), 2),
		}),
	);
	const entries = (indexes: readonly unknown[], name: string) =>
		indexes.map((index, at) => ({ [name]: index, embedding: [at + 1] }));
	for (const name of ['index', 'textIndex', 'document_index', 'CorpusId', 'position'])
		for (const indexes of name === 'index' ? INDEXES : INDEXES.slice(1, 3))
			for (const count of new Set([2, indexes.length])) {
				const list = entries(indexes, name);
				rows.push({
					input: `${name} ${JSON.stringify(indexes)} of ${count}`,
					outcome: [readVectors({ data: list }, count), matchTextIndexes(list, count)] as never,
				});
			}
	const others: Readonly<Record<string, JsonRecord | unknown[]>> = {
		'one vector alone': { embedding: [1, 2] },
		'a list of another name': { sentences: [[1], [2]] },
		'a list inside': { body: { answer: { items: [[1], [2]] } } },
		'a list too far inside': { a: { b: { c: { d: { e: [[1], [2]] } } } } },
		'two lists of other names': { one: [[1], [2]], two: [[3], [4]] },
		'a list of numbers of another name': { list: [1, 2] },
		nothing: {},
		'an empty list': { data: [] },
		'one too few': { data: [{ embedding: [1] }] },
	};
	for (const [input, json] of Object.entries(others))
		for (const count of [1, 2])
			rows.push({ input: `${input}, ${count}`, outcome: readVectors(json, count) });
	expectApproved(
		path.join(__dirname, 'vectors.any-form.approved.txt'),
		rows,
		'A vector belongs to its text, in any form of a response',
	);
});

test('each count of tokens, each length, and nearly empty vectors', () => {
	const counts = combine({
		prompt: [undefined, 3, 0, '3'],
		total: [undefined, 5],
		evaluated: [undefined, 7],
	}).map(({ prompt, total, evaluated }) => {
		const json = {
			usage: { prompt_tokens: prompt, total_tokens: total },
			prompt_eval_count: evaluated,
		};
		return { input: JSON.stringify(json), outcome: parseTokenCount(json) };
	});
	const shortened = combine({
		vector: [
			[3, 4, 12],
			[0, 0, 1],
			[3, 4],
		],
		dimensions: [undefined, 1, 2, 3, 4],
	}).map(({ vector, dimensions }) => ({
		input: `${JSON.stringify(vector)} to ${dimensions}`,
		outcome: truncateVector([...vector], dimensions),
	}));
	const toVector = (nonZeros: number, length: number): number[] =>
		Array.from({ length }, (_none, at) => (at < nonZeros ? 1 : 0));
	const warnings = combine({ nonZeros: [0, 1, 2, 9, 10, 11], length: [10, 100] }).map(
		({ nonZeros, length }) => ({
			input: `${nonZeros} of ${length} numbers are not zero`,
			outcome: getZeroWarnings([toVector(length, length), toVector(nonZeros, length)]),
		}),
	);
	expectApproved(
		path.join(__dirname, 'vectors.any-form.numbers.approved.txt'),
		[...counts, ...shortened, ...warnings],
		'Counts and lengths of vectors are exact',
	);
});
