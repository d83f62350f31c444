import { extractJson } from '../../../lib/text/extract-json';
import { splitReasoning } from '../../../lib/text/reasoning';
import { decideTextCalls } from '../../../lib/text/calls/decide-text-calls';
import { repairJson } from '../../../lib/text/literals';
import { RunawayDetector } from '../../../lib/text/runaway';
import { testLimit } from '../../support/limits';

/** A thousand characters without repetition: output is checked once it has so many. */
const START = Array.from({ length: 250 }, (_none, at) => `${at + 100}x`).join('');

/** The state after a beginning and an end. */
function stateAfter(end: string, start = START, isJson = false): string {
	const detector = new RunawayDetector(isJson);
	detector.push(start);
	detector.push(end);
	detector.push('');
	return detector.state;
}
const jsonStateAfter = (end: string) => stateAfter('', `{"a":"${START}${end}`, true);
const RUNAWAY = { within: 'normal', beyond: 'runaway' } as const;

testLimit('lib/text/runaway.ts#MAX_BLANKS', {
	limit: 2_000,
	outcome: (count) => stateAfter(' '.repeat(count)),
	...RUNAWAY,
});
testLimit('lib/text/runaway.ts#MAX_BLANKS', {
	limit: 2_000,
	of: 'wide blanks',
	outcome: (count) => stateAfter('\u3000'.repeat(count)),
	...RUNAWAY,
});
testLimit('lib/text/runaway.ts#MAX_REPEATED', {
	limit: 16_000,
	isExclusive: true,
	outcome: (count) => stateAfter('界面'.repeat(count).slice(0, count)),
	...RUNAWAY,
});
testLimit('lib/text/runaway.ts#MAX_PERIOD', {
	limit: 64,
	outcome: (length) => stateAfter(START.slice(0, length).repeat(300)),
	within: 'runaway',
	beyond: 'normal',
});
testLimit('lib/text/runaway.ts#MAX_REPEATED_IN_STRING', {
	limit: 8_000,
	isExclusive: true,
	outcome: (count) => jsonStateAfter('界面'.repeat(count).slice(0, count)),
	...RUNAWAY,
});
testLimit('lib/text/runaway.ts#MAX_BLANKS_IN_JSON', {
	limit: 500,
	outcome: (count) => jsonStateAfter(`",${' '.repeat(count)}`),
	...RUNAWAY,
});
testLimit('lib/text/runaway.ts#MAX_DIGITS', {
	limit: 400,
	outcome: (count) => jsonStateAfter(`","b":${'7'.repeat(count)}`),
	...RUNAWAY,
});
testLimit('lib/text/runaway.ts#MAX_AT_LIMIT', {
	limit: 100,
	outcome: (count) => {
		const detector = new RunawayDetector();
		detector.push(`text${' '.repeat(count)}`);
		return detector.endsInRepetition();
	},
	within: false,
	beyond: true,
});
testLimit('lib/text/runaway.ts#MAX_BASE64_ZEROS', {
	limit: 131_072,
	outcome: (count) => stateAfter('A'.repeat(count)),
	...RUNAWAY,
});

testLimit('lib/text/literals.ts#MAX_DEPTH', {
	limit: 50,
	outcome: (depth) => repairJson(`${"{'a':".repeat(depth)}1${'}'.repeat(depth)}`) !== undefined,
	within: true,
	beyond: false,
});

testLimit('lib/text/extract-json.ts#MAX_VALIDATED', {
	limit: 10,
	outcome: (place) => {
		const values = Array.from({ length: place }, (_none, at) => `{"at":${at + 1}}`);
		const isLast = (value: unknown) => (value as { at: number }).at === place;
		return extractJson(values.join(' and '), (value) => (isLast(value) ? [] : ['no'])).type;
	},
	within: 'valid',
	beyond: 'invalid',
});
testLimit('lib/text/extract-json.ts#MAX_PARSED', {
	limit: 200,
	// The whole text is the first part that is parsed.
	outcome: (count) => extractJson(`${'{x} '.repeat(count - 2)}{"a":1}`, () => []).type,
	within: 'valid',
	beyond: 'invalid',
});
testLimit('lib/text/extract-json.ts#MAX_CHARACTERS', {
	limit: 2_000_000,
	isExclusive: true,
	// A text with a bracket that stays open is read to its end.
	outcome: (length) => {
		const rest = ' {"a":1}';
		const open = `[${'界'.repeat(length - 1 - rest.length)}${rest}`;
		return extractJson(open, () => []).type;
	},
	within: 'valid',
	beyond: 'invalid',
});

const toCalls = (count: number) =>
	Array.from(
		{ length: count },
		(_none, at) => `<tool_call>{"name":"f","arguments":{"at":${at}}}</tool_call>`,
	).join('\n');

testLimit('lib/text/calls/limits.ts#MAX_CALLS', {
	limit: 100,
	outcome: (count) =>
		decideTextCalls({
			text: toCalls(count),
			tools: ['f'],
			isCutOff: false,
			isQuotation: () => false,
		}).calls.length > 0,
	within: true,
	beyond: false,
});
testLimit('lib/text/reasoning.ts#MAX_MENTIONS', {
	limit: 20,
	// A text with more mentions of the closing tag is about it, so its thinking does not end there.
	outcome: (count) =>
		splitReasoning(`${'the tag `</think>` '.repeat(count)}</think>\nanswer`, true).text.trim() ===
		'answer',
	within: true,
	beyond: false,
});
