import { ServerError } from '../../../lib/errors/server-error';
import { fields } from '../../../nodes/LocalChatModel/fields';
import { toSettings } from '../../../nodes/LocalChatModel/settings';
import { ItemSource } from '../../../nodes/shared/fields/item-source';
import { readValues } from '../../../nodes/shared/fields/read-values';
import { fakeContext } from '../../support/n8n/context';

/** Parameters of a node with default values, as n8n returns them. */
const DEFAULTS = {
	model: 'qwen3-8b',
	serverType: 'auto',
	thinking: 'serverDefault',
	thinkingEffort: 'medium',
	thinkingBudget: 1024,
	responseFormat: 'text',
	jsonSchema: '{\n  "type": "object"\n}',
	grammar: 'root ::= "yes" | "no"',
	options: {},
};
type Given = Partial<Record<keyof typeof DEFAULTS, unknown>>;
const read = (more: Given = {}) =>
	toSettings(
		readValues(new ItemSource(fakeContext({ ...DEFAULTS, ...more }, {}).context, 0), fields),
	);
const options = (given: Record<string, unknown>) => read({ options: given }).sampling;

function getError(more: Given): ServerError {
	try {
		read(more);
	} catch (error) {
		if (error instanceof ServerError) return error;
	}
	throw new Error('no field was rejected');
}

describe('the settings of the chat model', () => {
	it('an untouched node sets nothing', () => {
		expect(read()).toEqual({
			model: 'qwen3-8b',
			sampling: {},
			thinkingHistory: 'toolTurns',
			showThinking: false,
			timeouts: {},
			retries: 2,
		});
	});

	it('options count as not added if an expression returns null', () => {
		expect(read({ options: null } as unknown as Given)).toEqual(read());
	});

	it.each([
		['120', 120],
		[120, 120],
		['-1', -1],
		[' 30m ', '30m'],
		['', undefined],
	])('Keep Alive %j is sent as %j: Ollama refuses "120"', (given, keepAlive) => {
		expect(options({ keepAlive: given })).toEqual(keepAlive === undefined ? {} : { keepAlive });
	});

	it('reads numbers, lists, objects, choices and times of options', () => {
		const numbers = {
			temperature: 0,
			topP: 0.9,
			topK: 0,
			minP: 0.1,
			repeatPenalty: 1.1,
			repeatLastN: 64,
			presencePenalty: -1,
			frequencyPenalty: 1,
			seed: -1,
			maxTokens: 10,
		};
		const rest = { parallelToolCalls: false, stop: ['END'], extraBody: { b: 2 } };
		expect(options({ ...numbers, ...rest })).toEqual({ ...numbers, ...rest });
		expect(
			read({
				options: {
					thinkingHistory: 'always',
					showThinking: true,
					toolCallsInText: 'leave',
					maxRetries: 0,
					firstTokenTimeout: 1.5,
					idleTimeout: 0,
					totalTimeout: 60,
				},
			}),
		).toEqual({
			model: 'qwen3-8b',
			sampling: {},
			thinkingHistory: 'always',
			showThinking: true,
			toolCallsInText: 'leave',
			timeouts: { firstTokenMs: 1500, idleMs: 0, totalMs: 60_000 },
			retries: 0,
		});
	});

	it('whole numbers lose their fraction, as llama-server does it; others refuse them', () => {
		expect(options({ maxTokens: 33.3, topK: '40.7', seed: -1.5, temperature: 0.7 })).toEqual({
			maxTokens: 33,
			topK: 40,
			seed: -1,
			temperature: 0.7,
		});
		expect(read({ thinking: 'budget', thinkingBudget: 10.9 }).sampling.thinking).toEqual({
			mode: 'budget',
			tokens: 10,
		});
	});

	it('what an expression leaves empty is not set', () => {
		const empty = { temperature: '', topK: null, seed: undefined, stop: '', extraBody: '' };
		expect(options(empty)).toEqual({});
		expect(options({ stop: ['', null], extraBody: '{}' })).toEqual({});
		const others = { firstTokenTimeout: '', idleTimeout: null, maxRetries: '', showThinking: '' };
		expect(read({ options: { ...others, thinkingHistory: '' } })).toEqual(read());
	});

	it('texts are lists, with written escapes', () => {
		expect(options({ stop: 'one' }).stop).toEqual(['one']);
		expect(options({ stop: ['\\n\\nUser:', 'a\\tb', 'C:\\\\new', '\\d', '\n'] }).stop).toEqual([
			'\n\nUser:',
			'a\tb',
			'C:\\new',
			'\\d',
			'\n',
		]);
	});

	it.each<[Given, object | undefined]>([
		[{ thinking: 'serverDefault' }, undefined],
		[{ thinking: 'on' }, { mode: 'on' }],
		[{ thinking: 'off' }, { mode: 'off' }],
		[
			{ thinking: 'effort', thinkingEffort: 'high' },
			{ mode: 'effort', effort: 'high' },
		],
		[
			{ thinking: 'budget', thinkingBudget: '0' },
			{ mode: 'budget', tokens: 0 },
		],
	])('thinking %j', (given, thinking) => {
		expect(read(given).sampling.thinking).toEqual(thinking);
	});

	it.each<[Given, object | undefined]>([
		[{ responseFormat: 'text' }, undefined],
		[{ responseFormat: 'jsonObject' }, { type: 'jsonObject' }],
		[
			{ responseFormat: 'jsonSchema', jsonSchema: '{"type": "object"}' },
			{ type: 'jsonSchema', schema: { type: 'object' } },
		],
		[
			{ responseFormat: 'jsonSchema', jsonSchema: { type: 'object' } },
			{ type: 'jsonSchema', schema: { type: 'object' } },
		],
		// In the format of OpenAI's API, and a schema with properties of these names.
		[
			{
				responseFormat: 'jsonSchema',
				jsonSchema: { name: 'colour', strict: true, schema: { type: 'object' } },
			},
			{ type: 'jsonSchema', name: 'colour', schema: { type: 'object' } },
		],
		[
			{
				responseFormat: 'jsonSchema',
				jsonSchema: {
					type: 'json_schema',
					json_schema: { name: 'colour', schema: { type: 'array' } },
				},
			},
			{ type: 'jsonSchema', name: 'colour', schema: { type: 'array' } },
		],
		[
			{ responseFormat: 'jsonSchema', jsonSchema: { type: 'object', schema: {} } },
			{ type: 'jsonSchema', schema: { type: 'object', schema: {} } },
		],
		[
			{ responseFormat: 'grammar', grammar: 'root ::= "a"' },
			{ type: 'grammar', grammar: 'root ::= "a"' },
		],
	])('response format %j', (given, responseFormat) => {
		expect(read(given).sampling.responseFormat).toEqual(responseFormat);
	});

	it.each<[Given, string | RegExp]>([
		[
			{ options: { maxTokens: 0 } },
			'The option "Maximum Tokens" must be at least 1, or -1 for no limit, but is 0',
		],
		[
			{ options: { keepAlive: 'soon' } },
			'The option "Keep Alive" must be a number of seconds, or a duration such as 30m or 1h30m, but is "soon"',
		],
		[
			{ thinking: true },
			'The field "Thinking" must be one of effort, off, on, serverDefault, budget, but is true',
		],
		[
			{ thinking: 'budget', thinkingBudget: '' },
			'The field "Thinking Token Budget" must be a number from 0, but is ""',
		],
		[{ responseFormat: 'jsonSchema', jsonSchema: '' }, 'The field "JSON Schema" is empty'],
		[{ responseFormat: 'jsonSchema', jsonSchema: '{}' }, 'The field "JSON Schema" is empty'],
		[
			{ responseFormat: 'jsonSchema', jsonSchema: '{' },
			/^The field "JSON Schema" is not valid JSON: /,
		],
		[{ responseFormat: 'grammar', grammar: ' ' }, 'The field "Grammar" is empty'],
	])('%j is rejected with the label of the field', (given, message) => {
		const error = getError(given);
		expect(error.type).toBe('invalidInput');
		if (typeof message === 'string') expect(error.message).toBe(message);
		else expect(error.message).toMatch(message);
	});
});
