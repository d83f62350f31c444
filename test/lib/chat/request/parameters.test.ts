import {
	checkParameters,
	dependsOnServerKind,
	ignoredParameters,
	parameterFields,
	takes,
} from '../../../../lib/chat/request/parameters';
import type { ChatParameters } from '../../../../lib/chat/types';
import type { KindName } from '../../../../lib/servers/kinds';
import { SAMPLER_ENTRIES } from '../../../../lib/chat/request/samplers';
import { ServerError } from '../../../../lib/errors/server-error';

const KINDS: KindName[] = ['llamaServer', 'ollama', 'vllm', 'other'];

describe('whether the kind of server matters', () => {
	it.each<[ChatParameters]>([
		[{}],
		[
			{
				temperature: 0,
				topP: 0.5,
				seed: 1,
				stop: ['x'],
				maxTokens: 5,
				presencePenalty: 0,
				frequencyPenalty: 0,
			},
		],
		[{ thinking: { mode: 'serverDefault' } }],
		[{ responseFormat: { type: 'text' } }],
		[{ responseFormat: { type: 'jsonObject' } }],
		[{ extraBody: { top_k: 1 } }],
	])('not for %j', (parameters) => {
		expect(dependsOnServerKind(parameters)).toBe(false);
	});

	it.each<[ChatParameters]>([
		[{ topK: 0 }],
		[{ minP: 0.1 }],
		[{ repeatPenalty: 1 }],
		[{ mirostat: 0 }],
		[{ parallelToolCalls: false }],
		[{ thinking: { mode: 'off' } }],
		[{ thinking: { mode: 'budget', tokens: 5 } }],
		[{ responseFormat: { type: 'jsonSchema', schema: {} } }],
		[{ responseFormat: { type: 'grammar', grammar: 'x' } }],
		[{ maxTokens: -1 }],
	])('for %j', (parameters) => {
		expect(dependsOnServerKind(parameters)).toBe(true);
	});
});

describe('what a server ignores', () => {
	it('is named by the labels of the node', () => {
		const parameters: ChatParameters = {
			temperature: 1,
			topK: 1,
			thinking: { mode: 'budget', tokens: 1 },
			responseFormat: { type: 'grammar', grammar: 'x' },
		};
		expect(ignoredParameters(parameters, 'llamaServer')).toEqual([]);
		expect(ignoredParameters(parameters, 'other')).toEqual([]);
		expect(ignoredParameters(parameters, 'vllm')).toEqual(['Thinking Token Budget']);
		expect(ignoredParameters(parameters, 'ollama')).toEqual([
			'Thinking Token Budget',
			'GBNF Grammar',
		]);
	});

	it('what only one kind of server knows is kept from all others, and named', () => {
		const parameters: ChatParameters = {
			contextSize: 1,
			keepAlive: 1,
		};
		expect(ignoredParameters(parameters, 'ollama')).toEqual([]);
		for (const kind of ['llamaServer', 'llamaRouter'] as const)
			expect(ignoredParameters(parameters, kind)).toEqual(['Context Size', 'Keep Alive']);
		for (const kind of ['other', 'vllm'] as const)
			expect(ignoredParameters(parameters, kind)).toEqual(['Context Size', 'Keep Alive']);
	});

	it.each(KINDS)('and only that is kept from %s', (kind) => {
		for (const [name, { label }] of SAMPLER_ENTRIES) {
			const parameters: ChatParameters = { [name]: 1 };
			const isIgnored = ignoredParameters(parameters, kind).includes(label);
			const isSent =
				name === 'parallelToolCalls'
					? takes(kind, name)
					: Object.keys(parameterFields(parameters, kind)).length === 1;
			expect({ name, isSent }).toEqual({ name, isSent: !isIgnored });
		}
	});

	it('no limit is said with -1 where that is understood, and else by saying nothing', () => {
		expect(parameterFields({ maxTokens: -1 }, 'llamaServer')).toEqual({ max_tokens: -1 });
		expect(parameterFields({ maxTokens: -1 }, 'ollama')).toEqual({ max_tokens: -1 });
		expect(parameterFields({ maxTokens: -1 }, 'vllm')).toEqual({});
		expect(parameterFields({ maxTokens: -1 }, 'other')).toEqual({});
	});
});

describe('checks before anything is sent', () => {
	it.each<[ChatParameters]>([
		[{}],
		[
			{
				temperature: 0,
				topP: 1,
				topK: 0,
				minP: 0,
				repeatPenalty: 0,
				repeatLastN: 0,
				presencePenalty: -2,
				frequencyPenalty: 2,
				mirostat: 2,
			},
		],
		[{ maxTokens: 1 }],
		[{ maxTokens: -1 }],
		[{ seed: -1 }],
		[{ stop: ['x'], extraBody: {} }],
		...[120, -1, 0, 1.5, '5m', '1h30m', '-1m', '1.5h', '300ms'].map(
			(keepAlive): [ChatParameters] => [{ keepAlive }],
		),
	])('%j is in order', (parameters) => {
		expect(() => checkParameters(parameters)).not.toThrow();
	});

	it.each<[ChatParameters, string]>([
		[{ temperature: -0.1 }, 'The option "Temperature" must be a number from 0 to 100, but is -0.1'],
		[{ topP: 1.1 }, 'The option "Top P" must be a number from 0 to 1, but is 1.1'],
		[{ minP: 5 }, 'The option "Min P" must be a number from 0 to 1, but is 5'],
		[
			{ presencePenalty: 3 },
			'The option "Presence Penalty" must be a number from -2 to 2, but is 3',
		],
		[{ mirostat: 3 }, 'The option "Mirostat" must be a number from 0 to 2, but is 3'],
		[
			{ repeatLastN: -1 },
			'The option "Repeat Last N" must be a number from 0 to 2147483647, but is -1',
		],
		[
			{ maxTokens: 0 },
			'The option "Maximum Tokens" must be at least 1, or -1 for no limit, but is 0',
		],
		[
			{ maxTokens: -2 },
			'The option "Maximum Tokens" must be a number from -1 to 2147483647, but is -2',
		],
		[{ temperature: NaN }, 'The option "Temperature" must be a number from 0 to 100, but is NaN'],
		[
			{ keepAlive: '5 minutes' },
			'The option "Keep Alive" must be a number of seconds, or a duration such as 30m or 1h30m, but is "5 minutes"',
		],
		[
			{ contextSize: 0 },
			'The option "Context Size" must be a number from 1 to 2147483647, but is 0',
		],
		[{ seed: Infinity }, 'The option "Seed" must be a number, but is Infinity'],
		[
			{ extraBody: [1] as unknown as Record<string, unknown> },
			'The option "Extra Body" must be a JSON object',
		],
	])('case 23, 25: %j is refused', (parameters, message) => {
		expect.assertions(2);
		try {
			checkParameters(parameters);
		} catch (error) {
			expect(error).toBeInstanceOf(ServerError);
			expect(error).toMatchObject({ kind: 'invalidInput', message });
		}
	});
});
