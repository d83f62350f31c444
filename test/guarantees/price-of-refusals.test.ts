/**
 * What a server that refuses a part of the requests costs: requests beyond one for each message, round or item. At most one more
 * in each execution than if what words taught were kept for all; two more for a server that names one field after the other.
 */
import { chatModel, run } from './support/node-runner';
import { CHAT, LLAMA_SERVER, text } from './support/responses';
import { isNightly } from '../support/jest/properties';
import { sendJson, useServers } from '../support/servers/scripted-server';
import type { Answer, ScriptedRequest, ScriptedServer } from '../support/servers/scripted-server';
import { asRecords } from '../../lib/values/records';
import type { JsonRecord } from '../../lib/values/records';

const start = useServers();
const answer = text('Hello.');

/** An error response: its status and its body. */
type Refusal = [status: number, body: JsonRecord];

interface Row {
	server: string;
	/** Undefined if the server accepts the body. */
	refuse(body: JsonRecord): Refusal | undefined;
	options?: JsonRecord;
	/** A system message after the first one. Default: none. */
	laterSystem?: string;
	/** Whether the prompt has a picture. */
	hasPicture?: boolean;
	/** Requests of each of three messages of a chat, which are executions. */
	messages: readonly number[];
	/** Requests of the four rounds of an agent, which are one. */
	rounds: number;
	/** Requests of a batch beyond one for each item. Its first four are sent at the same time. Default: not counted. */
	more?: number;
}

const hasSystem = ({ messages }: JsonRecord) =>
	asRecords(messages).some(({ role }) => role === 'system');
const refuseGemma: Row['refuse'] = (body) =>
	hasSystem(body) ? [400, { error: { message: 'System role not supported' } }] : undefined;
const toDetail = (name: string) => ({
	type: 'extra_forbidden',
	loc: ['body', name],
	msg: 'Extra inputs are not permitted',
});

const ROWS: readonly Row[] = [
	{
		server: 'one that accepts all',
		refuse: () => undefined,
		messages: [1, 1, 1],
		rounds: 4,
		more: 0,
	},
	{
		server: 'one that refuses a field',
		refuse: (body) =>
			'top_k' in body ? [400, { error: { message: 'Unknown field "top_k"' } }] : undefined,
		messages: [2, 2, 2],
		rounds: 5,
		more: 4,
	},
	{
		server: 'FastAPI, with an issue for each of two fields',
		refuse: (body) => {
			const detail = ['top_k', 'seed'].filter((name) => name in body).map(toDetail);
			return detail.length === 0 ? undefined : [422, { detail }];
		},
		messages: [2, 2, 2],
		rounds: 5,
		more: 4,
	},
	{
		server: 'LiteLLM before a paid model, with a list of two fields',
		refuse: (body) => {
			const names = ['top_k', 'seed'].filter((name) => name in body);
			const message = `litellm.UnsupportedParamsError: vertex_ai does not support parameters: [${names.map((name) => `'${name}'`).join(', ')}], for model=m`;
			return names.length === 0 ? undefined : [400, { error: { message } }];
		},
		messages: [2, 2, 2],
		rounds: 5,
		more: 4,
	},
	{
		// No recorded server does so (docs/decisions.md, "What words taught").
		server: 'one that names two fields one after the other',
		refuse: (body) => {
			const name = ['top_k', 'seed'].find((field) => field in body);
			return name === undefined
				? undefined
				: [400, { error: { message: `Unknown field "${name}"` } }];
		},
		messages: [3, 3, 3],
		rounds: 6,
		more: 8,
	},
	{
		server: 'Gemma or Mistral, with a system message',
		refuse: refuseGemma,
		messages: [3, 1, 1],
		rounds: 6,
		more: 5,
	},
	{
		// The operation Chat makes no such conversation.
		server: 'an old llama-server whose template fails with 500 on a later system message',
		laterSystem: 'Really brief.',
		refuse: ({ messages }) =>
			asRecords(messages)
				.slice(1)
				.some(({ role }) => role === 'system')
				? [500, { error: { message: 'Jinja Exception: Conversation roles must alternate' } }]
				: undefined,
		messages: [3, 1, 1],
		rounds: 6,
	},
	{
		server: 'Gemma or Mistral, with Retries 0',
		options: { maxRetries: 0 },
		refuse: refuseGemma,
		messages: [2, 2, 2],
		rounds: 5,
		more: 4,
	},
	{
		server: 'Gemma or Mistral, with a picture',
		hasPicture: true,
		refuse: refuseGemma,
		messages: [2, 2, 2],
		rounds: 5,
		more: 4,
	},
];

/** Items of the batch: each further one costs one request, so fewer show it. */
const ITEMS = isNightly ? 500 : 40;

const PIXEL =
	'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';

describe('a message, a round and an item', () => {
	it.each(ROWS)(
		'of $server',
		async ({ refuse, options = {}, hasPicture = false, laterSystem, ...price }) => {
			const question = hasPicture
				? [
						{ type: 'text', text: 'What is it?' },
						{ type: 'image_url', image_url: { url: `data:image/png;base64,${PIXEL}` } },
					]
				: 'Hi';
			const history = [
				['system', 'Be brief.'],
				['human', question],
				...(laterSystem === undefined
					? []
					: [
							['system', laterSystem],
							['human', 'Now.'],
						]),
			];
			const settings = { topK: 40, seed: 7, ...options };
			const ask = async (server: ScriptedServer, times: number) => {
				const before = server.sent(CHAT).length;
				const { supplied } = await chatModel(server.url, { parameters: { options: settings } });
				for (let round = 0; round < times; round++) await supplied.invoke(history);
				return server.sent(CHAT).length - before;
			};
			const chats = await serve(refuse);
			const messages = [await ask(chats, 1), await ask(chats, 1), await ask(chats, 1)];
			const rounds = await ask(await serve(refuse), 4);
			expect({ messages, rounds }).toEqual({ messages: price.messages, rounds: price.rounds });
			if (price.more === undefined) return;
			const batch = await serve(refuse, 4);
			const items = await run(batch.url, 'text:chat', {
				items: Array.from({ length: ITEMS }, () => ({
					json: {},
					...(hasPicture && { binary: { data: { data: PIXEL, mimeType: 'image/png' } } }),
				})),
				parameters: {
					prompt: 'Hi',
					system: 'Be brief.',
					options: {
						...settings,
						maxConcurrentItems: 4,
						...(hasPicture && { binaryFields: 'data' }),
					},
				},
				credentials: { baseUrl: batch.url, maxConcurrentRequests: 4 },
			});
			expect(items).toHaveLength(ITEMS);
			const more = batch.sent(CHAT).length - ITEMS;
			expect(more).toBe(price.more);
		},
	);
});

/**
 * @param together - Responds to the first requests when as many have arrived. Default: to each at once.
 */
async function serve(refuse: Row['refuse'], together = 1): Promise<ScriptedServer> {
	const held: Array<() => void> = [];
	const respond: Answer = (request: ScriptedRequest, response) => {
		const refusal = refuse(request.body);
		if (refusal === undefined) return answer(request, response);
		sendJson(response, refusal[1], refusal[0]);
	};
	let arrived = 0;
	return await start({
		...LLAMA_SERVER,
		[`POST ${CHAT}`]: (request, response) => {
			arrived++;
			held.push(() => void respond(request, response));
			if (arrived >= together) for (const release of held.splice(0)) release();
		},
	});
}
