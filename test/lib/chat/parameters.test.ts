import {
	checkParameters,
	dependsOnServerKind,
	FIELDS,
	ignoredParameters,
	parameterFields,
	takesParallelSwitch,
} from '../../../lib/chat/parameters';
import type { ChatParameters } from '../../../lib/chat/types';
import type { ServerKind } from '../../../lib/servers/kinds/kind';
import { ServerError } from '../../../lib/errors/server-error';

const KINDS: ServerKind[] = ['llamaServer', 'ollama', 'vllm', 'other'];

describe('whether the kind of server matters', () => {
	it.each<[ChatParameters]>([
		[{}],
		[{ temperature: 0, topP: 0.5, seed: 1, stop: ['x'], maxTokens: 5, presencePenalty: 0, frequencyPenalty: 0 }],
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
		[{ dryMultiplier: 0 }],
		[{ mirostat: 0 }],
		[{ parallelToolCalls: false }],
		[{ cachePrompt: false }],
		[{ slotId: 0 }],
		[{ chatTemplateArguments: {} }],
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
	it('is named as in the node', () => {
		const parameters: ChatParameters = {
			temperature: 1,
			topK: 1,
			typicalP: 1,
			slotId: 0,
			thinking: { mode: 'budget', tokens: 1 },
			responseFormat: { type: 'grammar', grammar: 'x' },
		};
		expect(ignoredParameters(parameters, 'llamaServer')).toEqual([]);
		expect(ignoredParameters(parameters, 'other')).toEqual([]);
		expect(ignoredParameters(parameters, 'vllm')).toEqual(['typicalP', 'slotId', 'thinking token budget']);
		expect(ignoredParameters(parameters, 'ollama')).toEqual([
			'topK',
			'typicalP',
			'slotId',
			'thinking token budget',
			'GBNF grammar',
		]);
	});

	it.each(KINDS)('and only that is kept from %s', (kind) => {
		for (const name of Object.keys(FIELDS) as Array<keyof typeof FIELDS>) {
			const parameters: ChatParameters = { [name]: 1 };
			const isIgnored = ignoredParameters(parameters, kind).includes(name);
			const isSent =
				name === 'parallelToolCalls'
					? takesParallelSwitch(kind)
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
				typicalP: 1,
				repeatPenalty: 0,
				repeatLastN: 0,
				presencePenalty: -2,
				frequencyPenalty: 2,
				xtcProbability: 1,
				xtcThreshold: 0,
				mirostat: 2,
			},
		],
		[{ maxTokens: 1 }],
		[{ maxTokens: -1 }],
		[{ seed: -1 }],
		[{ slotId: -1 }],
		[{ stop: ['x'], extraBody: {}, chatTemplateArguments: {} }],
	])('%j is in order', (parameters) => {
		expect(() => checkParameters(parameters)).not.toThrow();
	});

	it.each<[ChatParameters, string]>([
		[{ temperature: -0.1 }, 'The option "temperature" must be a number from 0 to 100, but is -0.1'],
		[{ topP: 1.1 }, 'The option "topP" must be a number from 0 to 1, but is 1.1'],
		[{ minP: 5 }, 'The option "minP" must be a number from 0 to 1, but is 5'],
		[{ presencePenalty: 3 }, 'The option "presencePenalty" must be a number from -2 to 2, but is 3'],
		[{ mirostat: 3 }, 'The option "mirostat" must be a number from 0 to 2, but is 3'],
		[{ repeatLastN: -1 }, 'The option "repeatLastN" must be a number from 0 to 2147483647, but is -1'],
		[{ dryPenaltyLastN: -1 }, 'The option "dryPenaltyLastN" must be a number from 0 to 2147483647, but is -1'],
		[{ dryAllowedLength: -1 }, 'The option "dryAllowedLength" must be a number from 0 to 2147483647, but is -1'],
		[{ maxTokens: 0 }, 'The option "maxTokens" must be at least 1, or -1 for no limit, but is 0'],
		[{ maxTokens: -2 }, 'The option "maxTokens" must be a number from -1 to 2147483647, but is -2'],
		[{ temperature: NaN }, 'The option "temperature" must be a number from 0 to 100, but is NaN'],
		[{ seed: Infinity }, 'The option "seed" must be a number'],
		[{ extraBody: [1] as unknown as Record<string, unknown> }, 'The option "extraBody" must be a JSON object'],
		[
			{ chatTemplateArguments: 'x' as unknown as Record<string, unknown> },
			'The option "chatTemplateArguments" must be a JSON object',
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
