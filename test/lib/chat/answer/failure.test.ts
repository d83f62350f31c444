import {
	answerFailure,
	foreignLines,
	withPartialAnswer,
	foreignText,
} from '../../../../lib/chat/answer/failure';
import { Assembly } from '../../../../lib/chat/answer/assembly';
import type { AnswerFailure } from '../../../../lib/chat/answer/collector';
import { openAiProtocol } from '../../../../lib/chat/wire/openai';
import { failure } from '../../../../lib/errors/failure';
import { joined } from '../assemble';

const context = { url: 'http://llama:8080/v1/chat/completions' };
const failed = (more: Partial<AnswerFailure> = {}): AnswerFailure => ({
	kind: 'emptyAnswer',
	text: '',
	reasoning: '',
	...more,
});

describe('a failed answer', () => {
	it('keeps what had arrived, and has no fields for the rest', () => {
		expect(
			answerFailure(failed({ text: 'half', reasoning: 'hm' }), context, {}, undefined),
		).toMatchObject({
			partialText: 'half',
			partialReasoning: 'hm',
		});
		const empty = answerFailure(failed(), context, {}, undefined);
		expect([empty.partialText, empty.partialReasoning]).toEqual([undefined, undefined]);
	});

	it('that the token limit ended before any text says so', () => {
		const cut = failed({ facts: { finishReason: 'length' } });
		expect(answerFailure(cut, context, {}, undefined).remedy).toContain('The token limit ended it');
		expect(answerFailure(failed(), context, {}, undefined).remedy).not.toContain(
			'The token limit ended it',
		);
	});

	it('that ended early gets the advice of a server that is known to end early, other failures do not', () => {
		const advice = 'Look into its log.';
		expect(answerFailure(failed({ kind: 'streamEndedEarly' }), context, {}, advice).remedy).toBe(
			advice,
		);
		expect(answerFailure(failed(), context, {}, advice).remedy).not.toBe(advice);
	});

	it('names the limit that the thinking used up, except -1', () => {
		const remedy = (maxTokens: number, finishReason = 'length') =>
			answerFailure(
				failed({ kind: 'onlyThinking', facts: { finishReason } }),
				context,
				{ maxTokens },
				undefined,
			).remedy;
		expect(remedy(77)).toContain('(now 77)');
		expect(remedy(-1)).toMatch(/^Raise Maximum Tokens, /);
		expect(remedy(77, 'stop')).toContain('It ended there by itself');
	});

	it('names the tool whose call was broken', () => {
		const broken = failed({ kind: 'toolCallInvalid', tool: 'get_weather' });
		expect(answerFailure(broken, context, {}, undefined).message).toContain('"get_weather"');
	});
});

describe('JSON lines in place of events', () => {
	it('without an answer in them mean the API of another server', () => {
		expect(foreignLines(failed(), 'sse', 'ndjson', context)).toMatchObject({
			kind: 'invalidAnswer',
			remedy: expect.stringContaining('/api/chat') as string,
		});
	});

	it.each<[string, Parameters<typeof foreignLines>]>([
		['events', [failed(), 'sse', 'sse', context]],
		['nothing', [failed(), 'sse', undefined, context]],
		['lines where lines were wanted', [failed(), 'ndjson', 'ndjson', context]],
		['lines with text', [failed({ text: 'half' }), 'sse', 'ndjson', context]],
		['lines with thinking', [failed({ reasoning: 'hm' }), 'sse', 'ndjson', context]],
		['another failure', [failed({ kind: 'toolCallCut' }), 'sse', 'ndjson', context]],
	])('%s are not', (_what, given) => {
		expect(foreignLines(...given)).toBeUndefined();
	});
});

describe('a failure in the middle of an answer', () => {
	const begun = () => {
		const assembly = new Assembly();
		const data = JSON.stringify({ choices: [{ index: 0, delta: { content: 'half <thi' } }] });
		joined(assembly.push(openAiProtocol.decode({ event: 'message', data })));
		return assembly;
	};

	it('has what had arrived, what was held back included', () => {
		const error = withPartialAnswer(failure('idleLimit', context), begun());
		expect(error).toMatchObject({ kind: 'idleLimit', partialText: 'half <thi' });
	});

	it('of another class becomes a ServerError with its text', () => {
		expect(withPartialAnswer(new TypeError('bad piece'), begun())).toMatchObject({
			kind: 'invalidAnswer',
			serverText: 'bad piece',
			partialText: 'half <thi',
		});
		expect(withPartialAnswer('odd', begun()).serverText).toBe('odd');
	});
});

test('plain text instead of events is reported without the key that it contains', () => {
	const value = 'Zq7Kx3Vw9Rt2Yp5Lm8Nc';
	const given = {
		kind: 'streamEndedEarly',
		text: '',
		reasoning: '',
		serverText: `Refused: ${value}`,
	} as const;
	const context = { url: 'http://10.0.0.5:8080/v1', secrets: [value] };
	const failed = foreignText(given as Parameters<typeof foreignText>[0], 'text/plain', context);
	expect(failed).toMatchObject({ serverText: 'Refused: ***', partialText: 'Refused: ***' });
});
