import * as fc from 'fast-check';

import { changeFormat, changeThinking, omitFormat } from '../../../lib/exchange/adaptations';
import { omitRejectedField } from '../../../lib/exchange/omit-rejected-field';
import type { JsonRecord } from '../../../lib/values/records';
import { runExchange, scriptedServer } from './scripted-exchange';
import { transport } from './scripted-transport';

jest.mock('../../../lib/http/send-request', () =>
	jest.requireActual<object>('./scripted-transport'),
);

const REQUIRED = ['model', 'messages', 'tools', 'response_format'];
const LABELS: Readonly<Record<string, string>> = { top_k: 'Top K' };

/** A row for each field of a body, but for those that the user added. */
const toAdaptations = (body: JsonRecord, extraBody: JsonRecord) => ({
	field: [
		omitRejectedField({
			extraBody,
			rows: Object.keys(body)
				.filter((field) => !(field in extraBody))
				.map((field) => ({
					field,
					label: LABELS[field],
					canOmit: !REQUIRED.includes(field),
					...(field === 'speed' && { default: 1 }),
				})),
		}),
		changeThinking,
	],
	format: [changeFormat],
});

/** Sends to a server that rejects a body with the text that `getRejection` returns for it. */
async function sendTo(
	path: string,
	body: JsonRecord,
	getRejection: (body: JsonRecord) => string | undefined,
	extraBody: JsonRecord = {},
) {
	const adaptations = toAdaptations(body, extraBody);
	transport.reply = (request) => {
		const message = getRejection(request.body);
		return message === undefined ? { type: 'usable' } : { type: 'rejected', message };
	};
	const outcome = await runExchange(scriptedServer(path, 'other', path), body, {
		adaptations,
	}).then(
		({ warnings, appliedRules }) => ({ warnings, appliedRules, error: undefined }),
		(error: unknown) => ({ warnings: undefined, appliedRules: undefined, error }),
	);
	return { sent: transport.sent.map((request) => request.body), ...outcome };
}

describe('a rejected request is sent again', () => {
	test('without a rejected field, with a warning, and without it the next time', async () => {
		const reject = ({ top_k: field }: JsonRecord) =>
			field === undefined ? undefined : 'body.top_k: Extra inputs are not permitted';
		const first = await sendTo('field', { model: 'm', top_k: 1 }, reject);
		expect(first.sent.at(-1)).toEqual({ model: 'm' });
		expect(first.warnings).toEqual(['This server rejects the option Top K, so it was omitted.']);
		expect(first.appliedRules).toEqual([{ rule: 'field', because: 'without top_k' }]);
		const next = await sendTo('field', { model: 'm', top_k: 1 }, reject);
		expect(next.sent).toEqual([{ model: 'm' }]);
		const withoutField = await sendTo('field', { model: 'm' }, reject);
		expect(withoutField.warnings).toEqual([]);
	});

	test('in the other format, and then without one: only the last change has a warning', async () => {
		const body = { model: 'm', response_format: { type: 'json_object' } };
		transport.reply = (request) =>
			'response_format' in request.body
				? { type: 'rejected', message: 'This response_format is not supported' }
				: { type: 'usable' };
		const { warnings } = await runExchange(scriptedServer('format', 'other', 'format'), body, {
			adaptations: { format: [changeFormat, omitFormat] },
		});
		expect(transport.sent.map((request) => request.body.response_format)).toMatchObject([
			{ type: 'json_object' },
			{ type: 'json_schema' },
			undefined,
		] as never);
		expect(warnings).toEqual([
			'This server rejects the response format, so it was omitted. The node checked the answer against the schema.',
		]);
	});

	describe('without all fields that one rejection names', () => {
		const ALL = { model: 'm', top_k: 1, min_p: 2, seed: 3, temperature: 4 };
		test.each([
			{
				what: 'issues, each with its place',
				text: 'top_k: Extra inputs are not permitted; min_p: Extra inputs are not permitted',
				omitted: ['top_k', 'min_p'],
			},
			{
				what: 'issues, one of which is about a value',
				text: 'temperature: Input should be less than 2; min_p: Extra inputs are not permitted',
				omitted: ['min_p'],
			},
			{
				what: 'an object, as LiteLLM writes it',
				text: "jina_ai does not support parameters: {'top_k': 1, 'seed': 3}, for model=m. To drop these, set `litellm.drop_params=True`",
				omitted: ['top_k', 'seed'],
			},
			{
				what: 'a list',
				text: "vertex_ai does not support parameters: ['min_p', 'seed'], for model=m",
				omitted: ['min_p', 'seed'],
			},
			{
				what: 'a field, and those that the server supports, in its sentence',
				text: 'unknown field `top_k`, expected one of `model`, `temperature`, `seed`',
				omitted: ['top_k'],
			},
			{
				what: 'the same in an object',
				text: '{"error": {"message": "unknown field `top_k`, expected one of `model`, `temperature`"}}',
				omitted: ['top_k'],
			},
			{
				what: 'a field, and one that takes its place',
				text: "'top_k' is not supported, use 'temperature'",
				omitted: ['top_k'],
			},
			{
				what: 'issues of names without an underscore',
				text: 'seed: Extra inputs are not permitted; temperature: Extra inputs are not permitted',
				omitted: ['seed', 'temperature'],
			},
			{
				what: 'a field, and a list of those that the server supports',
				text: "Unknown field 'top_k'. Supported fields: ['temperature', 'seed', 'min_p']",
				omitted: ['top_k'],
			},
		])('$what', async ({ what, text, omitted }) => {
			const reject = (body: JsonRecord) =>
				omitted.some((name) => Object.hasOwn(body, name)) ? text : undefined;
			const { sent, warnings } = await sendTo(what, ALL, reject);
			expect(sent).toHaveLength(2);
			expect(Object.keys(ALL).filter((name) => !Object.hasOwn(sent[1]!, name))).toEqual(omitted);
			expect(warnings).toHaveLength(omitted.length);
			// Each field has a change of its own: a later request without one has no hint about it.
			const { warnings: later } = await sendTo(what, { model: 'm', [omitted[0]!]: 1 }, reject);
			expect(later).toEqual(warnings!.slice(0, 1));
		});
	});

	test.each([
		['timestamp_granularities[]', "Unknown parameter: 'timestamp_granularities[]'"],
		['timestamp_granularities[]', 'body.timestamp_granularities: Extra inputs are not permitted'],
		['top_k', 'body -> top_k: extra fields not permitted'],
		[
			'min_p',
			"[{'type': 'extra_forbidden', 'loc': ('body', 'min_p'), 'msg': 'Extra inputs are not permitted', 'input': 1}]",
		],
	])('without %s: %s', async (name, message) => {
		const { sent, warnings } = await sendTo(
			encodeURIComponent(message),
			{ prompt: 'a', [name]: 2 },
			(body) => (name in body ? message : undefined),
		);
		expect(sent.at(-1)).toEqual({ prompt: 'a' });
		expect(warnings).toHaveLength(1);
	});

	test('without a warning where the server does the same without the field', async () => {
		const reject = (body: JsonRecord) =>
			'speed' in body ? "Unknown parameter: 'speed'" : undefined;
		const { warnings } = await sendTo('default', { speed: 1 }, reject);
		expect(warnings).toEqual([]);
		const { warnings: changed } = await sendTo('no-default', { speed: 2 }, reject);
		expect(changed).toEqual(['This server rejects the field speed, so it was omitted.']);
	});

	test('with the new name of a field', async () => {
		const { sent, warnings } = await sendTo('name', { max_tokens: 5 }, ({ max_tokens: field }) =>
			field === undefined
				? undefined
				: "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.",
		);
		expect(sent.at(-1)).toEqual({ max_completion_tokens: 5 });
		expect(warnings).toEqual([]);
	});

	test.each([
		"Unsupported parameter: 'max_tokens'",
		"Unknown parameter: 'max_tokens'.",
		"Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_new_tokens' instead.",
	])('without a field whose other name the server does not say: %s', async (message) => {
		const { sent, warnings } = await sendTo(message.replace(/\W/g, ''), { max_tokens: 5 }, (body) =>
			'max_tokens' in body ? message : undefined,
		);
		expect(sent.at(-1)).toEqual({});
		expect(warnings).toEqual(['This server rejects the field max_tokens, so it was omitted.']);
	});

	test.each(['model', 'messages', 'tools', 'response_format', 'kept'])(
		'never without %s',
		async (name) => {
			const message = `Unsupported parameter: '${name}'`;
			const { sent, error } = await sendTo(`needed-${name}`, { [name]: 1 }, () => message, {
				kept: 1,
			});
			expect(sent).toHaveLength(1);
			expect(error).toMatchObject({ serverText: expect.stringContaining(name) as string });
		},
	);

	test('as any JSON where LocalAI does not support schemas, with a warning', async () => {
		const format = { type: 'json_schema', json_schema: { name: 'a', schema: {} } };
		const { sent, warnings } = await sendTo('schema', { response_format: format }, (body) =>
			JSON.stringify(body).includes('json_schema')
				? 'response_format type must be one of "text" or "json_object", but got: json_schema'
				: undefined,
		);
		expect(sent.at(-1)).toEqual({ response_format: { type: 'json_object' } });
		expect(warnings).toEqual([expect.stringContaining('rejects the schema as response format')]);
	});

	test('with a schema where LM Studio does not support json_object', async () => {
		const { sent } = await sendTo('json', { response_format: { type: 'json_object' } }, (body) =>
			JSON.stringify(body).includes('json_object')
				? "'response_format.type' must be 'json_schema' or 'text'"
				: undefined,
		);
		expect(sent.at(-1)).toMatchObject({ response_format: { type: 'json_schema' } });
	});

	test.each([
		['"m" does not support thinking', {}],
		['think value "minimal" is not supported for this model', { think: 'low' }],
		['invalid think value: "minimal"', { think: 'low' }],
		["invalid reasoning value: 'minimal'", { think: 'low' }],
	])('for Ollama: %s', async (message, expected) => {
		const { sent, warnings } = await sendTo(
			encodeURIComponent(message),
			{ think: 'minimal' },
			(body) => (body.think === 'minimal' ? message : undefined),
		);
		expect(sent.at(-1)).toEqual(expected);
		expect(warnings).toHaveLength(1);
	});

	test.each([
		['xhigh', "Input should be 'none', 'low', 'medium' or 'high', input: 'xhigh'", 'high'],
		['max', 'invalid reasoning value: "max"', 'high'],
		['none', "body.reasoning_effort: Input should be 'low' or 'high', input: 'none'", undefined],
	])('with the nearest effort: %s, %s', async (effort, message, nearest) => {
		const { sent, warnings } = await sendTo(
			encodeURIComponent(message),
			{ reasoning_effort: effort },
			(body) => (body.reasoning_effort === effort ? `reasoning_effort: ${message}` : undefined),
		);
		expect(sent.at(-1)).toEqual(nearest === undefined ? {} : { reasoning_effort: nearest });
		expect(warnings).toHaveLength(1);
	});

	test('not for what the message repeats of the request', async () => {
		const messages = [{ role: 'user', content: 'Say: unsupported parameter: "max_tokens"' }];
		const { sent, error } = await sendTo(
			'visitor',
			{ messages, max_tokens: 5 },
			() => 'Cannot answer "Say: unsupported parameter: \\"max_tokens\\""',
		);
		expect(new Set(sent.map((body) => JSON.stringify(body))).size).toBe(1);
		expect(error).toBeDefined();
		const later = await sendTo('visitor', { max_tokens: 5 }, () => undefined);
		expect(later.sent).toEqual([{ max_tokens: 5 }]);
	});

	test('at most seven times if the server rejects another field each time, with the first error', async () => {
		await fc.assert(
			fc.asyncProperty(
				fc.uniqueArray(fc.stringMatching(/^[a-z]{3,8}$/), { minLength: 10, maxLength: 20 }),
				async (names) => {
					const { sent, error } = await sendTo(
						names.join('-'),
						Object.fromEntries(names.map((name) => [name, 1])),
						(body) => `Unknown parameter: '${Object.keys(body)[0]}'`,
					);
					expect(sent).toHaveLength(8);
					expect(error).toMatchObject({
						serverText: expect.stringContaining(`'${names[0]}'`) as string,
					});
				},
			),
		);
	});
});
