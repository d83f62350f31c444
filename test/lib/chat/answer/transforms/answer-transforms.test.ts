/** Each transform of a whole answer by itself. */
import fc from 'fast-check';

import type { Chunk, StreamEnd, Transform } from '../../../../../lib/chat/answer/chunk';
import { arrivals } from '../../../../../lib/chat/answer/transforms/arrivals';
import { withoutFirstBlankLines } from '../../../../../lib/chat/answer/transforms/blank-lines';
import { callsInPieces } from '../../../../../lib/chat/answer/transforms/calls-in-pieces';
import { callsInText } from '../../../../../lib/chat/answer/transforms/calls-in-text';
import { callsInThinking } from '../../../../../lib/chat/answer/transforms/calls-in-thinking';
import { cutCalls } from '../../../../../lib/chat/answer/transforms/cut-calls';
import { grammarCalls } from '../../../../../lib/chat/answer/transforms/grammar-calls';
import { jsonInThinking } from '../../../../../lib/chat/answer/transforms/json-in-thinking';
import { loadingMessages } from '../../../../../lib/chat/answer/transforms/loading-messages';
import { missingReasons } from '../../../../../lib/chat/answer/transforms/missing-reasons';
import { otherChoices } from '../../../../../lib/chat/answer/transforms/other-choices';
import { withoutPrefill } from '../../../../../lib/chat/answer/transforms/prefill';
import { repeatedEnds } from '../../../../../lib/chat/answer/transforms/repeated-ends';
import { repeatedMessages } from '../../../../../lib/chat/answer/transforms/repeated-messages';
import { MAX_SLICE, slices } from '../../../../../lib/chat/answer/transforms/slices';
import { tagsInThinking } from '../../../../../lib/chat/answer/transforms/tags-in-thinking';
import { ThinkingInText } from '../../../../../lib/chat/answer/transforms/thinking-in-text';
import { wholeCharacters } from '../../../../../lib/chat/answer/transforms/whole-characters';
import { FAMILIES } from '../../../../../lib/chat/text-formats/families';
import { openAiProtocol } from '../../../../../lib/chat/wire/openai';
import { examples } from '../../../../support/properties';

const TOOLS = [{ name: 'w', parameters: { type: 'object', properties: {} } }];
const HERMES = FAMILIES.find(({ id }) => id === 'hermes');
const CALL = '<tool_call>\n{"name":"w","arguments":{}}\n</tool_call>';

function run(transform: Transform, chunks: Chunk[], end: StreamEnd = 'done'): Chunk[] {
	return [...chunks.flatMap((chunk) => transform.push(chunk)), ...transform.end(end)];
}
const textOf = (chunks: Chunk[]) => chunks.map(({ text = '' }) => text).join('');
const reasoningOf = (chunks: Chunk[]) => chunks.map(({ reasoning = '' }) => reasoning).join('');

it('other choices count only where the first never comes', () => {
	const others = [
		{ choice: 1, text: 'b' },
		{ choice: 1, text: 'c' },
	];
	expect(textOf(run(otherChoices(), [{ text: 'a' }, ...others]))).toBe('a');
	expect(textOf(run(otherChoices(), others))).toBe('bc');
});

it('a whole message behind deltas repeats them', () => {
	const out = run(repeatedMessages(), [{ text: 'a' }, { text: 'a', isMessage: true }]);
	expect(textOf(out)).toBe('a');
	expect(out[1]).toMatchObject({ repeatsCalls: true });
	expect(textOf(run(repeatedMessages(), [{ text: 'a', isMessage: true }]))).toBe('a');
});

it('the prefill goes, and text that only begins like it stays', () => {
	expect(textOf(run(withoutPrefill('Once'), [{ text: 'On' }, { text: 'ce upon' }]))).toBe(' upon');
	expect(textOf(run(withoutPrefill('Once'), [{ text: 'On' }, { text: 'ly' }]))).toBe('Only');
	expect(textOf(run(withoutPrefill('Once'), [{ text: 'On' }]))).toBe('On');
});

it('half a character waits for its other half', () => {
	const [first, second] = ['😀'.slice(0, 1), '😀'.slice(1)];
	expect(
		run(wholeCharacters(), [{ text: `a${first}` }, { text: second }]).map(({ text }) => text),
	).toEqual(['a', '😀', '']);
});

it('arrivals tell white space from words, and what comes after a reason', () => {
	const out = run(arrivals(), [{ text: ' ' }, { text: 'a', finishReason: 'stop' }, { text: 'b' }]);
	expect(out).toMatchObject([{ arrived: 'space' }, { arrived: 'words' }, { isAfterReason: true }]);
});

it('tags within thinking go', () => {
	expect(reasoningOf(run(tagsInThinking(), [{ reasoning: '<thi' }, { reasoning: 'nk>a' }]))).toBe(
		'a',
	);
});

it('thinking in the text is separated, and noted', () => {
	const out = run(new ThinkingInText(false, undefined), [
		{ text: '<think>a</think>' },
		{ text: 'b' },
	]);
	expect([reasoningOf(out), textOf(out)]).toEqual(['a', 'b']);
});

it('an answer about a tag that begins with it is text', () => {
	const chunks = [{ text: '<think> is a tag.' }, { finishReason: 'stop' }];
	const out = run(new ThinkingInText(false, undefined), chunks);
	expect(out.at(-1)).toMatchObject({ isLiteral: true, text: '<think> is a tag.' });
});

describe('JSON that was asked for', () => {
	const answerOf = (chunks: Chunk[]) => textOf(run(jsonInThinking(), chunks));

	it('is the answer where all of it came as thinking, in whatever pieces', () => {
		fc.assert(
			fc.property(fc.json(), fc.nat(), (json, place) => {
				const cut = place % (json.length + 1);
				const chunks = [{ reasoning: json.slice(0, cut) }, { reasoning: json.slice(cut) }];
				expect(run(jsonInThinking(), chunks).at(-1)).toEqual({ text: json, isLiteral: true });
			}),
			examples(100),
		);
	});

	it('is not looked for in thinking beside an answer or a call, or that is no JSON', () => {
		expect(answerOf([{ reasoning: '{}' }, { text: '[]' }])).toBe('[]');
		expect(answerOf([{ reasoning: '{}' }, { callsAreWhole: true }])).toBe('');
		expect(answerOf([{ reasoning: 'It is {}' }, { text: '\n' }])).toBe('\n');
	});
});

it('blank lines in front of the answer go, later ones stay', () => {
	const chunks = [{ text: '\n' }, { text: '\n\na' }, { text: '\n' }, { text: '\nb' }];
	expect(textOf(run(withoutFirstBlankLines(), chunks))).toBe('a\n\nb');
});

it('calls in pieces come out whole at the end', () => {
	const toolCalls = (args: string) => ({ toolCalls: [{ index: 0, name: 'w', arguments: args }] });
	const out = run(callsInPieces(['w']), [{ text: 'a' }, toolCalls('{'), toolCalls('}')]);
	expect(out.map(({ callsAreWhole }) => callsAreWhole)).toEqual([
		undefined,
		false,
		true,
		undefined,
	]);
	expect(out.at(-1)).toEqual({ calls: [{ name: 'w', arguments: '{}' }] });
	const cut = run(callsInPieces(['w']), [toolCalls('{'), { finishReason: 'length' }]);
	expect(cut.at(-1)).toMatchObject({ failedCall: { kind: 'toolCallCut' } });
});

it('whole calls are a reason where a server never sends one', () => {
	const [end] = missingReasons().push({ done: true, callsAreWhole: true });
	expect(end).toMatchObject({ finishReason: 'tool_calls' });
	expect(missingReasons().push({ done: true, callsAreWhole: false })[0]).not.toHaveProperty(
		'finishReason',
	);
	const known = missingReasons();
	known.push({ sendsReason: true });
	expect(known.push({ done: true, callsAreWhole: true })[0]).not.toHaveProperty('finishReason');
});

it('calls in the text come out at the end, beside no other call', () => {
	const end = { finishReason: 'stop' };
	const out = run(callsInText(TOOLS, HERMES, []), [{ text: CALL }, end]);
	expect(textOf(out)).toBe('');
	expect(out.at(-1)).toMatchObject({ callsInText: { calls: [{ name: 'w', arguments: '{}' }] } });
	const beside = run(callsInText(TOOLS, HERMES, []), [
		{ callsAreWhole: true },
		{ text: CALL },
		end,
	]);
	expect(textOf(beside)).toBe(CALL);
	expect(beside.at(-1)).toMatchObject({ unrunCall: { because: 'hasOthers' } });
});

it('a call in the thinking is noted', () => {
	const out = run(callsInThinking(TOOLS, HERMES), [{ reasoning: CALL }]);
	expect(out.at(-1)).toMatchObject({ unrunCall: { name: 'w', because: 'inThinking' } });
});

it('a cut call that arrives as text is not shown', () => {
	const text = '{"name": "w", "argum';
	const out = run(cutCalls(TOOLS), [{ text, finishReason: 'length' }]);
	expect(out).toEqual([{ text: '', hiddenText: text, finishReason: 'length' }, { cutCall: 'w' }]);
	expect(run(cutCalls(TOOLS), [{ text, finishReason: 'stop' }])).toHaveLength(1);
});

it('the whole text once more at the end is dropped', () => {
	const chunks = [{ text: 'The sky is blue, ' }, { text: 'and the sea.' }];
	const whole = { text: 'The sky is blue, and the sea.', finishReason: 'stop' };
	expect(textOf(run(repeatedEnds(), [...chunks, whole]))).toBe(whole.text);
	expect(textOf(run(repeatedEnds(), [{ text: 'ha' }, { text: 'ha', finishReason: 'stop' }]))).toBe(
		'haha',
	);
});

it('loading messages of llama-swap are no part of the answer', () => {
	const message = (reasoning: string) =>
		openAiProtocol.decode({
			data: JSON.stringify({ choices: [{ delta: { reasoning_content: reasoning } }] }),
		});
	const chunks = [message('━━━\n'), message('Done! (1.5s)\n'), { text: 'a' }];
	expect(run(loadingMessages(), chunks)).toEqual([{ text: 'a', loadMs: 1500 }]);
	expect(run(loadingMessages(), [message('I think')])).toHaveLength(1);
});

describe('a thought that comes apart', () => {
	const THOUGHT = 'I have a secret plan, and nobody may know of it';
	const rest = (text: string) => `${text}\n</think>\n\nThe answer.`;

	it('is not shown, wherever it is cut within a sentence', () => {
		for (let cut = 1; cut < THOUGHT.length; cut++) {
			const late = rest(THOUGHT.slice(cut));
			for (const pieces of [[late], late.split('')]) {
				const chunks = [{ reasoning: THOUGHT.slice(0, cut) }, ...pieces.map((text) => ({ text }))];
				const out = run(new ThinkingInText(false, undefined), chunks);
				// White space at the end of the first part ends its sentence, as far as anybody can tell.
				if (THOUGHT[cut - 1] === ' ') continue;
				expect([reasoningOf(out), textOf(out)]).toEqual([`${THOUGHT}\n`, 'The answer.']);
			}
		}
	});

	it('an ordinary answer behind thinking is shown as it comes', () => {
		for (const [reasoning, text] of [
			['I think', 'The answer'],
			['I think.', ' The answer'],
			['I think', '\n\nthe answer'],
			['I think\n', 'the answer'],
		]) {
			const transform = new ThinkingInText(false, undefined);
			transform.push({ reasoning });
			expect(textOf(transform.push({ text })).trim()).toBe(text!.trim());
		}
	});
});

it('long texts come in slices, the last of which has the other fields', () => {
	const long = 'a'.repeat(2.5 * MAX_SLICE);
	const chunk: Chunk = { text: long, reasoning: long, arrived: 'words', finishReason: 'stop' };
	const out = run(slices(), [chunk]);
	expect([reasoningOf(out), textOf(out)]).toEqual([long, long]);
	expect(out.every(({ text = '', reasoning = '' }) => (text + reasoning).length <= MAX_SLICE)).toBe(
		true,
	);
	const last = { ...chunk, text: long.slice(2 * MAX_SLICE), reasoning: '' };
	expect(out.map(({ finishReason }) => finishReason).filter(Boolean)).toEqual(['stop']);
	expect(out.at(-1)).toEqual(last);
	const short: Chunk = { text: 'a', finishReason: 'stop' };
	expect(run(slices(), [short])).toEqual([short]);
});

describe('the calls of LocalAI’s own grammar', () => {
	const piecesOf = (text: string, size: number): Chunk[] =>
		Array.from({ length: Math.ceil(text.length / size) }, (_, index) => ({
			text: text.slice(index * size, (index + 1) * size),
		}));
	const ends: Chunk = { finishReason: 'tool_calls' };
	const sizes = fc.integer({ min: 1, max: 20 });

	it('a call is no text, and a call of its tool "answer" is the answer', () => {
		fc.assert(
			fc.property(sizes, fc.string({ minLength: 1 }), fc.boolean(), (size, message, isAnswer) => {
				const args = JSON.stringify(isAnswer ? { message } : { city: message });
				const name = isAnswer ? 'answer' : 'w';
				const call = { index: 0, id: 'x', name, arguments: args };
				const written = piecesOf(`{ "arguments": ${args} ,"name": "${name}"`, size);
				const out = run(grammarCalls(['w'])!, [...written, { toolCalls: [call] }, ends]);
				// Text that was held back until it was known whether it is thinking comes behind the calls.
				const late = run(grammarCalls(['w'])!, [{ toolCalls: [call] }, ends, ...written]);
				expect(textOf(late)).toBe(textOf(out));
				expect(textOf(out)).toBe(isAnswer ? message : '');
				expect(out.flatMap(({ toolCalls = [] }) => toolCalls)).toEqual(isAnswer ? [] : [call]);
				expect(out.at(-2)!.finishReason).toBe(isAnswer ? 'stop' : 'tool_calls');
			}),
			examples(200),
		);
	});

	it('text without a call stays, whatever its pieces', () => {
		const begins = fc.constantFrom('', '{', '{ "arguments": {"a"', '{"arg": 1}', ' {"name": "w"');
		fc.assert(
			fc.property(begins, fc.string(), sizes, (begin, rest, size) => {
				const out = run(grammarCalls(['w'])!, piecesOf(begin + rest, size));
				expect(textOf(out)).toBe(begin + rest);
			}),
			examples(200),
		);
	});

	it('an offered tool "answer", and one without a message, is called', () => {
		const call = { index: 0, name: 'answer', arguments: '{"message":"Hi"}' };
		const [offered] = run(grammarCalls(['answer'])!, [{ toolCalls: [call] }]);
		expect(offered!.toolCalls).toEqual([call]);
		const other = { ...call, arguments: '{"a":1}' };
		expect(run(grammarCalls(['w'])!, [{ toolCalls: [other] }])[0]!.toolCalls).toEqual([other]);
		expect(grammarCalls([])).toBeUndefined();
	});
});
