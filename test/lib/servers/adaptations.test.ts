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

/** Sends to a server that refuses a body with the words that `refusalOf` finds for it. */
async function sendTo(
	place: string,
	body: JsonRecord,
	refusalOf: (body: JsonRecord) => string | undefined,
) {
	const sent: JsonRecord[] = [];
	const outcome = await sendWithAdaptations(place, body, ADAPTATIONS, async (current) => {
		sent.push(current);
		const serverText = refusalOf(current);
		if (serverText !== undefined)
			throw createServerError('badRequest', {}, { status: 400, serverText });
		return await Promise.resolve('answer');
	}).then(
		({ warnings }) => ({ warnings, failed: undefined }),
		(failed: unknown) => ({ warnings: undefined, failed }),
	);
	return { sent, ...outcome };
}

describe('a request is sent once more', () => {
	test('without a refused field, with a note, and without it the next time', async () => {
		const refusal = ({ top_k: field }: JsonRecord) =>
			field === undefined ? undefined : 'body.top_k: Extra inputs are not permitted';
		const first = await sendTo('field', { model: 'm', top_k: 1 }, refusal);
		expect(first.sent.at(-1)).toEqual({ model: 'm' });
		expect(first.warnings).toEqual(['This server rejects the option top_k, so it was omitted.']);
		const next = await sendTo('field', { model: 'm', top_k: 1 }, refusal);
		expect(next.sent).toEqual([{ model: 'm' }]);
		const withoutIt = await sendTo('field', { model: 'm' }, refusal);
		expect(withoutIt.warnings).toEqual([]);
	});

	test('with the other name of a field', async () => {
		const { sent, warnings } = await sendTo('name', { max_tokens: 5 }, ({ max_tokens: field }) =>
			field === undefined
				? undefined
				: "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.",
		);
		expect(sent.at(-1)).toEqual({ max_completion_tokens: 5 });
		expect(warnings).toEqual([]);
	});

	test.each(['model', 'messages', 'tools', 'response_format', 'kept'])(
		'never without %s',
		async (name) => {
			const { sent, failed } = await sendTo(
				`needed ${name}`,
				{ [name]: 1 },
				() => `Unsupported parameter: '${name}'`,
			);
			expect(sent).toHaveLength(1);
			expect(failed).toMatchObject({ serverText: `Unsupported parameter: '${name}'` });
		},
	);

	test('with a schema where LM Studio takes no json_object', async () => {
		const { sent } = await sendTo('json', { response_format: { type: 'json_object' } }, (body) =>
			JSON.stringify(body).includes('json_object')
				? "'response_format.type' must be 'json_schema' or 'text'"
				: undefined,
		);
		expect(sent.at(-1)).toMatchObject({ response_format: { type: 'json_schema' } });
	});

	test.each([
		['"m" does not support thinking', {}],
		['think value "high" is not supported for this model', {}],
		['invalid think value: "minimal"', { think: 'low' }],
	])('for Ollama: %s', async (words, expected) => {
		const { sent, warnings } = await sendTo(words, { think: 'minimal' }, (body) =>
			body.think === 'minimal' ? words : undefined,
		);
		expect(sent.at(-1)).toEqual(expected);
		expect(warnings).toHaveLength(1);
	});

	test('not for words that stand in what was sent: they teach nothing', async () => {
		const messages = [{ role: 'user', content: 'Say: unsupported parameter: "max_tokens"' }];
		const { sent, failed } = await sendTo(
			'visitor',
			{ messages, max_tokens: 5 },
			() => 'Cannot answer "Say: unsupported parameter: \\"max_tokens\\""',
		);
		expect(sent).toHaveLength(1);
		expect(failed).toBeDefined();
		const later = await sendTo('visitor', { max_tokens: 5 }, () => undefined);
		expect(later.sent).toEqual([{ max_tokens: 5 }]);
	});

	test('at most a few times, whatever the server names', async () => {
		await fc.assert(
			fc.asyncProperty(
				fc.uniqueArray(fc.stringMatching(/^[a-z]{3,8}$/), { minLength: 10, maxLength: 20 }),
				async (names) => {
					const body = Object.fromEntries(names.map((name) => [name, 1]));
					const { sent, failed } = await sendTo(
						names.join(),
						body,
						(current) => `Unknown parameter: '${Object.keys(current)[0]}'`,
					);
					expect(sent.length).toBeLessThanOrEqual(9);
					expect(failed).toBeDefined();
				},
			),
		);
	});
});
