/** Errors inside errors: a text that was made from a value is never parsed again. */
import * as fc from 'fast-check';
import { classifyErrorResponse } from '../../../lib/errors/classify-error';
import { parseErrorBody } from '../../../lib/errors/error-body';

const MISSING = 'Missing required parameter in the JSON body';
const NAMES = ['message', 'error', 'detail', 'errors', 'msg', 'reason', 'title', 'description'];

const nest = (levels: number, wrap: (inner: unknown) => unknown, inner: unknown = 'no') => {
	let value = inner;
	for (let level = 0; level < levels; level++) value = wrap(value);
	return value;
};

it.each<{ name: string; json: unknown; message: string }>([
	{
		name: 'Flask-RESTful',
		json: { message: { model: MISSING } },
		message: `model: ${MISSING}`,
	},
	{
		name: 'fields with lists of texts',
		json: { errors: { model: ['no', 'never'], input: ['empty'] } },
		message: 'model: no; model: never; input: empty',
	},
	...NAMES.map((name) => ({
		name: `a number in ${name}`,
		json: { [name]: { model: 1 } },
		message: ['error', 'detail'].includes(name) ? '{"model":1}' : `{"${name}":{"model":1}}`,
	})),
	{
		name: 'fields in a list',
		json: { errors: [{ model: 'no', message: { a: 1 } }] },
		message: '{"model":"no","message":{"a":1}}',
	},
	{
		name: 'the field of an issue as an object',
		json: { detail: [{ loc: [{ message: 'a' }], msg: 'no' }] },
		message: '{"message":"a"}: no',
	},
	{
		name: 'an error of the server behind a gateway',
		json: {
			error: {
				message: { provider: 'p', error: { message: 'here' } },
				metadata: { raw: '{"error":{"message":"there"}}' },
			},
		},
		message: 'there',
	},
	{
		name: 'an error that the server wrote into its message',
		json: { error: { message: 'upstream: {"error":{"message":"there"}}' } },
		message: 'there',
	},
])('the message of $name', ({ json, message }) => {
	expect(parseErrorBody(JSON.stringify(json)).message).toBe(message);
});

it('a sign-in that the server behind a gateway asks for', () => {
	const inner = JSON.stringify({ error: 'unauthorized', signin_url: 'https://ollama.com/connect' });
	const outer = JSON.stringify({ error: { message: `litellm.AuthenticationError: ${inner}` } });
	expect(parseErrorBody(outer)).toMatchObject({ message: 'unauthorized', hasSignIn: true });
	expect(classifyErrorResponse({ status: 401, body: outer }, {}).type).toBe('upstreamKeyRejected');
});

it.each([1, 5, 6, 100, 499, 500, 1_000, 10_000])('an error %i levels deep', (levels) => {
	const bodies = [
		...NAMES.map((name) => nest(levels, (inner) => ({ [name]: inner }))),
		nest(levels, (inner) => [inner]),
		nest(levels, (inner) => ({ errors: [{ message: inner, loc: ['a'] }] })),
	].map((value) => {
		try {
			return JSON.stringify(value);
		} catch {
			// Too deep for JSON.stringify itself.
			return `${'{"message":'.repeat(levels)}"no"${'}'.repeat(levels)}`;
		}
	});
	for (const body of bodies) {
		const error = classifyErrorResponse({ status: 400, body }, {});
		expect([error.name, error.status, error.message.length > 0]).toEqual([
			'ServerError',
			400,
			true,
		]);
	}
});

it('an error as JSON in JSON in JSON', () => {
	let body = '{"message":"no"}';
	for (let level = 0; level < 8; level++) body = JSON.stringify({ message: body });
	expect(parseErrorBody(body).message).toBe('no');
});

it('any JSON is an error with a message', () => {
	const { value } = fc.letrec((tie) => ({
		leaf: fc.oneof(fc.string(), fc.double(), fc.boolean(), fc.constant(null)),
		text: fc.json({ maxDepth: 3 }),
		object: fc.dictionary(
			fc.oneof(fc.constantFrom(...NAMES, 'loc', 'path', 'field', 'metadata', 'raw'), fc.string()),
			tie('value'),
			{ maxKeys: 4 },
		),
		list: fc.array(tie('value'), { maxLength: 3 }),
		value: fc.oneof({ maxDepth: 6 }, tie('leaf'), tie('object'), tie('list'), tie('text')),
	}));
	fc.assert(
		fc.property(value, (json) => {
			const body = JSON.stringify({ message: json });
			expect(classifyErrorResponse({ status: 400, body }, {}).message).not.toBe('');
		}),
	);
});
