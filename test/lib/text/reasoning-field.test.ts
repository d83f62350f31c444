/** Thinking in a field of its own, with the tags that some servers leave in it: what comes of it, however it is cut. */
import path from 'node:path';
import fc from 'fast-check';
import { READ_REASONING_FIELD } from '../../../lib/text/reasoning-field';
import { expectApproved } from '../../support/approved/approved-table';
import { runStage } from '../../support/texts/run-stage';

/** What is known to be thinking after each delta, and at the end. */
const read = (deltas: readonly string[]) => {
	const field = runStage(READ_REASONING_FIELD);
	return [...deltas.map((delta) => field.push(delta)), field.end()];
};

const PIECES = ['<think>', '</think>', '<th', '</th', ' ', '\n', 'Hm', 'ink>', '<', '</', '>'];

const TEXTS = [
	'Hm',
	'<think>Hm</think>',
	'\n<think>\nHm\n</think>\n',
	' \n',
	'<think>',
	'<think></think>',
	'</think>',
	'Hm <think> so',
	'Hm </think> so',
	'Hm</think></think>',
	'<think><think>Hm',
	'<thinking>Hm</thinking>',
	'<th',
	'<thanks>Hm',
	'Hm</th',
	'Hm</think> \n ',
	`Hm</think>${' '.repeat(300)}`,
];

test('each text has its thinking, as a whole and letter by letter', () => {
	const rows = TEXTS.map((text) => ({
		input: JSON.stringify(text).replace(/ {300}/, '300 blanks'),
		outcome: `${JSON.stringify(read([text]))} | ${read([...text]).join('|')}`
			.replaceAll(/ {200,}/g, ({ length }) => `${length} blanks`)
			.replaceAll('\n', '⏎'),
	}));
	expectApproved(
		path.join(__dirname, 'reasoning-field.approved.txt'),
		rows,
		'Thinking in a field is read the same, however it is cut',
	);
});

test('the thinking does not depend on how it is cut', () => {
	fc.assert(
		fc.property(fc.array(fc.constantFrom(...PIECES), { maxLength: 6 }), (pieces) => {
			const whole = read([pieces.join('')]).join('');
			expect(read(pieces).join('')).toBe(whole);
			expect(read([...pieces.join('')]).join('')).toBe(whole);
		}),
	);
});
