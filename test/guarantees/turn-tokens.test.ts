/** Turn tokens of chat templates in texts of tools, users and files never reach a model server whole. */
import { TURN_TOKENS } from '../../lib/text/turn-tokens';
import {
	AIMessage,
	HumanMessage,
	SystemMessage,
	ToolMessage,
	toolNamed,
} from './support/agent-turns';
import { chatModel, reranker, run } from './support/node-runner';
import { calls, CHAT, LLAMA_SERVER, ollama, text } from './support/responses';
import { json, useServers } from '../support/servers/scripted-server';
import type { Answer, ScriptedServer } from '../support/servers/scripted-server';
import type { ServerResponse } from 'node:http';

const start = useServers();
const serve = async (...answers: Answer[]) =>
	await start({ ...LLAMA_SERVER, [`POST ${CHAT}`]: answers });

/** All names and texts of a body. */
function textsOf(value: unknown): string[] {
	if (typeof value === 'string') return [value];
	if (typeof value !== 'object' || value === null) return [];
	return Object.entries(value).flatMap(([name, field]) => [name, ...textsOf(field)]);
}
const tokensIn = (bodies: unknown) => {
	const texts = textsOf(bodies);
	return TURN_TOKENS.filter((token) => texts.some((one) => one.includes(token)));
};

test('each token through the result of a tool', async () => {
	const server = await serve(text('Done.'));
	const { supplied } = await chatModel(server.url);
	const model = supplied.bindTools([toolNamed('read_mail')]);
	for (const [index, token] of TURN_TOKENS.entries()) {
		const call = { id: `c${index}`, name: 'read_mail', args: {} };
		await model.invoke([
			new HumanMessage('Read.'),
			new AIMessage({ content: '', tool_calls: [call] }),
			new ToolMessage({
				tool_call_id: call.id,
				name: call.name,
				content: `One${token}two ${token}\n${token}`,
			}),
		]);
		const body = server.sent(CHAT).at(-1)!;
		const { content } = (body.messages as Array<{ content: string }>).at(-1)!;
		expect(content.replaceAll('\u200b', '')).toBe(`One${token}two ${token}\n${token}`);
		expect(tokensIn(body)).toEqual([]);
	}
	expect(server.sent(CHAT)).toHaveLength(TURN_TOKENS.length);
});

const EVIL = `x${TURN_TOKENS.join('\n')}`;

test('in messages, in blocks of content, and in what a memory keeps of tools', async () => {
	const server = await serve(text('Done.'));
	const { supplied } = await chatModel(server.url);
	await supplied.invoke([
		new SystemMessage(EVIL),
		new HumanMessage([{ type: 'text', text: EVIL }]),
		new AIMessage({ content: `[Used tools: Tool: a, Input: {}, Result: b] ${EVIL}] The answer.` }),
		new HumanMessage(EVIL),
		new AIMessage({ content: `[Used tools: Tool: a, Input: {}, Result: ${EVIL}` }),
		new HumanMessage('Go.'),
	]);
	expect(tokensIn(server.sent(CHAT))).toEqual([]);
});

test("the model's own text is sent back as it was", async () => {
	const server = await serve(text('Done.'));
	const { supplied } = await chatModel(server.url);
	await supplied.invoke([
		new HumanMessage('Hi'),
		new AIMessage({ content: 'The mark is `<|im_end|>`.' }),
		new HumanMessage('Why?'),
	]);
	expect(tokensIn(server.sent(CHAT))).toEqual(['<|im_end|>']);
});

test('a value is checked against the choices that n8n gave, and passed on as the model wrote it', async () => {
	const choices = ['[INST]', '<s>', '<b>'];
	const server = await serve(calls(['c', 'mark', '{"with":"[INST]"}']));
	const { supplied } = await chatModel(server.url);
	const tool = toolNamed('mark', { with: { type: 'string', enum: choices } });
	const { tool_calls } = await supplied.bindTools([tool]).invoke([new HumanMessage('Go.')]);
	expect(tool_calls).toMatchObject([{ name: 'mark', args: { with: '[INST]' } }]);
	expect(server.sent(CHAT)).toHaveLength(1);
	expect(JSON.stringify(server.sent(CHAT))).toContain('["[\u200bINST]","<s>","<b>"]');
});

test('in descriptions and schemas of tools, and in corrections', async () => {
	const wrong = calls(['c', `${EVIL.slice(0, 40)}<tool_call>`, JSON.stringify({ a: EVIL })]);
	const server = await serve(wrong, wrong, text('Done.'));
	const { supplied } = await chatModel(server.url);
	const tool = toolNamed('look', { city: { type: 'string', description: EVIL, enum: [EVIL] } });
	tool.function.description = EVIL;
	await supplied.bindTools([tool]).invoke([new HumanMessage('Go.')]);
	expect(server.sent(CHAT)).toHaveLength(3);
	expect(tokensIn(server.sent(CHAT))).toEqual([]);
});

describe('Local Llama', () => {
	/** The operations with a text in all their fields, and the same as written in the workflow. */
	const toParameters = (evil: string) => ({
		chat: { prompt: evil, system: evil, options: { binaryFields: 'file' } },
		conversation: {
			prompt: '',
			options: { messages: { message: [{ role: 'system', content: evil }] } },
		},
		extract: {
			text: evil,
			fields: { field: [{ name: 'city', type: 'text', description: evil }] },
			options: { instructions: evil },
		},
		classify: {
			text: evil,
			labels: { label: [{ name: evil, description: evil }, { name: 'b' }] },
			options: { instructions: evil },
		},
	});

	const bodiesOf = async (written: string, fileText: string) => {
		const server = await serve(text('{"city":"A"}'));
		const file = {
			data: Buffer.from(fileText).toString('base64'),
			mimeType: 'text/plain',
			fileName: 'a.txt',
		};
		const setup = (name: keyof ReturnType<typeof toParameters>) => ({
			items: [{ json: {}, binary: { file } }],
			parameters: toParameters(EVIL)[name],
			written: toParameters(written)[name],
		});
		await run(server.url, 'text:chat', setup('chat'));
		await run(server.url, 'text:chat', setup('conversation'));
		await run(server.url, 'text:extract', setup('extract'));
		await run(server.url, 'text:classify', setup('classify')).catch(() => undefined);
		const bodies = server.sent(CHAT).map(({ messages: sent }) => sent);
		expect(bodies.length).toBeGreaterThanOrEqual(4);
		return bodies;
	};

	test('in values of expressions, and in files', async () => {
		const bodies = await bodiesOf('={{ $json.evil }}', EVIL);
		expect(JSON.stringify(bodies).split('x<\u200b|').length).toBeGreaterThan(8);
		expect(tokensIn(bodies)).toEqual([]);
	});

	test('what the author wrote into a field reaches the server byte for byte', async () => {
		const bodies = await bodiesOf(EVIL, 'Hi');
		const texts = textsOf(bodies).filter((one) => one.includes('\u200b'));
		// The model's own text in a correction.
		expect(texts).toEqual([]);
		expect(tokensIn(bodies)).toEqual(TURN_TOKENS);
	});
});

test.each(['[|system|]', '<|hy_User|>'])(
	"%s of the model's own template, in the texts of tasks",
	async (token) => {
		const answers = {
			'/v1/rerank': { results: [{ index: 0, relevance_score: 1 }] },
			'/v1/systemone': { answers: { [`q${token[0]!}\u200b${token.slice(1)}`]: { noul: 1 } } },
		};
		const server = await start({
			...LLAMA_SERVER,
			'GET /props': json({ chat_template: `{{ '${token}' + role }}` }),
			[`POST ${CHAT}`]: text('A'),
			'POST /v1/rerank': json(answers['/v1/rerank']),
			'POST /v1/systemone': json(answers['/v1/systemone']),
		});
		const evil = `q${token}`;
		const label = [{ name: evil, description: evil }, { name: 'b' }];
		const question = [{ name: evil, type: 'yesNo', question: evil }];
		const expression = '={{ $json.evil }}';
		for (const [operation, parameters] of [
			['text:classify', { text: evil, labels: { label } }],
			['text:decide', { state: evil, questions: { question } }],
			['vector:rerank', { query: evil, document: 'a' }],
		] as const)
			await run(server.url, operation, {
				parameters,
				written: Object.fromEntries(Object.keys(parameters).map((name) => [name, expression])),
			});
		for (const path of [CHAT, '/v1/rerank', '/v1/systemone']) {
			const [sent] = server.sent(path);
			expect(JSON.stringify(sent)).toContain(`${token[0]!}\u200b`);
			expect(JSON.stringify(sent)).not.toContain(token);
		}
	},
);

test('in documents and queries to rank', async () => {
	const server = await start({
		...LLAMA_SERVER,
		'POST /v1/rerank': json({ results: [{ index: 0, relevance_score: 1 }] }),
	});
	const { supplied } = await reranker(server.url);
	await supplied.compressDocuments([{ pageContent: EVIL, metadata: {} }], EVIL);
	expect(server.sent('/v1/rerank')).toHaveLength(1);
	expect(tokensIn(server.sent('/v1/rerank'))).toEqual([]);
});

/** Of templates whose tokens are in no list. */
const OTHER_TOKENS = ['[|system|]', '<|channel>', '<|hy_User|>', '<seed:bos>', '</tool_response>'];

/** What reached the server of a result, a file, a memory's results, a question and a system message. */
async function sentOf(token: string, server: ScriptedServer) {
	const { supplied } = await chatModel(server.url);
	const content = `One ${token} two`;
	await supplied
		.bindTools([toolNamed('read', { a: { type: 'string', description: content } })])
		.invoke([
			new SystemMessage(content),
			new HumanMessage(content),
			new AIMessage({ content: '', tool_calls: [{ id: 'c', name: 'read', args: {} }] }),
			new ToolMessage({ tool_call_id: 'c', name: 'read', content }),
			new AIMessage({ content: `[Used tools: Tool: a, Input: {}, Result: b] ${content}` }),
			new HumanMessage([{ type: 'text', text: `File: a.txt\nContent:\n${content}` }]),
		]);
	const { messages, tools } = server.sent(CHAT).at(-1) as {
		messages: Array<{ content: string }>;
		tools: unknown;
	};
	const isWhole = (value: unknown) => JSON.stringify(value).includes(token);
	const [system, question, , result, memory, file] = messages;
	return {
		foreign: [result, memory, file].map(isWhole),
		others: [system, question, tools].map(isWhole),
	};
}

const WHOLE = [true, true, true];
const BROKEN = [false, false, false];

test.each(OTHER_TOKENS)(
	'%s: by its form in results and files, and if the template has it everywhere',
	async (token) => {
		expect(await sentOf(token, await serve(text('Done.')))).toEqual({
			foreign: BROKEN,
			others: WHOLE,
		});
		const llamaServer = await start({
			...LLAMA_SERVER,
			'GET /props': json({ chat_template: `{{ '${token}' + role }}` }),
			[`POST ${CHAT}`]: [text('Done.')],
		});
		expect(await sentOf(token, llamaServer)).toEqual({ foreign: BROKEN, others: BROKEN });
		const ollamaServer = await start({
			...ollama(),
			'POST /api/show': json({ template: `{{ .System }}${token}` }),
			[`POST ${CHAT}`]: [text('Done.')],
		});
		expect(await sentOf(token, ollamaServer)).toEqual({ foreign: BROKEN, others: BROKEN });
	},
);

test('the tokens of a template stay the same for a server, so that the beginning of the prompt does', async () => {
	let shown = 0;
	const template = (_request: unknown, response: ServerResponse) => {
		shown += 1;
		response.writeHead(shown === 1 ? 500 : 200, { 'content-type': 'application/json' });
		response.end(JSON.stringify({ template: '[|system|]' }));
	};
	const server = await start({
		...ollama(),
		'POST /api/show': template,
		[`POST ${CHAT}`]: [text('Done.'), text('Done.')],
	});
	const first = await sentOf('[|system|]', server);
	expect(await sentOf('[|system|]', server)).toEqual(first);
});
