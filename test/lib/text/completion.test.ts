import fc from 'fast-check';

import { CompletionAssembly } from '../../../lib/text/completion';
import { recordedEvents } from '../../support/recorded';

function assembled(events: readonly unknown[]) {
	const assembly = new CompletionAssembly();
	const pieces = events.map((event) => assembly.push(event));
	return { assembly, pieces, result: assembly.result };
}
const parsed = (line: string): unknown => (line === '[DONE]' ? line : JSON.parse(line));
const recorded = (file: string) => assembled(recordedEvents(file).map(parsed));

test('llama-server v0.5.0, /completion', () => {
	const { assembly, pieces, result } = recorded('llama-server-v0.5.0/native-stream');
	expect(assembly.ended).toBe(true);
	expect(result).toMatchObject({
		text: pieces.join(''),
		stopType: 'limit',
		truncated: false,
		usage: {
			promptTokens: expect.any(Number) as number,
			cachedTokens: expect.any(Number) as number,
		},
		timings: { predicted_n: expect.any(Number) as number },
		model: 'smollm2',
	});
	expect(result.text).not.toBe('');
});

test('llama-server v0.5.0: the stop sequence that ended it', () => {
	expect(recorded('llama-server-v0.5.0/native-stop-word-stream').result).toMatchObject({
		stopType: 'word',
		stoppingWord: expect.stringMatching(/./) as string,
	});
});

test('llama-server v0.5.0, /v1/completions', () => {
	expect(recorded('llama-server-v0.5.0/v1-stream').result).toMatchObject({
		text: expect.stringContaining('Paris') as string,
		usage: { promptTokens: expect.any(Number) as number },
	});
	expect(recorded('llama-server-v0.5.0/native-empty-prompt-stream').result).toMatchObject({
		text: '',
	});
});

test.each([
	['stopped_word', 'word'],
	['stopped_limit', 'limit'],
	['stopped_eos', 'eos'],
])('ik_llama.cpp and older llama-servers, %s', (flag, stopType) => {
	const flags = { stopped_word: false, stopped_limit: false, stopped_eos: false, [flag]: true };
	const last = { content: '', stop: true, ...flags, tokens_evaluated: 5, tokens_predicted: 3 };
	expect(assembled([{ content: 'Paris', stop: false }, last]).result).toMatchObject({
		text: 'Paris',
		stopType,
		usage: { promptTokens: 5, completionTokens: 3 },
	});
});

test('Ollama 0.17.4, /api/generate and /v1/completions', () => {
	expect(recorded('ollama-v0.17.4/generate-stream')).toMatchObject({
		assembly: { ended: true },
		result: {
			text: 'The original sentence is',
			stopType: 'limit',
			usage: { completionTokens: 4 },
			timings: { load_ms: expect.closeTo(30.2, 1) as number },
		},
	});
	expect(recorded('ollama-v0.17.4/generate-raw').result.text).toBe('-good_in');
	expect(recorded('ollama-v0.17.4/v1-completions-stream').result).toMatchObject({
		text: 'The original sentence',
		stopType: 'limit',
	});
	expect(recorded('ollama-v0.17.4/generate-stream').result).not.toHaveProperty('context');
});

test('Ollama 0.17.4: its runner died in the middle', () => {
	const { assembly } = recorded('ollama-v0.17.4/generate-stream-runner-killed');
	expect(assembly).toMatchObject({
		ended: false,
		error: expect.stringContaining('unexpected EOF') as string,
	});
});

test.each([
	[{ error: { message: 'slot unavailable', code: 500 } }, 'slot unavailable'],
	[{ error: 'runner died' }, 'runner died'],
	[{ error: { code: 7 } }, '{"code":7}'],
	[{ object: 'error', message: 'no', code: 400 }, 'no'],
	[
		{
			choices: [
				{ text: '', finish_reason: 'error', error: { code: 502, message: 'Upstream died' } },
			],
		},
		'Upstream died',
	],
	[{ choices: [{ text: '', finish_reason: 'abort' }] }, 'finish_reason: abort'],
])('the error %j', (event, said) => {
	expect(assembled([event]).assembly.error).toBe(said);
});

test('an event that is none of a completion is told from one without text', () => {
	expect(assembled([{ id: 1 }, 'x', null, []]).pieces).toEqual([
		undefined,
		undefined,
		undefined,
		undefined,
	]);
	expect(assembled([{ choices: [] }, { choices: [{ text: '' }] }, '[DONE]']).pieces).toEqual([
		'',
		'',
		'',
	]);
});

test('nothing that a server may send breaks it', () => {
	const keys = ['content', 'response', 'choices', 'error', 'usage', 'timings', 'stop', 'done'];
	fc.assert(
		fc.property(fc.array(fc.dictionary(fc.constantFrom(...keys), fc.jsonValue())), (events) => {
			const { pieces, result } = assembled(events);
			expect(result.text).toBe(pieces.map((piece) => piece ?? '').join(''));
		}),
	);
});
