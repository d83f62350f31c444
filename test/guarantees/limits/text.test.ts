import { extractJson } from '../../../lib/text/extract-json';
import { splitReasoning } from '../../../lib/text/reasoning';
import { repairJson } from '../../../lib/text/literals';
import { decideTextCalls } from '../../../lib/text/calls/decide-text-calls';
import { withoutCallMarkup } from '../../../lib/text/calls/without-call-markup';
import { RunawayDetector } from '../../../lib/text/runaway';
import { testLimit } from '../../support/jest/limits';

/** A thousand characters without repetition: output is checked once it has so many. */
const START = Array.from({ length: 250 }, (_none, at) => `${at + 100}x`).join('');

/** A piece without repetition that is longer than the longest piece that is looked for. */
const LONG_PIECE = Array.from({ length: 600 }, (_none, at) => `${at + 1_000}y`).join('');

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
	outcome: (count) => stateAfter('界面'.repeat(count).slice(0, count)),
	...RUNAWAY,
});
testLimit('lib/text/runaway.ts#MAX_PERIOD', {
	limit: 2_000,
	outcome: (length) => stateAfter(LONG_PIECE.slice(0, length).repeat(30)),
	within: 'runaway',
	beyond: 'normal',
});
testLimit('lib/text/runaway.ts#MAX_REPEATED_IN_STRING', {
	limit: 8_000,
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
testLimit('lib/text/runaway.ts#MAX_EQUAL_ROWS', {
	limit: 131_072,
	outcome: (count) => stateAfter('A'.repeat(count)),
	...RUNAWAY,
});

testLimit('lib/text/calls/limits.ts#MAX_VALUES', {
	// The list of so many elements has one comma less, and its key a colon.
	limit: 5_000,
	outcome: (count) => {
		const list = `[${'1,'.repeat(count - 1)}1]`;
		const decision = decideTextCalls({
			text: `<tool_call>{"name":"add","arguments":{"list":${list}}}</tool_call>`,
			tools: ['add'],
			isCutOff: false,
			hasEnded: true,
			findQuotation: () => undefined,
		});
		return decision.calls.length;
	},
	within: 1,
	beyond: 0,
});

testLimit('lib/text/literals.ts#MAX_DEPTH', {
	limit: 50,
	outcome: (depth) => repairJson(`${"{'a':".repeat(depth)}1${'}'.repeat(depth)}`) !== undefined,
	within: true,
	beyond: false,
});

testLimit('lib/text/literals.ts#MAX_VALUES', {
	limit: 100_000,
	// The list is a value itself.
	outcome: (count) => repairJson(`[${"'',".repeat(count - 1)}]`) !== undefined,
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
			hasEnded: true,
			findQuotation: () => undefined,
		}).calls.length > 0,
	within: true,
	beyond: false,
});
testLimit('lib/text/calls/limits.ts#MAX_RESPONSE_WITH_CALLS', {
	limit: 512 * 1024,
	of: 'characters',
	outcome: (length) =>
		decideTextCalls({
			text: `\n${toCalls(1)}`.padStart(length, 'word '),
			tools: ['f'],
			isCutOff: false,
			hasEnded: true,
			findQuotation: () => undefined,
		}).calls.length,
	within: 1,
	beyond: 0,
});
testLimit('lib/text/calls/without-call-markup.ts#MAX_MARKS', {
	limit: 100,
	outcome: (count) => {
		const text = `${'[TOOL_CALLS]'.repeat(count - 1)} <tool_call>{"name":"f"`;
		return withoutCallMarkup(text) === text;
	},
	within: false,
	beyond: true,
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
