/** From the results of tools only data become images: a model server would fetch an address inside its own network. */
import { AIMessage, HumanMessage, ToolMessage } from './support/agent-turns';
import { CHAT, LLAMA_SERVER, text } from './support/responses';
import { chatModel } from './support/node-runner';
import { sendJson, useServers } from '../support/servers/scripted-server';
import type { ScriptedServer } from '../support/servers/scripted-server';

const start = useServers();
let server: ScriptedServer;

const DATA =
	'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR4nGNgYPgPAAEDAQAIicLsAAAAAElFTkSuQmCC';

const ADDRESSES = [
	'http://10.0.0.5/latest/meta-data',
	'https://intranet.example/a.png',
	' HTTP://10.0.0.5/a.png',
	'\n\thttps://10.0.0.5/a.png',
	'file:///etc/passwd',
	'//10.0.0.5:80/a.png',
	'gopher://10.0.0.5/',
	'data:text/html;base64,PGI+aGk8L2I+',
	'data:image/png;base64,http://10.0.0.5/a.png',
];

const FORMS: Array<[string, (address: string) => object]> = [
	['OpenAI', (url) => ({ type: 'image_url', image_url: { url } })],
	['OpenAI, in short', (url) => ({ type: 'image_url', image_url: url })],
	['LangChain', (url) => ({ type: 'image', source_type: 'url', url })],
	['MCP', (data) => ({ type: 'image', data, mimeType: 'image/png' })],
	['a file', (url) => ({ type: 'file', url, mime_type: 'image/png' })],
	['a source', (url) => ({ type: 'image', source: { type: 'url', url } })],
	['video', (url) => ({ type: 'video_url', video_url: { url } })],
];

const WRAPPERS: Array<[string, (block: object) => unknown]> = [
	['blocks', (block) => [{ type: 'text', text: 'Found:' }, block]],
	['JSON text', (block) => JSON.stringify([block])],
	['JSON text of one block', (block) => JSON.stringify(block, undefined, 2)],
	['an MCP result', (block) => JSON.stringify({ content: [block] })],
	['agent 3.1', (block) => JSON.stringify([{ response: JSON.stringify([[block]]) }])],
];

type Message = Record<string, unknown>;

/** The messages that are sent for a conversation with these results of tools. */
async function sentWith(contents: unknown[], question: unknown = 'What is there?') {
	const { supplied } = await chatModel(server.url);
	const calls = contents.map((_content, at) => ({ id: `a${at}`, name: 'look', args: {} }));
	const results = contents.map(
		(content, at) => new ToolMessage({ tool_call_id: `a${at}`, name: 'look', content }),
	);
	const answer = new AIMessage({ content: '', tool_calls: calls });
	await supplied.invoke([new HumanMessage(question), answer, ...results]);
	return server.sent(CHAT).at(-1)!.messages as Message[];
}

const roles = (messages: Message[]) => messages.map(({ role }) => role);

beforeEach(async () => {
	server = await start({ ...LLAMA_SERVER, [`POST ${CHAT}`]: [text('A fox.')] });
});

describe.each(FORMS)('a URL in the form of %s', (_form, blockOf) => {
	test.each(WRAPPERS)('in %s stays text', async (_wrapper, wrapped) => {
		const results = ADDRESSES.map((address) => wrapped(blockOf(address)));
		const [user, assistant, ...tools] = await sentWith(results);
		expect(roles([user!, assistant!])).toEqual(['user', 'assistant']);
		expect(roles(tools)).toEqual(ADDRESSES.map(() => 'tool'));
		for (const [at, { content }] of tools.entries()) {
			expect(typeof content).toBe('string');
			expect(String(content).replace(/\\+[nt]/g, '')).toContain(ADDRESSES[at]!.trim());
		}
	});
});

test.each([
	['data', { type: 'image', data: DATA, mimeType: 'image/png' }],
	['a data URL', { type: 'image_url', image_url: { url: `DATA:image/png;base64,${DATA}` } }],
])('%s in a result is an image', async (_name, block) => {
	const messages = await sentWith([[block]]);
	expect(roles(messages)).toEqual(['user', 'assistant', 'tool', 'user']);
	expect(messages[3]!.content).toContainEqual({
		type: 'image_url',
		image_url: { url: `data:image/png;base64,${DATA}` },
	});
});

test('a URL stays text if a template rejects the conversation once', async () => {
	server = await start({
		...LLAMA_SERVER,
		[`POST ${CHAT}`]: [
			(_request, response) =>
				sendJson(response, { error: { message: 'roles must alternate' } }, 400),
			text('A fox.'),
		],
	});
	const [address] = ADDRESSES;
	const link = { type: 'image_url', image_url: { url: address } };
	const messages = await sentWith([[link, { type: 'image', data: DATA }]]);
	expect(server.sent(CHAT)).toHaveLength(2);
	const parts = messages.flatMap(({ content }) => (Array.isArray(content) ? content : []));
	const urls = parts.flatMap(
		({ image_url: image }: { image_url?: { url: string } }) => image ?? [],
	);
	expect(urls).toEqual([{ url: `data:image/png;base64,${DATA}` }]);
	expect(JSON.stringify(messages)).toContain(address);
});

test('a URL from the user is an image', async () => {
	const link = { type: 'image_url', image_url: { url: 'https://example.com/a.png' } };
	const [user] = await sentWith(['nothing'], [{ type: 'text', text: 'See' }, link]);
	expect(user!.content).toContainEqual(link);
});
