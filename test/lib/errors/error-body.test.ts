import * as fc from 'fast-check';

import { readEvent } from '../../../lib/chat/answer/chain';
import { openAiProtocol } from '../../../lib/chat/wire/openai';
import { errorIn } from '../../../lib/errors/error-body';
import { isRefusal } from '../../../lib/errors/http-failure';

const decode = (data: string | object, event?: string) =>
	readEvent(openAiProtocol, {
		data: typeof data === 'string' ? data : JSON.stringify(data),
		...(event === undefined ? {} : { event }),
	});

it.each<[object | string, object, string | undefined]>([
	[
		{ error: { code: 500, message: 'Context size has been exceeded.', type: 'server_error' } },
		{ message: 'Context size has been exceeded.', type: 'server_error', status: 500 },
		undefined,
	],
	[
		{ error: { message: 'boom', type: 'api_error', param: null, code: null } },
		{ message: 'boom', type: 'api_error' },
		undefined,
	],
	[{ error: 'boom' }, { message: 'boom' }, undefined],
	[{ error: { reason: 'x' } }, { message: '{"reason":"x"}' }, undefined],
	[{ detail: 'Model overloaded' }, { message: 'Model overloaded' }, undefined],
	[
		{ detail: [{ loc: ['body', 'model'], msg: 'field required', type: 'missing' }] },
		{ message: 'body.model: field required' },
		undefined,
	],
	[
		{ code: 503, reason: 'ServiceUnavailable', message: 'No running instances available' },
		{ message: 'No running instances available', status: 503 },
		undefined,
	],
	[
		{ object: 'error', message: 'boom', type: 'BadRequestError', code: 400 },
		{ message: 'boom', type: 'BadRequestError', status: 400 },
		undefined,
	],
	[
		{ code: 500, message: 'old', type: 'server_error' },
		{ message: 'old', type: 'server_error', status: 500 },
		'error',
	],
	[{ type: 'error', message: 'boom' }, { message: 'boom', type: 'error' }, undefined],
	[{ success: false, message: 'boom', choices: null }, { message: 'boom' }, undefined],
	[{ status: 502, message: 'boom' }, { message: 'boom' }, undefined],
	[{ status: 'error', message: 'boom' }, { message: 'boom' }, undefined],
	[{ status: 'failed', message: 'boom' }, { message: 'boom' }, undefined],
	[
		{
			choices: [
				{ index: 0, delta: {}, finish_reason: null, error: { code: 502, message: 'boom' } },
			],
		},
		{ message: 'boom', status: 502 },
		undefined,
	],
	['Internal Server Error', { message: 'Internal Server Error' }, 'error'],
])('an error inside the stream: %j', (data, error, event) => {
	expect(decode(data, event)).toEqual({ error });
});

it.each<[string, object, object]>([
	[
		'LiteLLM: the status as text',
		{ error: { message: 'boom', code: '429' } },
		{ message: 'boom', status: 429 },
	],
	[
		'a gateway: a number of its own',
		{ error: { message: 'boom', code: 40001 } },
		{ message: 'boom' },
	],
	['a gateway: msg', { code: 1, msg: 'boom' }, { message: 'boom' }],
	[
		'FastChat',
		{ text: 'boom', error_code: 50001 },
		{ message: expect.stringContaining('boom') as string },
	],
	['a list of errors', { errors: [{ message: 'boom' }] }, { message: 'boom' }],
])('%s', (_server, json, error) => {
	expect(errorIn(json as Record<string, unknown>, undefined, JSON.stringify(json))).toEqual(error);
});

it.each<[string, Record<string, unknown>]>([
	['an answer beside an empty error', { choices: [{}], error: { code: 0, message: '' } }],
	['an answer beside null', { choices: [{}], error: null }],
	['an answer with a message of its own', { choices: [{}], message: 'fine', code: 200 }],
	['a success in words', { status: 200, message: 'success' }],
	['an ordinary chunk', { id: 'a', object: 'chat.completion.chunk', choices: [] }],
])('%s is no error', (_what, json) => {
	expect(errorIn(json, undefined, JSON.stringify(json))).toBeUndefined();
	expect(isRefusal({ status: 200, json })).toBe(false);
});

it.each<[string, boolean, Record<string, unknown>]>([
	['a transcript beside an empty error', false, { text: 'Hello', error: {} }],
	[
		'a transcript beside an error that says nothing',
		false,
		{ text: 'Hello', error: { code: 0, message: '' } },
	],
	[
		'vectors beside an error without words',
		false,
		{ data: [{ index: 0, embedding: [1] }], error: '' },
	],
	['an error with words', true, { error: { message: 'boom' } }],
	['an error as text', true, { error: 'boom' }],
	['no success', true, { success: false }],
])('an answer as a whole: %s', (_what, refused, json) => {
	expect(isRefusal({ status: 200, json })).toBe(refused);
});

it('whatever comes, an error has a message', () => {
	const event = fc.option(fc.constantFrom('error', 'message'), { nil: undefined });
	fc.assert(
		fc.property(
			fc.dictionary(
				fc.constantFrom('error', 'detail', 'code', 'message', 'choices', 'status'),
				fc.jsonValue(),
			),
			event,
			(json, name) => {
				const error = errorIn(json, name, JSON.stringify(json));
				expect(error === undefined ? 'string' : typeof error.message).toBe('string');
			},
		),
	);
});
