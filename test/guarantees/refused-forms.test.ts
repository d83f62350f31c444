/** What a server refuses about a conversation, a schema or a stream leads to the next form, which later requests have at once. */
import type { JsonRecord } from '../../lib/values/records';
import { asRecord, asRecords } from '../../lib/values/records';
import { useClock } from './support/fake-clock';
import { actionContext, chatModel, localLlama } from './support/node-runner';
import { CHAT, LLAMA_SERVER, text } from './support/responses';
import { sendJson, useServers } from '../support/servers/scripted-server';
import type { ScriptedServer } from '../support/servers/scripted-server';

const start = useServers();
const clock = useClock();

/** The rejection of a body; undefined if the server accepts it. */
type Refuse = (body: JsonRecord) => [status: number, message: string] | undefined;

async function serve(
	refuse: Refuse,
	written = '{"name":"x","city":"y","mood":"good"}',
): Promise<ScriptedServer> {
	const answer = text(written);
	return await start({
		...LLAMA_SERVER,
		[`POST ${CHAT}`]: (request, response) => {
			const refusal = refuse(JSON.parse(request.text) as JsonRecord);
			if (refusal === undefined) return answer(request, response);
			sendJson(response, { error: { message: refusal[1] } }, refusal[0]);
		},
	});
}

/** A tool turn with thinking, and one without. */
const HISTORY = [
	{ role: 'user', content: 'Weather?' },
	{
		role: 'assistant',
		content: 'Let me check.',
		tool_calls: [{ id: 'a', name: 'weather', args: { city: 'Rome' }, type: 'tool_call' }],
		additional_kwargs: { reasoning_content: 'I look it up.' },
	},
	{ role: 'tool', content: 'Sunny', tool_call_id: 'a' },
];

const LATER = [
	...HISTORY,
	{ role: 'assistant', content: 'Sunny.' },
	{ role: 'user', content: 'Thanks.' },
];

const WEATHER = {
	type: 'function',
	function: { name: 'weather', parameters: { type: 'object', properties: {} } },
};

const messagesOf = (body: JsonRecord) => asRecords(body.messages);
const hasThinking = (message: JsonRecord) => 'reasoning_content' in message;
const lacksThinking = (message: JsonRecord) =>
	message.tool_calls !== undefined && !hasThinking(message);

interface Row {
	title: string;
	refuse: Refuse;
	history?: readonly object[];
	parameters?: JsonRecord;
	/** The part of a body that the server refuses. */
	pick: (body: JsonRecord) => unknown;
	/** That part of a body that it accepts. */
	accepted: unknown;
	/** Words behind a colon or in quotation marks change one turn and teach nothing. Default: learned. */
	isLearned?: boolean;
}

const SCHEMA = JSON.stringify({
	type: 'object',
	properties: {
		name: { type: 'string' },
		city: { type: ['string', 'null'] },
		mood: { enum: ['good', 'bad', null] },
	},
	required: ['name', 'city', 'mood'],
});

const schemaOf = (body: JsonRecord) =>
	asRecord(asRecord(asRecord(body.response_format).json_schema).schema);
const writeSchema = (body: JsonRecord) => JSON.stringify(schemaOf(body));

const ROWS: readonly Row[] = [
	{
		title: 'content and thinking beside calls (gpt-oss)',
		refuse: (body) =>
			messagesOf(body).some(hasThinking)
				? [500, 'Cannot pass both content and thinking in an assistant message with tool calls!']
				: undefined,
		pick: (body) => messagesOf(body).filter(hasThinking),
		accepted: [],
	},
	{
		title: 'the field of thinking (pydantic)',
		refuse: (body) =>
			messagesOf(body).some(hasThinking)
				? [400, 'messages.1.assistant.reasoning_content: Extra inputs are not permitted']
				: undefined,
		pick: (body) => messagesOf(body).filter(hasThinking),
		accepted: [],
	},
	{
		title: 'thinking in a template',
		refuse: (body) =>
			messagesOf(body).some(hasThinking)
				? [400, 'Jinja Exception: reasoning is not supported in the history']
				: undefined,
		pick: (body) => messagesOf(body).filter(hasThinking),
		accepted: [],
	},
	{
		title: 'a tool turn without its thinking (DeepSeek)',
		history: LATER,
		refuse: (body) =>
			messagesOf(body).some(lacksThinking)
				? [400, 'The reasoning_content in the thinking mode must be passed back to the API']
				: undefined,
		pick: (body) => messagesOf(body).filter(lacksThinking),
		accepted: [],
	},
	{
		title: 'a tool turn without its thinking, in other words',
		history: LATER,
		refuse: (body) =>
			messagesOf(body).some(lacksThinking)
				? [
						422,
						'thinking is enabled but reasoning_content is missing in assistant tool call message',
					]
				: undefined,
		pick: (body) => messagesOf(body).filter(lacksThinking),
		accepted: [],
	},
	{
		title: 'tools with a stream',
		refuse: (body) => (body.stream === true ? [500, 'Cannot use tools with stream'] : undefined),
		pick: ({ stream, stream_options }) => ({ stream, stream_options }),
		accepted: { stream: false, stream_options: undefined },
	},
	{
		title: 'a list of types (LM Studio with MLX)',
		parameters: { responseFormat: 'jsonSchema', jsonSchema: SCHEMA },
		refuse: (body) =>
			/"type":\[|"enum":\[[^\]]*null/.test(writeSchema(body))
				? [400, "'type' must be a string"]
				: undefined,
		pick: writeSchema,
		accepted: expect.stringContaining('"anyOf":[{"type":"string"},{"type":"null"}]'),
	},
	...(
		[
			[422, 'properties.note.type: Expected string, received array'],
			[400, "Unsupported schema: 'type' is a list, expected a string"],
			[500, 'NotImplementedError: schema with several types (type lists) is not implemented'],
			[400, "Invalid type: ['string', 'null'] is not of type 'string' in the schema"],
		] as const
	).map(([status, message]): Row => ({
		title: `a list of types, as "${message}"`,
		parameters: { responseFormat: 'jsonSchema', jsonSchema: SCHEMA },
		refuse: (body) =>
			/"type":\[|"enum":\[[^\]]*null/.test(writeSchema(body)) ? [status, message] : undefined,
		pick: writeSchema,
		accepted: expect.stringContaining('"anyOf":[{"type":"string"},{"type":"null"}]'),
		isLearned: false,
	})),
	{
		title: 'null in any form',
		parameters: { responseFormat: 'jsonSchema', jsonSchema: SCHEMA },
		refuse: (body) =>
			/null/.test(writeSchema(body))
				? [400, 'Invalid json_schema: nullable types are not supported']
				: undefined,
		pick: writeSchema,
		accepted: expect.stringContaining('"required":["name"]'),
	},
];

describe('a server that refuses', () => {
	it.each(ROWS)(
		'the form that remains is sent to a server that refuses: $title',
		async ({ refuse, history = HISTORY, parameters, pick, accepted, isLearned = true }) => {
			const server = await serve(refuse);

			const { supplied } = await chatModel(server.url, { parameters: parameters ?? {} });
			const bound = parameters === undefined ? supplied.bindTools([WEATHER]) : supplied;
			const send = async () => await clock.passUntil(bound.invoke(history));
			const bodies = () => server.sent(CHAT);
			await send().catch(() => undefined);
			const first = bodies().length;
			expect(pick(bodies().at(-1)!)).toEqual(accepted);
			expect(refuse(bodies().at(-1)!)).toBeUndefined();
			await send().catch(() => undefined);
			const later = bodies().slice(first).map(pick);
			expect(isLearned ? later : later.slice(-1)).toEqual([accepted]);
		},
	);

	it('a form that is asked for by words of the user changes no thinking', async () => {
		const words = 'reasoning_content must be passed back';
		const server = await serve(() => [500, `Cannot read "${words}"`]);
		const { supplied } = await chatModel(server.url, {});
		const messages = [...LATER.slice(0, -1), { role: 'user', content: words }];
		await clock.passUntil(supplied.invoke(messages).catch(() => undefined));
		const thinking = server.sent(CHAT).map((body) => messagesOf(body).map(hasThinking));
		expect(new Set(thinking.map(String)).size).toBe(1);
	});
});

describe('the response format of Extract', () => {
	const OMITTED =
		'This server rejects the response format, so it was omitted. The node checked the answer against the schema.';
	const ANY_JSON =
		'This server rejects the schema as response format, so any JSON was requested. The node checked the answer against the schema.';
	const getType = (body: JsonRecord) => asRecord(body.response_format).type;

	interface FormatRow {
		title: string;
		refuse: Refuse;
		/** Types of the formats of the first request, and of each later one. */
		first: unknown[];
		later: unknown[];
		hints: string[];
	}

	const FORMATS: readonly FormatRow[] = [
		{
			title: 'the field in any form',
			refuse: (body) =>
				body.response_format ? [400, "'response_format' is not supported"] : undefined,
			first: ['json_schema', 'json_object', undefined],
			later: [undefined],
			hints: [OMITTED],
		},
		{
			title: 'the schema, by the name of the field',
			refuse: (body) =>
				getType(body) === 'json_schema'
					? [400, 'response_format zxq vlm: "text" or "json_object"']
					: undefined,
			first: ['json_schema', 'json_object'],
			later: ['json_object'],
			hints: [ANY_JSON],
		},
		{
			title: 'the schema, with a name within it',
			refuse: (body) =>
				getType(body) === 'json_schema'
					? [400, "Invalid schema for response_format: in 'properties', 'city' is not supported"]
					: undefined,
			first: ['json_schema', 'json_schema', 'json_schema', 'json_object'],
			later: ['json_object'],
			hints: [ANY_JSON],
		},
		{
			title: 'the field in any form, with a status of a failure',
			refuse: (body) => (body.response_format ? [500, 'response_format: zxq'] : undefined),
			first: ['json_schema', 'json_object', undefined],
			later: [undefined],
			hints: [OMITTED],
		},
	];

	it.each(FORMATS)(
		'is sent in the form that the server accepts, and the item says so: $title',
		async ({ refuse, first, later, hints }) => {
			const server = await serve(refuse, '{"city":"Rome"}');
			const extract = async () => {
				const before = server.sent(CHAT).length;
				const fake = actionContext(server.url, 'text:extract', {
					parameters: {
						text: 'Rome',
						fields: { field: [{ name: 'city', type: 'text' }] },
						options: {},
					},
					context: { getExecutionId: () => 'one execution' },
				});
				const [item] = await clock.passUntil(localLlama(fake));
				return {
					output: item!.json.output,
					formats: server.sent(CHAT).slice(before).map(getType),
					hints: fake.hints.map(({ message }) => message),
				};
			};
			const output = { city: 'Rome' };
			expect(await extract()).toEqual({ output, formats: first, hints });
			expect(await extract()).toEqual({ output, formats: later, hints });
			expect(await extract()).toEqual({ output, formats: later, hints });
		},
	);
});
