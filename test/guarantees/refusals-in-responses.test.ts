/** A refusal is one wherever it stands: with its status, as the first event of a stream, or as the body of a 200. */
import type { JsonRecord } from '../../lib/values/records';
import { asRecord, asRecords } from '../../lib/values/records';
import { useClock } from './support/fake-clock';
import { chatModel } from './support/node-runner';
import { CHAT, delta, LLAMA_SERVER, openStream, sse, text } from './support/responses';
import { sendJson, useServers } from '../support/servers/scripted-server';
import type { Answer } from '../support/servers/scripted-server';

const start = useServers();
const clock = useClock();

type Send = (body: JsonRecord, status: number) => Answer;

/** Where a server puts the error. */
const PLACES: Readonly<Record<string, Send>> = {
	'with its status': (body, status) => (_request, response) => sendJson(response, body, status),
	'as the first event': (body) => (_request, response) => {
		openStream(response);
		response.end(sse(body));
	},
	'after an event with a role': (body) => (_request, response) => {
		openStream(response);
		response.end(sse(delta({ role: 'assistant', content: '' }), body));
	},
	'as a line of a stream': (body) => (_request, response) => {
		openStream(response);
		response.end(`: ping\n\nerror: ${JSON.stringify(body)}\n\n`);
	},
	'as the body of a 200': (body) => (_request, response) => sendJson(response, body, 200),
};

interface Row {
	title: string;
	status: number;
	error: JsonRecord;
	parameters?: JsonRecord;
	isRefused(body: JsonRecord): boolean;
}

const MESSAGES = [
	{ role: 'user', content: 'Hi' },
	{ role: 'assistant', content: 'Hello.' },
	{ role: 'system', content: 'Be short.' },
	{ role: 'user', content: 'Weather?' },
];
const SCHEMA = '{"type":"object","properties":{"a":{"type":"string"}},"required":["a"]}';
const JSON_ANSWER = '{"a":"b"}';

const ROWS: readonly Row[] = [
	{
		title: 'an option, by its name',
		status: 400,
		error: { error: { message: 'Unknown field "top_k"', code: 400 } },
		parameters: { options: { topK: 40 } },
		isRefused: (body) => body.top_k !== undefined,
	},
	{
		title: 'an option, with another status',
		status: 422,
		error: { error: { message: "Unsupported parameter: 'top_k'", code: 422 } },
		parameters: { options: { topK: 40 } },
		isRefused: (body) => body.top_k !== undefined,
	},
	{
		title: 'a field that the node adds, without any status',
		status: 400,
		error: { error: { message: 'This field is not supported.', param: 'stream_options' } },
		isRefused: (body) => body.stream_options !== undefined,
	},
	{
		title: 'the conversation, as a template does (LM Studio)',
		status: 400,
		error: { error: 'Error rendering prompt with jinja template: "System must be first."' },
		isRefused: (body) =>
			asRecords(body.messages)
				.slice(1)
				.some(({ role }) => role === 'system'),
	},
	{
		title: 'the schema',
		status: 400,
		error: {
			error: { message: "'response_format.type' must be 'text' or 'json_object'", code: 400 },
		},
		parameters: { responseFormat: 'jsonSchema', jsonSchema: SCHEMA },
		isRefused: (body) => asRecord(body.response_format).type === 'json_schema',
	},
];

describe.each(ROWS)('a server that refuses $title', ({ status, error, parameters, isRefused }) => {
	test.each(Object.entries(PLACES))('%s gets the form that it accepts', async (_place, send) => {
		const server = await start({
			...LLAMA_SERVER,
			[`POST ${CHAT}`]: (request, response) => {
				const isGood = !isRefused(request.body);
				return (isGood ? text(JSON_ANSWER) : send(error, status))(request, response);
			},
		});
		const { supplied } = await chatModel(server.url, { parameters: parameters ?? {} });
		const message = await clock.passUntil(supplied.invoke(MESSAGES));
		expect(message.content).toBe(JSON_ANSWER);
		expect(server.sent(CHAT).length).toBeLessThanOrEqual(3);
	});
});

test.each([
	[
		'with a status of failure in it',
		{ error: { message: 'Unknown field "top_k"', code: 500 } },
		'',
	],
	['after output', { error: { message: 'Unknown field "top_k"', code: 400 } }, 'Hel'],
])('an error %s changes no field', async (_title, error, content) => {
	const server = await start({
		...LLAMA_SERVER,
		[`POST ${CHAT}`]: (_request, response) => {
			openStream(response);
			response.end(sse(delta({ content }), error));
		},
	});
	const { supplied } = await chatModel(server.url, { parameters: { options: { topK: 40 } } });
	await clock.passUntil(supplied.invoke('Hi').catch(() => undefined));
	expect(new Set(server.sent(CHAT).map(({ top_k: topK }) => topK))).toEqual(new Set([40]));
});

describe.each(
	[400, 401, 402, 403, 404, 405, 408, 409, 413, 422, 424, 429, 500, 501, 502, 503, 504, 529].map(
		(status) => ({ status, isRefusal: [400, 404, 422].includes(status) }),
	),
)(
	'an error of a field with $status in it changes the field: $isRefusal',
	({ status, isRefusal }) => {
		const places = Object.entries(PLACES).filter(
			// There, the status is that of the response.
			([place]) => place !== 'with its status' || isRefusal,
		);

		test.each(places)('%s', async (_place, send) => {
			const error = { error: { message: 'Unknown field "top_k"', code: status } };
			const server = await start({
				...LLAMA_SERVER,
				[`POST ${CHAT}`]: (request, response) =>
					(request.body.top_k === undefined ? text('Hi') : send(error, status))(request, response),
			});
			const { supplied } = await chatModel(server.url, { parameters: { options: { topK: 40 } } });
			const outcome = await clock.passUntil(
				supplied.invoke('Hi').then(
					({ content }) => content,
					() => 'error',
				),
			);
			const values = server.sent(CHAT).map(({ top_k: topK }) => topK);
			expect({ outcome, values: [...new Set(values)] }).toEqual(
				isRefusal ? { outcome: 'Hi', values: [40, undefined] } : { outcome: 'error', values: [40] },
			);
		});
	},
);

test('of two errors before any output, the first one counts', async () => {
	const server = await start({
		...LLAMA_SERVER,
		[`POST ${CHAT}`]: (request, response) => {
			if (request.body.top_k === undefined) {
				text('Hi')(request, response);
				return;
			}
			openStream(response);
			const refusal = { error: { message: 'Unknown field "top_k"', code: 400 } };
			response.end(sse(refusal, { error: { message: 'It broke', code: 500 } }));
		},
	});
	const { supplied } = await chatModel(server.url, { parameters: { options: { topK: 40 } } });
	expect((await clock.passUntil(supplied.invoke('Hi'))).content).toBe('Hi');
	expect(server.sent(CHAT)).toHaveLength(2);
});
