/** Reading the labels of a completion takes a time that is linear in its length, whatever the model writes. */
import { LabelSet } from '../../../lib/tasks/labels';
import { cpuMilliseconds } from '../../support/measures/cpu-time';

const LABELS = Array.from({ length: 62 }, (_none, index) => ({
	name: index === 61 ? 'É 61' : `Étiquette number ${index}`,
	description: `What belongs to ${index}. `.repeat(40),
}));
const KEYS = new LabelSet(LABELS, true).keys;
/** Of all forms together; most of them took more than a second before. */
const MAX_CPU_MS = 500;
/** Just below the limit of a text that is read as a whole. */
const LENGTH = 1_900_000;

/** A text of many parts, each written differently. */
function fill(part: (index: number) => string): string {
	const parts: string[] = [];
	for (let length = 0, index = 0; length < LENGTH; index++) {
		const text = part(index);
		length += text.length + 1;
		parts.push(text);
	}
	return parts.join('\n');
}

/** A name in as many spellings as wanted. */
function respell(name: string, index: number): string {
	return [...name]
		.map((letter, at) =>
			((index * 2_654_435_761) >>> (at % 32)) & 1 ? letter.toUpperCase() : letter.toLowerCase(),
		)
		.join('');
}

/** Quotes, stars and underscores around a name, in as many ways as wanted. */
function wrap(name: string, index: number): string {
	const marks = Array.from({ length: 12 }, (_none, at) => '"*_`'[(index >>> (2 * at)) & 3]!);
	return `${marks.join('')}${name}`;
}

test.each<[string, string]>([
	['names in other quotes', fill((index) => wrap('É 61', index * 7_919))],
	['names in other cases', fill((index) => respell(LABELS[61]!.name, index))],
	[
		'names with blanks around them',
		fill((index) => `${' '.repeat(index % 500)}${LABELS[61]!.name}${'.'.repeat(index % 19)}`),
	],
	['keys with their names', fill((index) => `${KEYS[61]!}: ${respell(LABELS[61]!.name, index)}`)],
	[
		'keys with their lines',
		fill((index) => `${KEYS[61]!} - ${respell(LABELS[61]!.description.trim(), index)}`),
	],
	['a list in JSON', JSON.stringify(fill((index) => respell(LABELS[61]!.name, index)).split('\n'))],
	[
		'an object in JSON',
		JSON.stringify(
			Object.fromEntries(
				fill((index) => `label${index}`)
					.split('\n')
					.map((name) => [name, 'A']),
			),
		),
	],
	['punctuation alone', '!'.repeat(LENGTH)],
	['quotes around a name', `${'"'.repeat(LENGTH / 2)}A${'"'.repeat(LENGTH / 2)}`],
	['blanks and a mark', ' .'.repeat(LENGTH / 2)],
	['an answer that is announced for ever', 'the answer is '.repeat(LENGTH / 14)],
	['a key without its line', `A:${' '.repeat(LENGTH)}`],
	['code blocks', '```\n'.repeat(LENGTH / 4)],
	['one line', 'A and '.repeat(LENGTH / 6)],
])('the time to read labels is short: %s', (_name, text) => {
	for (const isMultiLabel of [false, true]) {
		const set = new LabelSet(LABELS, isMultiLabel);
		// Other work only adds time.
		const times = [1, 2, 3].map(() => cpuMilliseconds(() => void set.parse(text)));
		expect(Math.min(...times)).toBeLessThan(MAX_CPU_MS);
	}
});

test('the tokens of a completion are found at its end, without a search in all of it', () => {
	const set = new LabelSet(LABELS, false);
	const thinking = Array.from({ length: 8_000 }, () => ({
		token: 'a'.repeat(1_000),
		top_logprobs: [],
	}));
	const options = ['A', 'B'].map((token) => ({ token, logprob: Math.log(0.5) }));
	const tokens = [...thinking, { token: 'A', top_logprobs: options }];
	expect(set.computeScores(tokens, 'A', [0])?.[0]?.slice(0, 3)).toEqual([0.5, 0.5, 0]);
	const wrong = `b${'a'.repeat(1_000_000)}`;
	expect(cpuMilliseconds(() => void set.computeScores(tokens, wrong, [0]))).toBeLessThan(
		MAX_CPU_MS,
	);
});
