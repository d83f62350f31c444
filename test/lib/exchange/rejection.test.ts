/** What an error response may say: names in places, and a few words. */
import { createServerError } from '../../../lib/errors/create-error';
import { namesSentField } from '../../../lib/exchange/named-fields';
import { toRejection } from '../../../lib/exchange/rejection';
import type { JsonRecord } from '../../../lib/values/records';
import * as fc from 'fast-check';
import { toSentRequest } from './sent-request';

const BODY = {
	model: 'm',
	top_k: 40,
	seed: 7,
	stop: ['END'],
	temperature: 0.2,
	messages: [{ role: 'user', content: 'Hi' }],
};

interface Details {
	param?: string;
	codes?: string[];
	body?: JsonRecord;
}

const errorOf = (serverText: string, { param, codes = [] }: Details = {}) =>
	createServerError(
		'badRequest',
		{},
		{
			serverText,
			facts: { param },
			report: { status: 400, codes, isOfGateway: false },
		},
	);
const read = (serverText: string, details: Details = {}) =>
	toRejection({
		error: errorOf(serverText, details),
		...toSentRequest(details.body ?? BODY),
		isRepeated: false,
	});

describe('a field that is refused', () => {
	test.each<{ text: string; field: string } & Details>([
		{ text: "Unknown parameter: 'seed'", field: 'seed' },
		{ text: 'Unsupported parameter: "seed" is not supported with this model.', field: 'seed' },
		{ text: 'body.top_k: Extra inputs are not permitted', field: 'top_k' },
		{ text: 'body -> seed: extra fields not permitted', field: 'seed' },
		{ text: "got an unexpected keyword argument 'seed'", field: 'seed' },
		{
			text: '1 validation error for ChatRequest\nseed\n  Extra inputs are not permitted [input_value=7]',
			field: 'seed',
		},
		{
			text: "litellm.UnsupportedParamsError: Setting {'top_k': 40} is not supported by ollama.",
			field: 'top_k',
		},
		{ text: 'Setting top_k is not supported for this model.', field: 'top_k' },
		{ text: 'Zqx top_k wvb unknown.', field: 'top_k' },
		{ text: 'No.', param: 'seed', codes: ['unknown_parameter'], field: 'seed' },
		{ text: "'seed' is not supported, and 'temperature' must be below 2", field: 'seed' },
		{ text: 'Not supported.', param: 'seed', field: 'seed' },
		{ text: "'temperature' does not support 0.2 here", field: 'temperature' },
	])('$text', ({ text, field, ...details }) => {
		expect(read(text, details).refuses(field)).toBe(true);
	});

	test.each<{ name: string; text: string; field: string } & Details>([
		{ name: 'a limit', text: "'top_k' must be below 10", field: 'top_k' },
		{ name: 'another field', text: "'seed' is unknown. 'top_k' is low.", field: 'top_k' },
		{
			name: 'the sentence before',
			text: "Streaming is not supported. 'top_k' must be below 10.",
			field: 'top_k',
		},
		{ name: 'the next issue', text: "'top_k' must be set; 'seed' is unknown", field: 'top_k' },
		{ name: 'an ordinary word', text: 'unknown problem of the seed', field: 'seed' },
		{
			name: 'words of the request',
			text: "Cannot read: unknown parameter 'seed'",
			body: {
				...BODY,
				messages: [{ role: 'user', content: "Cannot read: unknown parameter 'seed'" }],
			},
			field: 'seed',
		},
	])('not by $name', ({ text, field, ...details }) => {
		expect(read(text, details).refuses(field)).toBe(false);
	});
});

describe('the format of the answer', () => {
	const isAbout = (text: string, details?: Details) =>
		read(text, details).saysOnly('schema', ['tools', 'image', 'audio']);

	test.each([
		'response_format type must be one of "text" or "json_object", but got: json_schema',
		"'response_format.type' must be 'json_schema' or 'text'",
		'failed to parse grammar',
		'The schema zqx wvb',
		"'format' is no object",
		'body.format: wvb',
	])('is meant by: %s', (text) => {
		expect(isAbout(text)).toBe(true);
	});

	test.each([
		'The model has crashed without additional information. (Exit code: 1)',
		'Invalid image_url.url format',
		'Unknown reasoning format: zqx',
		'The schema of the tools is too deep',
		'An image has no schema',
		'The formats and schemata of this server',
	])('is not meant by: %s', (text) => {
		expect(isAbout(text)).toBe(false);
	});

	test('is not meant by what the message repeats of the request, but by words beside it', () => {
		const body = { messages: [{ role: 'user', content: 'Tell me how a schema is made' }] };
		const echo = 'Cannot do: Tell me how a schema is made';
		expect(isAbout(echo, { body })).toBe(false);
		expect(isAbout(`${echo}: failed to compile the schema`, { body })).toBe(true);
	});
});

test('words of two topics count in one sentence only', () => {
	expect(read('Cannot use tools with stream').says('tools', 'stream')).toBe(true);
	expect(read('Cannot use tools. The stream ended.').says('tools', 'stream')).toBe(false);
});

describe('a field that was sent is named', () => {
	test.each([
		{ text: "'temperature' is too hot", isNamed: true },
		{ text: 'messages[0].content is empty', isNamed: true },
		{ text: 'The top_k', isNamed: true },
		// Ollama 0.33.0
		{
			text: 'json: cannot unmarshal string into Go struct field ChatCompletionRequest.temperature of type float64',
			isNamed: true,
		},
		{ text: 'cannot read Modelfile.bin of openai.model', isNamed: false },
		{ text: 'The seed and the temperature of the model', isNamed: false },
		{ text: '/srv/model.py failed', isNamed: false },
		{ text: "'voice' is missing", isNamed: false },
		{ text: "Setting {'top_k': 40} is not supported by this model", isNamed: true },
		{ text: 'Cannot parse {"model":"m","messages":[{}],"top_k":40}', isNamed: false },
		{ text: "bad request: {'messages': [{'role': 'user'}], 'model': 'm', 'seed'", isNamed: false },
		{ text: 'Cannot parse {"model":"m"}: "top_k" is too high', isNamed: true },
		{ text: '{"model":"another"} has no "top_k"', isNamed: true },
		{ text: 'Hi', isNamed: false },
	])('$text: $isNamed', ({ text, isNamed }) => {
		expect(namesSentField(errorOf(text), toSentRequest(BODY))).toBe(isNamed);
	});

	test('beside the message', () => {
		expect(namesSentField(errorOf('No.', { param: 'stop' }), toSentRequest(BODY))).toBe(true);
	});

	test('but not by a visitor', () => {
		const content = "What is the meaning of 'top_k'?";
		const body = { ...BODY, messages: [{ role: 'user', content }] };
		expect(namesSentField(errorOf(`Zqx: ${content}`), toSentRequest(body))).toBe(false);
	});
});

test('a message of any text is read', () => {
	fc.assert(
		fc.property(fc.string({ unit: 'grapheme' }), fc.string(), (serverText, content) => {
			const rejection = read(serverText, { body: { top_k: 1, messages: [{ content }] } });
			for (const name of rejection.getNames()) expect(serverText).toContain(name);
			expect(() => rejection.refuses('top_k')).not.toThrow();
		}),
	);
});
