/**
 * Promises to users. Whatever a server writes, its sentence is a short title without a key, at every door; where a title goes
 * further than the owner of the workflow, the node's own sentence goes.
 */
import type { INodeParameters, NodeOperationError } from 'n8n-workflow';
import { DifyApi } from '../../credentials/DifyApi.credentials';
import { LocalLlamaApi } from '../../credentials/LocalLlamaApi.credentials';
import { testCredential } from '../support/n8n/credential-test';
import { useServers } from '../support/servers/scripted-server';
import type { Answer, ScriptedServer } from '../support/servers/scripted-server';
import { prepare, execute } from '../recordings/support/dify-node-runner';
import { delta, LLAMA_SERVER, sendEvents, sse } from './support/responses';
import { chatModel, failureOf, modelList, run, streamOf } from './support/node-runner';

jest.mock('n8n-workflow', () => jest.requireActual<object>('../recordings/support/mock-sleep'));

const start = useServers();

const KEY = ['tk', 'Zx81', 'qWeRtY'].join('-');
const CREDENTIALS = { authentication: 'bearer', apiKey: KEY };
const PROMPT = `Summarize what Ada wrote about engines. ${'Engines turn wheels, and wheels turn engines. '.repeat(20)}`;
const ONCE = { options: { maxRetries: 0 } };
const TOOL = {
	type: 'function',
	function: { name: 'look', description: 'Looks.', parameters: { type: 'object', properties: {} } },
};

/** What a server sends. */
interface Sent {
	name: string;
	status?: number;
	type?: string;
	body: string | Buffer;
	/** A part of its sentence, which the title must have. Default: it wrote none. */
	cause?: string;
}

const SENTENCE = 'The tenant Acme has closed its account';

const toBody = (message: string) => JSON.stringify({ error: { message }, message });

/** A text in JSON in a text in JSON, and so on. */
function nest(message: string, levels: number): string {
	let body = message;
	for (let level = 0; level < levels; level++) {
		body = JSON.stringify({ error: { message: body } });
		// Escapes double with every level.
		if (body.length > 200_000) break;
	}
	return body;
}

function nestObjects(message: string, levels: number): string {
	return `${'{"error":'.repeat(levels)}{"message":${JSON.stringify(message)}}${'}'.repeat(levels)}`;
}

const SENT: readonly Sent[] = [
	{
		name: 'a megabyte behind its first sentence',
		body: toBody(`${SENTENCE}. ${'Ask the owner of it. '.repeat(50_000)}`),
		cause: SENTENCE,
	},
	{ name: 'a megabyte without a space', body: toBody('x'.repeat(1_000_000)), cause: 'xxxx' },
	{ name: 'a megabyte of brackets', body: `{"error":${'['.repeat(1_000_000)}` },
	{
		name: 'a megabyte of a page',
		type: 'text/html',
		body: `<html>${'<p>Wait</p>'.repeat(90_000)}</html>`,
	},
	{ name: 'an empty body', body: '' },
	{ name: 'spaces', body: ' \n\t ' },
	{ name: 'Chinese', body: toBody('租户已关闭账户。请联系管理员。'), cause: '租户已关闭账户' },
	{
		name: 'Arabic',
		body: toBody('أغلق المستأجر حسابه. اتصل بالمسؤول.'),
		cause: 'أغلق المستأجر حسابه',
	},
	{
		name: 'Hindi',
		body: toBody('किरायेदार ने खाता बंद कर दिया है। व्यवस्थापक से पूछें।'),
		cause: 'किरायेदार ने',
	},
	{
		name: 'UTF-16 with its mark',
		body: Buffer.from(`\uFEFF${toBody(SENTENCE)}`, 'utf16le'),
		cause: SENTENCE,
	},
	{
		name: 'UTF-16 in the other order',
		body: Buffer.from(`\uFEFF${toBody(SENTENCE)}`, 'utf16le').swap16(),
		cause: SENTENCE,
	},
	{ name: 'plain text', type: 'text/plain', body: `${SENTENCE}.\n\nSee the log.`, cause: SENTENCE },
	{
		name: 'the request',
		body: toBody(`${SENTENCE}, so it does not read: ${PROMPT}`),
		cause: SENTENCE,
	},
	{ name: 'the key', body: toBody(`${SENTENCE}: Bearer ${KEY}`), cause: SENTENCE },
	{
		name: 'the key in JSON inside of a text',
		body: toBody(`${SENTENCE} {"authorization": "Bearer ${KEY}"}`),
		cause: SENTENCE,
	},
	{ name: 'three texts of JSON in each other', body: nest(SENTENCE, 3), cause: SENTENCE },
	{ name: 'as many texts of JSON in each other as fit', body: nest(SENTENCE, 50) },
	{ name: 'fifty objects in each other', body: nestObjects(SENTENCE, 50) },
	{
		name: 'a title with controls and marks of direction',
		body: toBody(`${SENTENCE}\u202e\u0007\u001b[31m. More.`),
		cause: SENTENCE,
	},
];

const respond =
	({ status = 400, type = 'application/json', body }: Sent): Answer =>
	(_request, response) =>
		response.writeHead(status, { 'content-type': type }).end(body);

/** Title and text of an error where a person reads them. */
type Door = (server: ScriptedServer) => Promise<{ title: string; text: string }>;

const readError = async (work: Promise<unknown>) => {
	const { message, description, context, messages } = await failureOf(work);
	return { title: message, text: JSON.stringify([message, description, context, messages]) };
};

const setup = { credentials: CREDENTIALS, parameters: ONCE };

const DOORS: Readonly<Record<string, Door>> = {
	chat: async ({ url }) => await readError((await chatModel(url, setup)).supplied.invoke(PROMPT)),
	agent: async ({ url }) =>
		await readError(
			(await chatModel(url, setup)).supplied.invoke(PROMPT, { tools: [TOOL] } as never),
		),
	Embed: async ({ url }) =>
		await readError(
			run(url, 'vector:embed', {
				credentials: { baseUrl: url, ...CREDENTIALS },
				parameters: { text: PROMPT, ...ONCE },
			}),
		),
	'Dify chat': async ({ url }) =>
		await readError(
			execute(
				'difyChatMessage',
				prepare(
					'difyChatMessage',
					'',
					{ baseUrl: url, apiKey: KEY },
					{
						query: PROMPT,
						user: 'u1',
						conversation: 'new',
						inputsMode: 'json',
						inputsJson: '{}',
						files: {},
						simplify: true,
						...ONCE,
					},
				),
			),
		),
};

describe.each(Object.entries(DOORS))('%s', (door, open) => {
	test.each(SENT)('a title of one sentence for $name', async (sent) => {
		const { cause = '' } = sent;
		const answer = respond(sent);
		const isDify = door === 'Dify chat';
		const server = await start(isDify ? answer : { ...LLAMA_SERVER, ...toPosts(answer) });
		const { title, text } = await open(server);
		expect(title).not.toBe('');
		expect([...title].length).toBeLessThan(200);
		expect(title).not.toMatch(/[\p{Cc}\u202e]/u);
		expect(title).toContain(cause);
		expect(title).not.toContain('Ada wrote');
		expect(text).not.toContain(KEY);
	});
});

const toPosts = (answer: Answer) => ({
	'POST /v1/chat/completions': answer,
	'POST /v1/embeddings': answer,
});

describe('lists and tests of credentials', () => {
	test.each(SENT)('say what the server wrote, and no key: $name', async (sent) => {
		const { url } = await start(respond({ ...sent, status: sent.status ?? 400 }));
		const listed = await modelList(url, CREDENTIALS).catch((error: Error) => error.message);
		const shown = [
			listed,
			await testCredential(new LocalLlamaApi(), { baseUrl: url, ...CREDENTIALS }),
			await testCredential(new DifyApi(), { baseUrl: url, apiKey: KEY }),
		];
		for (const text of shown) {
			expect(text).not.toBe('OK');
			expect(JSON.stringify(text)).not.toContain(KEY);
			expect(JSON.stringify(text).length).toBeLessThan(2_000);
		}
		// The list has a sentence that quotes no request.
		expect(String(listed).replaceAll('‑', '-')).toContain(sent.cause ?? '');
	});
});

describe('an error event of a stream', () => {
	const failed = { error: { message: `${SENTENCE}: Bearer ${KEY}. Ask Eve.`, code: 500 } };

	test.each([
		{ place: 'first', events: [failed] },
		{
			place: 'last',
			events: [delta({ content: 'Half an ' }), delta({ content: 'answer' }), failed],
		},
	])('as the $place one: its sentence is the title', async ({ events }) => {
		const server = await start({
			...LLAMA_SERVER,
			'POST /v1/chat/completions': (_request, response) => sendEvents(response, sse(...events)),
		});
		const { supplied } = await chatModel(server.url, setup);
		for (const work of [supplied.invoke('Hi'), streamOf(supplied, 'Hi')]) {
			const { title, text } = await readError(work);
			expect(title).toMatch(new RegExp(`^${SENTENCE}`));
			expect(title).not.toMatch(/Eve/);
			expect(text).not.toContain(KEY);
		}
	});
});

test('an event that quotes the request is not about what the request says', async () => {
	const prompt =
		"This model's maximum context length is 4096 tokens. However, you requested 9000 tokens.";
	const event = { error: { message: `Worker 7 is gone, it had: ${prompt}` } };
	const server = await start({
		...LLAMA_SERVER,
		'POST /v1/chat/completions': (_request, response) =>
			sendEvents(response, sse(delta({ content: 'So' }), event)),
	});
	const { supplied } = await chatModel(server.url, setup);
	const { context } = await failureOf(supplied.invoke(prompt));
	expect(context.data).toMatchObject({ type: 'streamError' });
});

describe('where a title goes further than the owner', () => {
	const TOOL_TYPE = 'n8n-nodes-local-llama.localLlamaTool';
	const WORDS = 'The tenant Acme has closed its account at /srv/acme. Ask Eve.';
	const rejecting = (status: number, more: object = {}): Answer =>
		respond({ name: '', status, body: JSON.stringify({ error: { message: WORDS, ...more } }) });

	const failTool = async (
		answer: Answer,
		written: INodeParameters,
	): Promise<NodeOperationError> => {
		const { url } = await start({ ...LLAMA_SERVER, 'POST /v1/chat/completions': answer });
		return await failureOf(
			run(url, 'text:chat', {
				type: TOOL_TYPE,
				parameters: {
					prompt: 'Hi',
					options: {
						temperature: 9,
						maxTokens: 9,
						extraBody: { top_k: 5, seed: 1 },
						maxRetries: 0,
					},
				},
				written,
			}),
		);
	};

	test.each<{ what: string; answer: Answer; written?: INodeParameters; text: string }>([
		{
			what: 'a server that failed',
			answer: rejecting(500),
			text: 'The service behind this tool is unavailable. Do not call it again now; tell the user that it is not available.',
		},
		{
			what: 'a rejection for a reason that only the sentence says',
			answer: rejecting(400),
			text: 'The service behind this tool rejected the request. Do not send the same request again; tell the user that it was rejected.',
		},
		{
			what: 'a wrong value of a field that the author filled in',
			answer: rejecting(400, { param: 'temperature' }),
			text: 'The service behind this tool rejected the request. Do not send the same request again; tell the user that it was rejected.',
		},
		{
			what: 'a wrong value of a field that the model filled in',
			answer: rejecting(400, { param: 'temperature' }),
			written: { options: { temperature: "={{ $fromAI('heat', '', 'number') }}" } },
			text: 'Temperature: The tenant Acme has closed its account at … Change "Temperature".',
		},
		{
			what: 'a wrong value of a field whose name is not its label',
			answer: rejecting(400, { param: 'max_tokens' }),
			written: { options: { maxTokens: "={{ $fromAI('length', '', 'number') }}" } },
			text: 'Maximum Tokens: The tenant Acme has closed its account at … Change "Maximum Tokens".',
		},
		{
			what: 'a wrong value of its own in Extra Body',
			answer: rejecting(400, { param: 'top_k' }),
			written: { options: { extraBody: '={{ { seed: 1, top_k: $fromAI("k", "") } }}' } },
			text: 'top_k (Extra Body): The tenant Acme has closed its account at … Change top_k in "Extra Body".',
		},
		{
			what: 'a wrong value of the author beside its own in Extra Body',
			answer: rejecting(400, { param: 'top_k' }),
			written: { options: { extraBody: '={{ { top_k: 5, seed: $fromAI("seed", "") } }}' } },
			text: 'The service behind this tool rejected the request. Do not send the same request again; tell the user that it was rejected.',
		},
	])(
		'a model that called the node as a tool reads of $what',
		async ({ answer, written = {}, text }) => {
			const { message, description } = await failTool(answer, written);
			expect([message, description]).toEqual([text, '']);
		},
	);

	test("n8n's own reports, which have the causes of an error, have none", async () => {
		const { url } = await start({ ...LLAMA_SERVER, 'POST /v1/chat/completions': rejecting(500) });
		const failed = await failureOf((await chatModel(url, setup)).supplied.invoke('Hi'));
		expect(failed.cause).toBeUndefined();
		expect(JSON.stringify([failed.tags, failed.extra])).not.toContain('Acme');
	});
});
