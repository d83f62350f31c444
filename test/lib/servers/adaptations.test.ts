import * as fc from 'fast-check';

import { createServerError } from '../../../lib/errors/create-error';
import {
	replaceJsonObject,
	sendWithAdaptations,
	adjustOllamaThinking,
	omitRejectedField,
	omitStreamOptions,
} from '../../../lib/servers/adaptations';
import type { JsonRecord } from '../../../lib/values';

const ADAPTATIONS = [
	omitRejectedField(new Set(['kept'])),
	omitStreamOptions,
	replaceJsonObject,
	adjustOllamaThinking,
];

/** Sends to a server that rejects a body with the message of `getRejection`. */
async function sendTo(
	cacheKey: string,
	body: JsonRecord,
	getRejection: (body: JsonRecord) => string | undefined,
) {
	const sentBodies: JsonRecord[] = [];
	const result = await sendWithAdaptations(cacheKey, body, ADAPTATIONS, async (current) => {
		sentBodies.push(current);
		const serverText = getRejection(current);
		if (serverText !== undefined)
			throw createServerError('badRequest', {}, { status: 400, serverText });
		return await Promise.resolve('answer');
	}).then(
		({ warnings }) => ({ warnings, failed: undefined }),
		(failed: unknown) => ({ warnings: undefined, failed }),
	);
	return { sentBodies, ...result };
}

describe('a rejected request is retried', () => {
	test('without the rejected field, with a warning, and later requests omit the field', async () => {
		const getRejection = ({ top_k: field }: JsonRecord) =>
			field === undefined ? undefined : 'body.top_k: Extra inputs are not permitted';
		const first = await sendTo('field', { model: 'm', top_k: 1 }, getRejection);
		expect(first.sentBodies.at(-1)).toEqual({ model: 'm' });
		expect(first.warnings).toEqual(['This server rejects the option top_k, so it was omitted.']);
		const next = await sendTo('field', { model: 'm', top_k: 1 }, getRejection);
		expect(next.sentBodies).toEqual([{ model: 'm' }]);
		const withoutIt = await sendTo('field', { model: 'm' }, getRejection);
		expect(withoutIt.warnings).toEqual([]);
	});

	test('with the name of the field that the server supports', async () => {
		const { sentBodies, warnings } = await sendTo(
			'name',
			{ max_tokens: 5 },
			({ max_tokens: field }) =>
				field === undefined
					? undefined
					: "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.",
		);
		expect(sentBodies.at(-1)).toEqual({ max_completion_tokens: 5 });
		expect(warnings).toEqual([]);
	});

	test.each(['model', 'messages', 'tools', 'response_format', 'kept'])(
		'never without %s',
		async (name) => {
			const { sentBodies, failed } = await sendTo(
				`needed ${name}`,
				{ [name]: 1 },
				() => `Unsupported parameter: '${name}'`,
			);
			expect(sentBodies).toHaveLength(1);
			expect(failed).toMatchObject({ serverText: `Unsupported parameter: '${name}'` });
		},
	);

	test('with a schema if the server does not support json_object (LM Studio)', async () => {
		const { sentBodies } = await sendTo(
			'json',
			{ response_format: { type: 'json_object' } },
			(body) =>
				JSON.stringify(body).includes('json_object')
					? "'response_format.type' must be 'json_schema' or 'text'"
					: undefined,
		);
		expect(sentBodies.at(-1)).toMatchObject({ response_format: { type: 'json_schema' } });
	});

	test.each([
		['"m" does not support thinking', {}],
		['think value "high" is not supported for this model', {}],
		['invalid think value: "minimal"', { think: 'low' }],
	])('for Ollama: %s', async (rejection, expected) => {
		const { sentBodies, warnings } = await sendTo(rejection, { think: 'minimal' }, (body) =>
			body.think === 'minimal' ? rejection : undefined,
		);
		expect(sentBodies.at(-1)).toEqual(expected);
		expect(warnings).toHaveLength(1);
	});

	test('not if the rejection repeats text from the request', async () => {
		const messages = [{ role: 'user', content: 'Say: unsupported parameter: "max_tokens"' }];
		const { sentBodies, failed } = await sendTo(
			'visitor',
			{ messages, max_tokens: 5 },
			() => 'Cannot answer "Say: unsupported parameter: \\"max_tokens\\""',
		);
		expect(sentBodies).toHaveLength(1);
		expect(failed).toBeDefined();
		const later = await sendTo('visitor', { max_tokens: 5 }, () => undefined);
		expect(later.sentBodies).toEqual([{ max_tokens: 5 }]);
	});

	test('at most a few times, whatever fields the server names', async () => {
		await fc.assert(
			fc.asyncProperty(
				fc.uniqueArray(fc.stringMatching(/^[a-z]{3,8}$/), { minLength: 10, maxLength: 20 }),
				async (names) => {
					const body = Object.fromEntries(names.map((name) => [name, 1]));
					const { sentBodies, failed } = await sendTo(
						names.join(),
						body,
						(current) => `Unknown parameter: '${Object.keys(current)[0]}'`,
					);
					expect(sentBodies.length).toBeLessThanOrEqual(9);
					expect(failed).toBeDefined();
				},
			),
		);
	});
});
