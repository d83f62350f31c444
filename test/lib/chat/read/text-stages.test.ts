/** The stages of a text: what they release and hold back is all of it, in any pieces; each step is pure (`runStage`). */
import * as fc from 'fast-check';
import type { ReceivedDelta } from '../../../../lib/chat/read/text-stages';
import {
	chain,
	frameThinking,
	getDeltaInterval,
	holdCalls,
	JOIN_DELTAS,
	maskSecrets,
	omitRepetition,
	splitThinking,
} from '../../../../lib/chat/read/text-stages';
import { runStage } from '../../../support/texts/run-stage';

const PIECES = [
	'<think>',
	'Hm',
	'</think>',
	'\n',
	'Hello',
	' {"',
	'<tool_call>',
	'<',
	'文',
	'sk-9',
];
const texts = fc.array(fc.constantFrom(...PIECES), { maxLength: 12 });
const OPTIONS = { callableNames: ['store'] };
const KEY = ['sk', '9f8e7d6c5b4a3210x'].join('-');

const toDelta = (content: string): ReceivedDelta => ({ content, reasoning: '', hasCalls: false });

/** What all stages of a response release of these deltas, and hold back to the end. */
function pass(deltas: readonly ReceivedDelta[]) {
	const stages = runStage(
		chain(chain(splitThinking(OPTIONS), holdCalls(OPTIONS)), maskSecrets([KEY])),
	);
	const released = [...deltas.map((delta) => stages.push(delta)), stages.end()];
	return {
		text: released.map(({ text }) => text).join(''),
		reasoning: released.map(({ reasoning }) => reasoning).join(''),
	};
}

test('a response has the same text and thinking in any pieces', () => {
	fc.assert(
		fc.property(texts, (pieces) => {
			const whole = pass([toDelta(pieces.join(''))]);
			const characters = [...pieces.join('')].map(toDelta);
			expect(pass(pieces.map(toDelta))).toEqual(whole);
			expect(pass(characters)).toEqual(whole);
		}),
	);
});

test('nothing of a text without marks is lost', () => {
	const words = fc.array(fc.constantFrom('Hi', ' ', '<', 'f', '[', '{', '"', 'sk-9f', '文'));
	fc.assert(
		fc.property(words, (pieces) => {
			const text = `A${pieces.join('')}`;
			expect(pass(['A', ...pieces].map(toDelta))).toEqual({ text, reasoning: '' });
		}),
	);
});

test.each([
	{ title: 'a tag', content: 'Hello <', held: '<' },
	{ title: 'a call', content: 'Hello <tool_call>', held: '<tool_call>' },
	{ title: 'a key', content: 'Hello sk-9f', held: 'sk-9f' },
	{ title: 'JSON that ends after its first bracket', content: '{"', held: '{"' },
])('what may become $title is held back', ({ content, held }) => {
	const stages = runStage(
		chain(chain(splitThinking(OPTIONS), holdCalls(OPTIONS)), maskSecrets([KEY])),
	);
	expect(stages.push(toDelta(content)).text + held).toBe(content);
	expect(stages.end().text).toBe(held);
});

test('thinking of a field and of the text is one, and a prefill is no output', () => {
	const stage = runStage(splitThinking({ prefill: 'One' }));
	expect(stage.push({ ...toDelta('One two'), reasoning: '' }).text).toBe(' two');
	const other = runStage(splitThinking({ prefill: 'One' }));
	const deltas = [
		{ ...toDelta(''), reasoning: '<think>Hm' },
		{ ...toDelta('so</think>One'), reasoning: '' },
	];
	expect(deltas.map((delta) => other.push(delta))).toEqual([
		{ text: '', reasoning: 'Hm' },
		{ text: 'One', reasoning: 'so' },
	]);
});

test('an attempt that repeats an earlier one is held back, until it differs', () => {
	const same = runStage(omitRepetition(['One.', 'One two.']));
	const push = (text: string) => same.push({ text, reasoning: 'Hm' });
	expect([push('One'), push('.')]).toEqual([
		{ text: '', reasoning: 'Hm' },
		{ text: '', reasoning: 'Hm' },
	]);
	expect(same.end().text).toBe('');
	expect(push(' Three.').text).toBe('One. Three.');
});

test.each([
	{ showsThinking: false, shown: ['', 'Yes'] },
	{ showsThinking: true, shown: ['<think>\nHm', '\n</think>\n\nYes'] },
])('thinking before a text, shown: $showsThinking', ({ showsThinking, shown }) => {
	const stage = runStage(frameThinking(showsThinking));
	const pieces = [
		{ text: '', reasoning: ' Hm' },
		{ text: 'Yes', reasoning: '' },
	];
	expect(pieces.map((piece) => stage.push(piece))).toEqual(shown);
	expect(stage.end()).toBe('');
});

test('a paragraph begins with its first output', () => {
	const { start } = frameThinking(true);
	const stage = runStage(frameThinking(true), { ...start, beginsParagraph: true });
	const outputs = ['', 'a', 'b'].map((text) => stage.push({ text, reasoning: ' ' }));
	expect(outputs).toEqual(['', '\n\na', 'b']);
});

test.each([
	{ streams: 1, intervalMs: 40 },
	{ streams: 16, intervalMs: 40 },
	{ streams: 17, intervalMs: 42.5 },
	{ streams: 40, intervalMs: 100 },
])('with $streams streams, a delta follows after $intervalMs ms', ({ streams, intervalMs }) => {
	expect(getDeltaInterval(streams)).toBe(intervalMs);
});

test('what arrives in a pause is one delta at its end', () => {
	const stage = runStage(JOIN_DELTAS);
	expect(stage.push({ text: 'a', isPaused: false })).toBe('a');
	expect(stage.push({ text: 'b', isPaused: true })).toBe('');
	expect(stage.push({ text: 'c', isPaused: true })).toBe('');
	expect(stage.end()).toBe('bc');
	expect(stage.push({ text: '', isPaused: false })).toBe('bc');
	expect(stage.end()).toBe('');
});
