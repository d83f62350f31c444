/** What one exchange taught meets another that differs in one part: a value of an option, the model, the task, the server, the execution. */
import fc from 'fast-check';
import { adjustNullInSchema } from '../../../lib/chat/body/schema-forms';
import { adjustThinkingInHistory, omitStreamWithTools } from '../../../lib/chat/body/history-forms';
import { enforceStrictRoles } from '../../../lib/chat/body/strict-roles';
import { changeFormat, changeThinking } from '../../../lib/exchange/adaptations';
import { omitRejectedField } from '../../../lib/exchange/omit-rejected-field';
import { asServerErrorOrThrow } from '../../../lib/errors/server-error';
import { requestSegments } from '../../../lib/tasks/transcript-hints';
import type { JsonRecord } from '../../../lib/values/records';
import { asRecord, asRecords } from '../../../lib/values/records';
import { combine } from '../../support/approved/outcome';
import { examples } from '../../support/jest/properties';
import { runExchange, scriptedServer } from './scripted-exchange';
import { transport } from './scripted-transport';
import type { Reply } from './scripted-transport';

jest.mock('../../../lib/http/send-request', () =>
	jest.requireActual<object>('./scripted-transport'),
);
jest.mock('../../../lib/http/sleep', () =>
	jest.requireActual<object>('../../support/waiting/still-clock'),
);

let count = 0;
/** A path at which nothing is known yet. */
const newPath = () => `second-subject-${++count}`;

/** A server that accepts every body but those with one thing in it. */
interface Server {
	title: string;
	/** Of the field that it rejects, or of the part of a message. `undefined`: without it. */
	values: readonly unknown[];
	toBody(value: unknown): JsonRecord;
	rejects(body: JsonRecord): boolean;
	/** In which it says what it rejects. */
	message: string;
	/** Whether it is asked twice, since no word says what it rejects. */
	isProven?: true;
}

const ofField = (field: string, values: readonly unknown[]) => ({
	values: [undefined, ...values],
	toBody: (value: unknown): JsonRecord => ({
		messages: [{ role: 'user', content: 'Hi' }],
		...(value !== undefined && { [field]: value }),
	}),
});

const EFFORTS = ['minimal', 'low', 'high', 'none', true, false];
const FORMATS = [
	{ type: 'text' },
	{ type: 'json_object' },
	{ type: 'json_schema', json_schema: { name: 'a', schema: { type: 'object' } } },
];
const getFormat = ({ response_format: format }: JsonRecord) => asRecord(format).type;
const getMessages = ({ messages }: JsonRecord) => asRecords(messages);

const SERVERS: readonly Server[] = [
	...['think', 'reasoning_effort'].map((field) => ({
		title: `${field} minimal`,
		...ofField(field, EFFORTS),
		rejects: (body: JsonRecord) => body[field] === 'minimal',
		message: 'invalid think value: "minimal"',
	})),
	{
		title: 'a field',
		...ofField('top_k', [1, 0, 40]),
		rejects: (body) => 'top_k' in body,
		message: "Unknown parameter: 'top_k'",
	},
	{
		title: 'a field with another name',
		...ofField('max_tokens', [1, 512]),
		rejects: (body) => 'max_tokens' in body,
		message:
			"Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.",
	},
	{
		title: 'a format with a schema',
		...ofField('response_format', FORMATS),
		rejects: (body) => getFormat(body) === 'json_schema',
		message: 'response_format type must be one of "text" or "json_object", but got: json_schema',
	},
	{
		title: 'a format without a schema',
		...ofField('response_format', FORMATS),
		rejects: (body) => getFormat(body) === 'json_object',
		message: "'response_format.type' must be 'json_schema' or 'text'",
	},
	{
		title: 'null in a schema',
		...ofField(
			'response_format',
			[['string', 'null'], 'string'].map((type) => ({
				type: 'json_schema',
				json_schema: { name: 'a', schema: { type: 'object', properties: { a: { type } } } },
			})),
		),
		rejects: (body) => JSON.stringify(body).includes('["string","null"]'),
		message: "'type' must be a string",
	},
	{
		title: 'subtitles',
		...ofField('response_format', ['srt', 'vtt', 'text', 'json', 'verbose_json']),
		rejects: ({ response_format: format }) => format === 'srt' || format === 'vtt',
		message: "response_format must be 'json', 'text' or 'verbose_json'",
	},
	{
		title: 'a stream with tools',
		values: [true, false].flatMap((stream) =>
			[[], [{ name: 'a' }]].map((tools) => [stream, tools]),
		),
		toBody: (value) => {
			const [stream, tools] = value as unknown[];
			return { messages: [{ role: 'user', content: 'Hi' }], stream, tools };
		},
		rejects: ({ stream, tools }) => stream === true && asRecords(tools).length > 0,
		message: 'Cannot use tools with stream',
	},
	{
		title: 'earlier thinking',
		values: [undefined, 'Hm'],
		toBody: (value) => ({
			messages: [
				{ role: 'user', content: 'Hi' },
				{
					role: 'assistant',
					content: 'A',
					...(value !== undefined && { reasoning_content: value }),
				},
				{ role: 'user', content: 'B' },
			],
		}),
		rejects: (body) => getMessages(body).some((message) => 'reasoning_content' in message),
		message: "reasoning_content is not supported: 'reasoning_content'",
	},
	{
		title: 'a later system message',
		values: ['user', 'system'],
		toBody: (role) => ({
			messages: [
				{ role: 'user', content: 'Hi' },
				{ role: 'assistant', content: 'A' },
				{ role, content: 'B' },
			],
		}),
		rejects: (body) => getMessages(body).some(({ role }, at) => role === 'system' && at > 0),
		message: 'roles must alternate',
		isProven: true,
	},
];

const ROWS = ['top_k', 'max_tokens'].map((field) => ({ field, label: field, canOmit: true }));
const adaptations = {
	field: [omitRejectedField({ rows: ROWS }), changeThinking],
	format: [adjustNullInSchema, requestSegments, changeFormat],
	conversation: [adjustThinkingInHistory, omitStreamWithTools],
	strictForm: [enforceStrictRoles],
};

/** The bodies of an exchange. */
async function send(path: string, body: JsonRecord) {
	await runExchange(scriptedServer(path, 'other', path), body, { adaptations, model: 'm' });
	return transport.sent.map((request) => request.body);
}

describe('what a server taught about one value changes no body that it would have accepted', () => {
	test.each(SERVERS)('$title', async ({ values, toBody, rejects, message, isProven }) => {
		transport.reply = ({ body }) =>
			rejects(body) ? { type: 'rejected', message } : { type: 'usable' };
		const bodies = values.map(toBody);
		const rejected = bodies.filter(rejects);
		const accepted = bodies.filter((body) => !rejects(body));
		expect(rejected).not.toEqual([]);
		expect(accepted).not.toEqual([]);
		for (const first of rejected) {
			const path = newPath();
			const lesson = await send(path, first);
			expect(lesson).toHaveLength(isProven ? 3 : 2);
			for (const second of accepted)
				expect({ after: first, sent: await send(path, second) }).toEqual({
					after: first,
					sent: [second],
				});
			expect(await send(path, first)).toEqual([lesson.at(-1)]);
		}
	});
});

/** A part in which the second exchange differs from the first. */
const PARTS = ['model', 'learningScope', 'path', 'execution'] as const;
type Part = (typeof PARTS)[number];

const reject = (message: string, status = 400): Reply => ({ type: 'rejected', status, message });

/** What a server may say again and again: while it is busy, broken, or does not have what was asked for. */
const REPLIES: Readonly<Record<string, Reply>> = {
	busy: reject('Too many requests', 429),
	overloaded: reject('Unavailable', 503),
	broken: reject('CUDA error', 500),
	crashed: reject('The model has crashed', 400),
	'without the field': reject("Unknown parameter: 'top_k'"),
	'without the route': reject('Not Found', 404),
	lost: { type: 'lost' },
	unusable: { type: 'output', errorType: 'emptyResponse' },
};

/** Which parts do not divide what is known, with the reason. */
const SHARED: ReadonlyArray<{ part: Part; reply: string; reason: string }> = [
	{
		part: 'learningScope',
		reply: 'busy',
		reason: 'one model is as busy for each task',
	},
	{
		part: 'learningScope',
		reply: 'overloaded',
		reason: 'one model is as busy for each task',
	},
	...['busy', 'overloaded'].map((reply) => ({
		part: 'execution' as const,
		reply,
		reason: 'one model is as busy for each execution',
	})),
];

describe('an exchange that differs in one part sends what it would alone', () => {
	const others = combine({ part: PARTS, reply: Object.keys(REPLIES) }).filter(
		(one) => !SHARED.some(({ part, reply }) => part === one.part && reply === one.reply),
	);

	/** Which requests an exchange sends to which URLs, and what becomes of it. */
	async function play(subject: Record<Part, string>, replies: readonly Reply[]) {
		const { path, execution, ...options } = subject;
		transport.reply = () => replies[transport.sent.length - 1] ?? replies.at(-1)!;
		const outcome = await runExchange(
			scriptedServer(path, 'other', execution),
			{ top_k: 1 },
			{ ...options, adaptations },
		)
			.then(({ warnings }) => warnings.join())
			.catch((error: unknown) => {
				const { type, detail, suggestion } = asServerErrorOrThrow(error);
				return [type, detail, suggestion].join(' | ');
			});
		const sent = transport.sent.map(({ url, body }) => ({
			url: url.replaceAll(path, ''),
			fields: Object.keys(body),
		}));
		return { outcome, sent };
	}

	const then = fc.array(fc.constantFrom(...Object.values(REPLIES)), { maxLength: 3 });

	test.each(others)('after $reply: another $part', async ({ part, reply }) => {
		await fc.assert(
			fc.asyncProperty(then, async (replies) => {
				const rest: Reply[] = [...replies, { type: 'usable' }];
				const execution = newPath();
				const first = { model: 'a', learningScope: 'chat', path: newPath(), execution };
				const changed = {
					model: 'b',
					learningScope: 'images',
					path: newPath(),
					execution: newPath(),
				}[part];
				const second = { ...first, [part]: changed };
				await play(first, [REPLIES[reply]!]);
				const after = await play(second, rest);
				expect(after).toEqual(await play({ ...second, path: newPath() }, rest));
			}),
			examples(30),
		);
	});
});
