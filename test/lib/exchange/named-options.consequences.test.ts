/** What is done about a response that names fields: which places it names, which options, and what is sent instead. */
import path from 'node:path';
import { createServerError } from '../../../lib/errors/create-error';
import { findPlaces, namesSentField } from '../../../lib/exchange/named-fields';
import { labelOptions } from '../../../lib/exchange/named-options';
import { omitRejectedField } from '../../../lib/exchange/omit-rejected-field';
import { toRejection } from '../../../lib/exchange/rejection';
import type { RequestField, RequestFields } from '../../../lib/exchange/request-fields';
import { adviseDuration } from '../../../lib/exchange/request-fields';
import type { JsonRecord } from '../../../lib/values/records';
import { omitUndefined } from '../../../lib/values/records';
import { expectApproved } from '../../support/approved/approved-table';
import { toSentRequest } from './sent-request';

const option = (field: string, label: string, more: Partial<RequestField> = {}): RequestField => ({
	field,
	label,
	canOmit: true,
	...more,
});

const FIELDS: RequestFields = {
	rows: [
		option('model', 'Model'),
		option('messages', 'Prompt', { canOmit: false, parts: ['content'] }),
		option('seed', 'Seed', { default: 7 }),
		option('top_k', 'Top K'),
		option('temperature', 'Temperature', { canOmit: false }),
		option('max_tokens', 'Maximum Tokens', {
			otherNames: ['max_completion_tokens', 'num_predict'],
		}),
		option('stop', 'Stop Sequences'),
		option('keep_alive', 'Keep Alive', { getAdvice: () => adviseDuration('Keep Alive') }),
		option('tools', 'Tools'),
		option('tool_choice', 'Tool Choice'),
		{ field: 'stream_options', label: undefined, canOmit: true, isTechnical: true },
		{ field: 'logprobs', label: undefined, canOmit: true },
	],
	extraBody: { min_p: 0.1, options: { mirostat: 1 } },
};

const BODY: JsonRecord = {
	model: 'qwen3',
	messages: [{ role: 'user', content: 'What does "presence" of top_p mean? tfs_z' }],
	seed: 7,
	top_k: 40,
	temperature: 0.2,
	max_tokens: 100,
	stop: ['END'],
	keep_alive: '5x',
	tools: [],
	tool_choice: 'auto',
	stream_options: { include_usage: true },
	logprobs: true,
	min_p: 0.1,
};

/** Bodies by what differs. */
const BODIES: Readonly<Record<string, JsonRecord>> = {
	'': BODY,
	'with another seed': { ...BODY, seed: 8 },
	'with a required call': { ...BODY, tool_choice: 'required' },
	'with names in the prompt': {
		...BODY,
		messages: [{ role: 'user', content: 'Say "seed" or top_k' }],
	},
	'with both limits': { ...BODY, max_completion_tokens: 9 },
	'with another limit in Extra Body': { ...BODY, max_completion_tokens: 9 },
	"in Ollama's options": {
		model: 'qwen3',
		messages: [],
		options: { top_k: 40, num_predict: 100, mirostat: 1 },
	},
};

interface Response {
	text: string;
	status?: number;
	param?: string;
	codes?: readonly string[];
	body?: keyof typeof BODIES;
	type?: 'promptTooLong';
	/** Default: true. */
	isServerText?: boolean;
	/** Default: none. */
	field?: string;
	facts?: Record<string, unknown>;
}

const unknown = (name: string) => `Unknown parameter: '${name}'.`;

const RESPONSES: readonly Response[] = [
	...['seed', 'top_k', 'temperature', 'model', 'messages', 'tools', 'tool_choice'].map((name) => ({
		text: unknown(name),
	})),
	...['stream_options', 'logprobs', 'min_p', 'mirostat', 'keep_alive', 'top_p', 'stop[]'].map(
		(name) => ({ text: unknown(name) }),
	),
	{ text: unknown('seed'), body: 'with another seed' },
	{ text: unknown('tool_choice'), body: 'with a required call' },
	{ text: unknown('top_k'), body: "in Ollama's options" },
	{ text: unknown('mirostat'), body: "in Ollama's options" },
	{ text: unknown('seed'), status: 500 },
	{ text: 'No.', param: 'seed' },
	{ text: 'No.', param: 'seed', codes: ['unsupported_parameter'] },
	{ text: 'No.', param: 'messages[0].content' },
	{ text: "No 'top_k' here.", param: 'seed' },
	{ text: "Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens' instead." },
	{ text: "Unsupported parameter: 'max_completion_tokens'. Use 'max_tokens'." },
	{ text: "Unsupported parameter: 'max_tokens'." },
	{ text: "'top_k' must be below 20" },
	{ text: "'top_k' and 'temperature' must be below 20" },
	{ text: "'top_k', 'temperature' and 'seed' must be below 20" },
	{ text: "'seed' is fine, 'top_k' is not supported" },
	{ text: "'top_k' is not supported, 'seed' is fine" },
	{ text: 'body.top_k: Extra inputs are not permitted' },
	{ text: 'body -> top_k: Input should be valid' },
	{ text: 'top_k: must be positive' },
	{ text: 'messages[0].content: must not be empty' },
	{ text: '1 validation error\ntop_k\n  Input should be greater' },
	{ text: 'json: cannot unmarshal string into ChatRequest.temperature' },
	{ text: 'cannot open model.gguf or /models/top_k.bin' },
	{ text: 'setting top_k is not possible' },
	{ text: 'the stop word is wrong' },
	{ text: 'the ‘stop’ word is “wrong”, `seed` too' },
	{ text: 'Unknown "presence" and top_p, tfs_z' },
	{ text: 'Unknown: {"model": "qwen3", "top_k": 40} in request' },
	{ text: 'Unknown: {"model": "other", "top_k": 40} in request' },
	{ text: "Unknown: {'model': 'qwen3', 'seed': {'a': 1}}, \"temperature\" too" },
	{ text: 'Unknown: {"model": "qwen3", "top_k": 40' },
	{ text: 'Unknown: {"model": "qwen3", "a": {"b": 1}, "top_k": 40' },
	{ text: 'body.seed.top_k: Extra inputs are not permitted' },
	{ text: unknown('seed'), isServerText: false },
	{ text: unknown('seed'), field: 'Top K' },
	{ text: 'Wrong: "seed", top_k, temperature_k', body: 'with names in the prompt' },
	{ text: 'Unknown: "seed", "temperature"', body: 'with names in the prompt' },
	{ text: unknown('max_tokens'), body: 'with both limits' },
	{ text: unknown('max_tokens'), body: 'with another limit in Extra Body' },
	{
		text: "Unsupported parameter: 'max_completion_tokens'. Use 'max_tokens'.",
		body: 'with both limits',
	},
	{ text: "'stream_options' is wrong" },
	{ text: "'content' is empty" },
	{
		text: "'max_tokens' is too large",
		type: 'promptTooLong',
		facts: { n_prompt_tokens: 9, n_ctx: 8 },
	},
	{
		text: "'max_tokens' is too large",
		type: 'promptTooLong',
		facts: { n_prompt_tokens: 7, n_ctx: 8 },
	},
];

const handle = (response: Response) => {
	const { text, status = 400, param, codes = [], body = '', type, facts } = response;
	const { isServerText = true, field } = response;
	const sent = BODIES[body]!;
	const isExtra = body === 'with another limit in Extra Body';
	const fields = {
		...FIELDS,
		extraBody: { ...FIELDS.extraBody, ...(isExtra && { max_completion_tokens: 9 }) },
	};
	const before = structuredClone(sent);
	const error = createServerError(
		type ?? 'badRequest',
		{},
		{
			sentence: isServerText ? text : undefined,
			serverText: text,
			field,
			facts: omitUndefined({ param, ...facts }),
			report: { status, codes: [...codes], isOfGateway: false },
		},
	);
	const rejection = toRejection({ error, ...toSentRequest(sent), isRepeated: false });
	const changes = omitRejectedField(fields)(rejection, sent);
	const changed = changes.reduce((body, { apply }) => apply(body), sent);
	const join = (texts: ReadonlyArray<string | undefined>) =>
		texts.filter((text) => text !== undefined).join(', ') || undefined;
	const isChanged = changes.length > 0;
	const names = [...new Set([...Object.keys(sent), ...Object.keys(changed)])];
	const labelled = labelOptions(error, fields, toSentRequest(sent));
	expect(sent).toEqual(before);
	return omitUndefined({
		places: findPlaces(error, sent)
			.map(({ path: segments, isSent, index }) =>
				[segments.join('.'), isSent ? '' : '?', index === undefined ? ' beside' : ''].join(''),
			)
			.join(', '),
		namesSent: namesSentField(error, toSentRequest(sent)),
		field: labelled.error === error ? undefined : labelled.error.field,
		options: labelled.options,
		change: join(changes.map(({ name }) => name)),
		warning: join(changes.map(({ warning }) => warning)),
		gone: !isChanged
			? undefined
			: names.filter((name) => Object.hasOwn(sent, name) && !Object.hasOwn(changed, name)),
		added: !isChanged ? undefined : names.filter((name) => !Object.hasOwn(sent, name)),
	});
};

test('each response that names fields has its consequences', () => {
	const rows = RESPONSES.map((response) => {
		const { text, ...rest } = response;
		const details = Object.keys(rest).length > 0 ? ` ${JSON.stringify(rest)}` : '';
		return { input: `${text}${details}`, outcome: handle(response) };
	});
	expectApproved(
		path.join(__dirname, 'named-options.consequences.approved.txt'),
		rows,
		'A rejected field is omitted only if the server itself rejects it, and the option is named',
	);
});

test('the keys of an issue of pydantic name nothing; its place does', () => {
	const issue = { type: 'int_type', loc: ['body', 'max_tokens'], msg: 'An integer', input: [4] };
	const inPython =
		"[{'type': 'int_type', 'loc': ('body', 'max_tokens'), 'msg': 'An integer', 'input': [4]}]";
	for (const serverText of [JSON.stringify([issue]), inPython])
		expect(
			findPlaces({ serverText, facts: {} }, { input: 'cat', type: 'x', max_tokens: 4 }).map(
				({ name }) => name,
			),
		).not.toContain('input');
	const places = findPlaces({ serverText: "'input': too long", facts: {} }, { input: 'cat' });
	expect(places.map(({ name }) => name)).toContain('input');
});
