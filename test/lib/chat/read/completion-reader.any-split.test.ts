/** A response is the same completion, and shows the same, however its text arrives. */
import * as fc from 'fast-check';
import { readdirSync } from 'node:fs';
import path from 'node:path';
import { CompletionReader } from '../../../../lib/chat/read/completion-reader';
import type { ReaderOptions } from '../../../../lib/chat/read/completion-reader';
import { isNightly } from '../../../support/jest/properties';
import { collectLiterals } from '../../../support/texts/pattern-literals';

const TOKEN = ']<]minimax[>[';

/** Parts of responses that a reader looks for, and others like them. */
const PARTS: readonly string[] = [
	'<think>Hm.</think>',
	'<seed:think>Hm.</seed:think>',
	'<|START_THINKING|>Hm.<|END_THINKING|>',
	'[THINK]Hm.[/THINK]',
	'<|channel>thought\n',
	'<channel|>',
	'analysisI look.',
	'assistantfinal',
	'final<|message|>',
	'<|start|>assistant<|channel|>commentary to=functions.list<|message|>{}<|call|>',
	'<tool_call>{"name":"list","arguments":{}}</tool_call>',
	'<tool_call>list\n{"a":1}</tool_call>',
	'</tool_call>',
	`${TOKEN}</tool_call>`,
	'<|tool_calls_section_end|>',
	'[TOOL_REQUEST]{"name":"list","arguments":{}}[END_TOOL_REQUEST]',
	'[END_TOOL_REQUEST]',
	'[TOOL_CALLS]list[ARGS]{"a":1}',
	'{"name":"list","arguments":{"a":1}}',
	'<|im_end|>',
	'<|im_end|>\n<|im_start|>',
	'[e~[',
	'</s>',
	'```json\n{"a":1}\n```',
	'Hello',
	' ',
	'\n',
	'a < b [c',
	'<',
	'[',
	']',
];

/** The completion of a response in pieces, and all that was shown of it. */
function accumulate(pieces: readonly string[], options: ReaderOptions) {
	const reader = new CompletionReader(options);
	const shown = pieces.map((content) =>
		reader.push(JSON.stringify({ choices: [{ delta: { content } }] })),
	);
	reader.push('{"choices":[{"delta":{},"finish_reason":"stop"}]}');
	const { rest, completion } = reader.end();
	const outputs = [...shown, rest];
	return {
		completion,
		shownText: outputs.map(({ text }) => text).join(''),
		shownReasoning: outputs.map(({ reasoning }) => reasoning).join(''),
	};
}

/** Compares a response that arrives at once with the same response in pieces. */
function expectSame(text: string, pieces: readonly string[], options: ReaderOptions) {
	const whole = accumulate([text], options);
	const split = accumulate(pieces, options);
	expect({ response: pieces, ...split.completion }).toEqual({
		response: pieces,
		...whole.completion,
	});
	// Blanks at the end of what was shown before a call or a mark are not taken back.
	expect(split.shownText.trimEnd()).toBe(split.completion.text.trimEnd());
	expect(split.shownReasoning).toBe(split.completion.reasoning);
}

const SETTINGS: ReadonlyArray<{ title: string; options: ReaderOptions }> = [
	{ title: 'with tools', options: { callableNames: ['list'] } },
	{ title: 'without tools', options: {} },
	{ title: 'where the prompt may begin the thinking', options: { mayStartInReasoning: true } },
];

test.each(SETTINGS)('any split of a response gives the same completion: $title', ({ options }) => {
	const responses = fc.array(fc.constantFrom(...PARTS), { maxLength: 4 });
	const cuts = fc.array(fc.nat(300), { maxLength: 20 });
	fc.assert(
		fc.property(responses, cuts, fc.boolean(), (parts, places, isEachCharacter) => {
			const text = parts.join('');
			const ends = isEachCharacter
				? Array.from({ length: text.length }, (_, index) => index + 1)
				: [...new Set(places.map((place) => place % (text.length + 1)))].sort((a, b) => a - b);
			const pieces = [...ends, text.length].map((end, index) =>
				text.slice(ends[index - 1] ?? 0, end),
			);
			expectSame(text, pieces, options);
		}),
		{ numRuns: 1000 },
	);
});

/** What the readers of texts look for, from their own patterns. */
const MARKS: readonly string[] = ['lib/text', 'lib/text/calls', 'lib/chat/read'].flatMap((folder) =>
	readdirSync(folder)
		.filter((file) => file.endsWith('.ts'))
		.flatMap((file) => collectLiterals(path.join(folder, file))),
);

/** A mark alone, at the end of a text, within one, and before what a call may contain. */
const PLACES: ReadonlyArray<readonly [before: string, after: string]> = [
	['', ''],
	['Hello ', ''],
	['Hello ', ' world.\n'],
	['Hi.\n', '{"name":"list","arguments":{"a":1}}'],
];

describe.each(SETTINGS)('a border in a mark changes nothing: $title', ({ options }) => {
	// All of them each night.
	const marks = [...PARTS, ...MARKS.filter((_mark, at) => isNightly || at % 32 === 0)];
	test.each([...new Set(marks)])('%j', (mark) => {
		for (const [before, after] of PLACES) {
			for (let at = 0; at <= mark.length; at++)
				expectSame(
					`${before}${mark}${after}`,
					[before + mark.slice(0, at), mark.slice(at) + after],
					options,
				);
		}
	});
});
