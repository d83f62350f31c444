import { reply, startLlamaServerSim } from '../simulators/llama-server';
import { createDeferred } from '../support/deferred';
import {
	ENDLESS,
	chatLines,
	importWorkflow,
	llamaCredential,
	parts,
	scriptedModel,
	startLlamaServer,
	stopEverything,
	textOf,
	theSharedN8n,
	type ChatLine,
	type Execution,
	type ExecutionData,
	type GateN8n,
	type LlamaServer,
	type ModelCall,
	type Workflow,
} from './support/playground';
import { until } from './support/until';
import {
	agent,
	calculator,
	chatTrigger,
	localModel,
	MANUAL,
	workflowOf,
} from './support/workflows';

const MODEL = 'Local Chat Model';
const CALL = (input: string) =>
	`<tool_call>\n{"name": "Calculator", "arguments": {"input": "${input}"}}\n</tool_call>`;
const THOUGHT = 'I need both products before I can answer.';

/** Responds to "both" with thinking and two calls, and to their results with a sentence. */
const TOOL_SCRIPT = [
	{ last: 'tool' as const, reply: 'The products are 391 and 42.' },
	{
		last: 'user' as const,
		contains: 'both',
		reply: `<think>\n${THOUGHT}\n</think>\n\n${CALL('17*23')}\n${CALL('6*7')}`,
	},
	{ last: 'user' as const, reply: 'Hello from the real server.' },
];

let n8n: GateN8n;
let scripted: LlamaServer;

beforeAll(async () => {
	n8n = await theSharedN8n();
	// Makes the prompts of the slots readable: what the model really got, after the template.
	scripted = await startLlamaServer({
		model: await scriptedModel(TOOL_SCRIPT),
		contextSize: 4096,
		parallel: 1,
		env: { LLAMA_SERVER_SLOTS_DEBUG: '1' },
	});
});
afterAll(stopEverything);

interface Named {
	id: string;
	name: string;
}

/** Runs a workflow in the running n8n, as the editor's button does. */
async function run(
	server: { url: string },
	build: (credential: Named) => Workflow,
	data: Record<string, unknown> = {},
): Promise<Execution> {
	const credential = await n8n.createCredential({
		...llamaCredential(server, data),
		id: undefined,
	});
	const created = await n8n.createWorkflow(build(credential));
	return await n8n.waitForExecution(await n8n.runWorkflow(created, 'Start'));
}

const agentWith =
	(text: string, model: Record<string, unknown> = {}) =>
	(credential: Named): Workflow =>
		workflowOf('Agent', {
			Start: MANUAL,
			Agent: agent(text),
			[MODEL]: localModel(credential, model),
		});

/** Output of the agent or chain. */
function outputOf(data: ExecutionData, node = 'Agent'): Record<string, unknown> {
	return data.resultData.runData[node]!.at(-1)!.data!.main![0]![0]!.json;
}

/** n8n's record of each call of the model. */
function callsOf(data: ExecutionData): ModelCall[] {
	return data.resultData.runData[MODEL]!.map(
		(run) => run.data!.ai_languageModel![0]![0]!.json as ModelCall,
	);
}

/** The error of a failed run, as shown to the user. */
function failureOf(execution: Pick<Execution, 'data'>): {
	message: string;
	description: string;
	everything: string;
} {
	const { runData, error } = execution.data.resultData;
	const failed =
		runData[MODEL]?.find((one) => one.error)?.error ??
		runData.Agent?.find((one) => one.error)?.error ??
		error;
	return {
		message: String(failed?.message),
		description: String(failed?.description),
		everything: JSON.stringify(execution),
	};
}

describe('AI Agent and chains', () => {
	it('returns the response, exact usage and the speed of the server', async () => {
		const { data } = await run(scripted, agentWith('Say hello'));
		expect(outputOf(data)).toEqual({ output: 'Hello from the real server.' });
		const [call] = callsOf(data);
		expect(call!.response!.generations![0]![0]).toMatchObject({
			text: 'Hello from the real server.',
			generationInfo: { finishReason: 'stop', tokensPerSecond: expect.any(Number) as number },
		});
		expect(call!.tokenUsage).toMatchObject({
			promptTokens: expect.any(Number) as number,
			completionTokens: expect.any(Number) as number,
		});
	});

	it('runs two parallel tool calls with their own arguments and sends thinking and calls back as one turn', async () => {
		const { data } = await run(scripted, (credential) =>
			workflowOf('Tools', {
				Start: MANUAL,
				Agent: agent('What are both products?'),
				[MODEL]: localModel(credential),
				Calculator: calculator,
			}),
		);
		expect(outputOf(data)).toEqual({ output: 'The products are 391 and 42.' });
		const results = data.resultData.runData.Calculator!.map((one) =>
			JSON.stringify(one.data!.ai_tool![0]![0]!.json),
		);
		expect(results).toHaveLength(2);
		expect(results.join()).toContain('391');
		expect(results.join()).toContain('42');
		expect(callsOf(data)).toHaveLength(2);

		const [slot] = (await scripted.slots()) as unknown as Array<{ prompt: string }>;
		const turn = slot!.prompt.slice(slot!.prompt.lastIndexOf('What are both products?'));
		// One assistant message with the thinking once, then both calls without injected IDs; then the results and the next
		// turn.
		expect(turn.match(/<\|im_start\|>assistant/g)).toHaveLength(2);
		expect(turn.split(THOUGHT)).toHaveLength(2);
		expect(turn.match(/<tool_call>/g)).toHaveLength(2);
		expect(turn).not.toContain('"id"');
		expect(turn.indexOf('17*23')).toBeLessThan(turn.indexOf('6*7'));
		expect(turn.match(/<tool_response>/g)).toHaveLength(2);
	});

	it('gets three results in three rounds of a server that names every call call_0, with an ID for each', async () => {
		const server = await startLlamaServerSim();
		const rounds = ['1+1', '2+2', '3+3'];
		server.script(
			...rounds.map((input) =>
				reply.toolCalls([{ name: 'Calculator', arguments: { input }, id: 'call_0' }], {
					reasoning: `About ${input}.`,
				}),
			),
			reply.text('2, 4 and 6'),
		);
		const { data } = await run(server, (credential) =>
			workflowOf('Rounds', {
				Start: MANUAL,
				Agent: agent('Three sums, please'),
				[MODEL]: localModel(credential),
				Calculator: calculator,
			}),
		);
		expect(outputOf(data)).toEqual({ output: '2, 4 and 6' });
		expect(data.resultData.runData.Calculator).toHaveLength(3);
		const requests = server.requests.filter(({ path }) => path.endsWith('/chat/completions'));
		const { messages } = requests.at(-1)!.body as { messages: Array<Record<string, unknown>> };
		const turns = messages.filter(({ role }) => role === 'assistant');
		expect(turns.map(({ reasoning_content: thought }) => thought)).toEqual(
			rounds.map((input) => `About ${input}.`),
		);
		const results = messages.filter(({ role }) => role === 'tool');
		const ids = results.map(({ tool_call_id: id }) => String(id));
		expect(new Set(ids).size).toBe(3);
		for (const id of ids) expect(id).toMatch(/^[a-z\d]{9}$/i);
		expect(turns.map(({ tool_calls: calls }) => (calls as Array<{ id: string }>)[0]!.id)).toEqual(
			ids,
		);
		for (const [index, sum] of ['2', '4', '6'].entries())
			expect(results[index]!.content).toContain(sum);
		await server.close();
	});

	it('runs a call that the server returned as text', async () => {
		const server = await startLlamaServerSim();
		server.script(reply.text(`Let me see.\n${CALL('6*7')}`), reply.text('It is 42.'));
		const { data } = await run(server, (credential) =>
			workflowOf('Text call', {
				Start: MANUAL,
				Agent: agent('What is 6*7?'),
				[MODEL]: localModel(credential),
				Calculator: calculator,
			}),
		);
		expect(outputOf(data)).toEqual({ output: 'It is 42.' });
		expect(JSON.stringify(data.resultData.runData.Calculator!.map((one) => one.data))).toContain(
			'42',
		);
		await server.close();
	});

	it('really talks with SmolLM2', async () => {
		const server = await startLlamaServer({
			model: parts().smolLm2,
			contextSize: 2048,
			threads: 2,
		});
		const { data } = await run(
			server,
			agentWith('Say hello in one sentence', { options: { temperature: 0, maxTokens: 60 } }),
		);
		expect(String(outputOf(data).output)).toMatch(/[a-z]{3,}/);
		await server.stop();
	});

	it('follows a JSON schema and returns parsed JSON to a chain', async () => {
		const server = await startLlamaServer({ contextSize: 4096 });
		const { data } = await run(server, (credential) =>
			workflowOf('Schema', {
				Start: { ...MANUAL, to: ['Chain'] },
				Chain: {
					type: '@n8n/n8n-nodes-langchain.chainLlm',
					typeVersion: 1.7,
					parameters: { promptType: 'define', text: 'Which colour?' },
				},
				[MODEL]: localModel(
					credential,
					{
						responseFormat: 'jsonSchema',
						jsonSchema: JSON.stringify({
							type: 'object',
							properties: {
								colour: { enum: ['red', 'blue'] },
								code: {
									type: 'string',
									pattern: '^(?!nobody writes this)[\\s\\S]*$',
									maxLength: 8,
								},
							},
							required: ['colour', 'code'],
						}),
					},
					'Chain',
				),
			}),
		);
		expect(JSON.stringify(outputOf(data, 'Chain'))).toMatch(/"colour":"(red|blue)"/);
		const { hints } = data.resultData.runData[MODEL]![0]!;
		expect(JSON.stringify(hints)).toContain('no grammar can match');
		await server.stop();
	});
});

describe('errors, as the user sees them', () => {
	it('a wrong key', async () => {
		const server = await startLlamaServer({ apiKey: 'right-key' });
		const failed = failureOf(await run(server, agentWith('Hi'), { apiKey: 'wrong-key-4711' }));
		expect(failed.message).toContain('rejected the API key');
		expect(failed.description).toContain(`${server.url}/v1/chat/completions`);
		expect(failed.everything).not.toContain('wrong-key-4711');
		await server.stop();
	});

	it('a server that is down', async () => {
		const failed = failureOf(
			await run({ url: 'http://127.0.0.1:9' }, agentWith('Hi', { options: { maxRetries: 0 } })),
		);
		expect(failed.message).toContain('Nothing is listening on 127.0.0.1:9');
		expect(failed.description).toContain('host.docker.internal');
	});

	it('an image for a model without vision', async () => {
		const server = await startLlamaServer();
		const pixel =
			'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';
		const failed = failureOf(
			await run(server, (credential) =>
				workflowOf('Vision', {
					Start: { ...MANUAL, to: ['Picture'] },
					Picture: {
						type: 'n8n-nodes-base.set',
						typeVersion: 3.4,
						parameters: {
							assignments: {
								assignments: [{ id: 'a', name: 'data', value: pixel, type: 'string' }],
							},
						},
						to: ['File'],
					},
					File: {
						type: 'n8n-nodes-base.convertToFile',
						typeVersion: 1.1,
						parameters: {
							operation: 'toBinary',
							sourceProperty: 'data',
							options: { mimeType: 'image/png', fileName: 'pixel.png' },
						},
						to: ['Agent'],
					},
					Agent: agent('What is in the picture?', { options: { passthroughBinaryImages: true } }),
					[MODEL]: localModel(credential),
				}),
			),
		);
		expect(failed.message).toContain('does not support image input');
		expect(failed.description).toContain('--mmproj');
		await server.stop();
	});

	it('a prompt that does not fit into the context', async () => {
		const server = await startLlamaServer({ contextSize: 512, parallel: 1 });
		const failed = failureOf(await run(server, agentWith('word '.repeat(400))));
		expect(failed.message).toMatch(/The prompt needs \d+ tokens, but a server slot has 512/);
		expect(failed.description).toContain('--ctx-size');
		await server.stop();
	});

	it('a response that violates the part of a JSON schema that the server cannot enforce', async () => {
		const server = await startLlamaServer({
			model: await scriptedModel([
				{ last: 'user', contains: 'refuse', reply: '{"answer": "no"}' },
				{ last: 'user', contains: 'does not match', reply: '{"answer": "no"}' },
				{ last: 'user', reply: '{"answer": "yes"}' },
			]),
		});
		const jsonSchema = JSON.stringify({
			type: 'object',
			properties: { answer: { type: 'string', not: { const: 'no' } } },
			required: ['answer'],
		});
		const parameters = { responseFormat: 'jsonSchema', jsonSchema };
		const fits = await run(server, agentWith('Agree', parameters));
		expect(outputOf(fits.data)).toEqual({ output: '{"answer": "yes"}' });
		const failed = failureOf(await run(server, agentWith('Please refuse', parameters)));
		expect(failed.message).toBe('The response is not the requested JSON');
		expect(failed.description).toContain('answer: ');
		await server.stop();
	});

	it('a response that contains only thinking', async () => {
		const server = await startLlamaServer({
			model: await scriptedModel([{ reply: '<think>\nSo much to consider, and no end' }]),
		});
		const failed = failureOf(await run(server, agentWith('Hi', { options: { maxTokens: 12 } })));
		expect(failed.message).toContain('used its whole response for thinking');
		expect(failed.everything).toContain('So much');
		await server.stop();
	});

	it('a tool call truncated by the token limit: never executed', async () => {
		const server = await startLlamaServer({
			model: await scriptedModel([{ reply: CALL('17*23 and a good deal more than that') }]),
		});
		const truncated = await run(server, (credential) =>
			workflowOf('Cut', {
				Start: MANUAL,
				Agent: agent('Calculate'),
				[MODEL]: localModel(credential, { options: { maxTokens: 18 } }),
				Calculator: calculator,
			}),
		);
		expect(failureOf(truncated).message).toBe('A tool call was cut off at the token limit');
		expect(failureOf(truncated).description).toContain('calling the tool "Calculator"');
		expect(truncated.data.resultData.runData.Calculator).toBeUndefined();
		await server.stop();
	});

	it('a model that is still loading is waited for', async () => {
		const server = await startLlamaServer({
			model: parts().smolLm2,
			contextSize: 1024,
			wait: false,
		});
		const { status, data } = await run(
			server,
			agentWith('Hi', { options: { maxTokens: 8, maxRetries: 20 } }),
		);
		expect({ status, error: data.resultData.error?.message }).toEqual({
			status: 'success',
			error: undefined,
		});
		await server.stop();
	});
});

describe('the running n8n', () => {
	async function live(
		server: Pick<LlamaServer, 'url'>,
		name: string,
		build: (credential: Named) => Workflow,
	): Promise<Workflow & { id: string }> {
		const { id, name: credentialName } = await n8n.createCredential({
			...llamaCredential(server),
			id: undefined,
			name,
		});
		return await importWorkflow(n8n, build({ id, name: credentialName }));
	}

	async function linesOf(
		webhookId: string,
		text: string,
		signal?: AbortSignal,
	): Promise<ChatLine[]> {
		return await chatLines(n8n, webhookId, text, { signal });
	}

	async function onlyExecution(workflowId: string): Promise<Execution> {
		const [summary] = await n8n.listExecutions({ workflowId });
		return await n8n.waitForExecution(summary!.id);
	}

	it('streams the response of an agent into the chat', async () => {
		const displayed = createDeferred();
		const server = await startLlamaServerSim();
		server.script(reply.chunks(['The first words ', { wait: displayed.wait }, 'and the rest.']));
		const { id } = await live(server, 'streamed', (credential) =>
			workflowOf('Streamed', {
				Chat: chatTrigger('streamed-chat'),
				Agent: agent(),
				[MODEL]: localModel(credential),
			}),
		);
		const lines: ChatLine[] = [];
		for await (const line of n8n.chat('streamed-chat', 'Tell me a story')) {
			lines.push(line);
			// The server continues only when the chat shows the beginning.
			if (textOf(lines) === 'The first words ') displayed.open();
		}
		expect(lines.map(({ type }) => type)).toEqual(expect.arrayContaining(['begin', 'item', 'end']));
		expect(textOf(lines)).toBe('The first words and the rest.');
		const execution = await onlyExecution(id);
		expect(outputOf(execution.data).output).toBe(textOf(lines));
		await server.close();
	});

	it('a server that is killed during its response: the text is kept', async () => {
		const server = await startLlamaServer({
			contextSize: 65_536,
			parallel: 1,
		});
		const { id } = await live(server, 'killed', (credential) =>
			workflowOf('Killed', {
				Chat: chatTrigger('killed-chat'),
				Agent: agent(),
				[MODEL]: localModel(credential, { options: { maxTokens: -1, extraBody: ENDLESS } }),
			}),
		);
		for await (const { type } of n8n.chat('killed-chat', 'Never stop'))
			if (type === 'item' && server.service.running) server.service.kill('SIGKILL');
		const failed = failureOf(await onlyExecution(id));
		expect(failed.everything).toContain('The connection was lost during the response');
		expect(failed.everything).toContain('partialText');
		await server.stop();
	});

	it('a visitor sees neither address nor suggestion of an error, and the owner finds both in the execution (cases N48, N50)', async () => {
		const { id } = await live({ url: 'http://127.0.0.1:9' }, 'down', (credential) =>
			workflowOf('Down', {
				Chat: chatTrigger('down-chat'),
				Agent: agent(),
				[MODEL]: localModel(credential, { options: { maxRetries: 0 } }),
			}),
		);
		const lines = await linesOf('down-chat', 'Hi');
		const errorTexts = lines.filter(({ type }) => type === 'error').map(({ content }) => content);
		expect(errorTexts).toEqual([
			expect.stringContaining('The owner of this chat can see the reason in n8n'),
		]);
		expect(JSON.stringify(lines)).not.toContain('127.0.0.1');
		const { data } = await onlyExecution(id);
		const { error } = data.resultData.runData[MODEL]!.at(-1)! as unknown as {
			error: { message: string; context: { data: { description: string } } };
		};
		expect(error.message).toBe('Nothing is listening on 127.0.0.1:9, as seen from n8n');
		expect(error.context.data.description).toContain('http://127.0.0.1:9/v1/chat/completions');
		expect(error.context.data.description).toContain('Check that the model server is running');
	});

	it('runs parallel tools while it streams', async () => {
		const { id } = await live(scripted, 'tools', (credential) =>
			workflowOf('Streamed tools', {
				Chat: chatTrigger('tools-chat'),
				Agent: agent(),
				[MODEL]: localModel(credential),
				Calculator: calculator,
			}),
		);
		const lines = await linesOf('tools-chat', 'What are both products?');
		expect(textOf(lines)).toBe('The products are 391 and 42.');
		const { data } = await onlyExecution(id);
		expect(data.resultData.runData.Calculator).toHaveLength(2);
	});

	it('Stop frees the slot of the server', async () => {
		const server = await startLlamaServer({
			contextSize: 65_536,
			parallel: 1,
		});
		const { id } = await live(server, 'stopped', (credential) =>
			workflowOf('Stopped', {
				Chat: chatTrigger('stopped-chat'),
				Agent: agent(),
				[MODEL]: localModel(credential, { options: { maxTokens: -1, extraBody: ENDLESS } }),
			}),
		);
		const reader = new AbortController();
		const reading = linesOf('stopped-chat', 'Never stop', reader.signal).catch(() => []);
		const busy = async () => (await server.slots()).some(({ is_processing: one }) => one);
		await until(busy, (one) => one);
		const [running] = await n8n.listExecutions({ workflowId: id, status: ['running'] });
		await n8n.stopExecution(running!.id);
		// Without a stop, it would generate for minutes.
		expect(await until(busy, (one) => !one)).toBe(false);
		// n8n leaves the chat's own request open.
		reader.abort();
		await reading;
		await server.stop();
	});

	it('lists the models of the server in the drop-down, or shows why it cannot', async () => {
		const good = await n8n.createCredential({
			...llamaCredential(scripted),
			id: undefined,
			name: 'list',
		});
		const bad = await n8n.createCredential({
			...llamaCredential({ url: 'http://127.0.0.1:9' }),
			id: undefined,
			name: 'no list',
		});
		const search = async (credential: { id: string; name: string }) =>
			await n8n.request<{ results: Array<{ name: string; value: string }> }>(
				'POST',
				'/rest/dynamic-node-parameters/resource-locator-results',
				{
					nodeTypeAndVersion: { name: 'CUSTOM.localChatModel', version: 1 },
					path: 'parameters.model',
					methodName: 'searchModels',
					currentNodeParameters: {},
					credentials: { localLlamaApi: { id: credential.id, name: credential.name } },
				},
			);
		const { results } = await search(good);
		expect(results).toEqual([
			{
				name: expect.stringMatching(/^test-model \(.*4k context.*loaded\)$/) as string,
				value: 'test-model',
			},
		]);
		await expect(search(bad)).rejects.toThrow('Nothing is listening on 127.0.0.1:9');
	});

	it('tests the credential: any form of the base URL, a server without keys, a wrong key', async () => {
		const keyed = await startLlamaServer({ apiKey: 'right-key' });
		const test = async (baseUrl: string, apiKey: string) => {
			const data = {
				baseUrl,
				apiKey,
				authentication: 'bearer',
				extraHeaders: {},
				ignoreSslIssues: false,
				maxConcurrentRequests: 0,
			};
			const stored = { name: 'test', type: 'localLlamaApi', data };
			// n8n 2.20 tests saved credentials only.
			const { id } = await n8n.createCredential(stored);
			return await n8n.request<{ status: string; message: string }>(
				'POST',
				'/rest/credentials/test',
				{
					credentials: { id, ...stored },
				},
			);
		};
		// n8n may reuse a connection that the server is closing.
		const testUntilOk = async (baseUrl: string, apiKey: string) =>
			await until(
				async () => await test(baseUrl, apiKey),
				({ status }) => status === 'OK',
			);
		for (const form of ['', '/', '/v1', '/v1/', '/v1/chat/completions'])
			await testUntilOk(keyed.url + form, 'right-key');
		await testUntilOk(keyed.url.replace('http://', ' '), 'right-key');
		expect(await test(keyed.url, 'wrong-key')).toMatchObject({ status: 'Error' });
		expect(await test(keyed.url, '')).toMatchObject({ status: 'Error' });
		await testUntilOk(scripted.url, '');
		await keyed.stop();
	});

	it('lets the HTTP Request node use the credential', async () => {
		const keyed = await startLlamaServer({ apiKey: 'right-key' });
		const { id, name } = await n8n.createCredential({
			...llamaCredential(keyed, { apiKey: 'right-key' }),
			id: undefined,
			name: 'http',
		});
		const created = await importWorkflow(
			n8n,
			workflowOf('Request', {
				Hook: {
					type: 'n8n-nodes-base.webhook',
					typeVersion: 2,
					parameters: { path: 'props', responseMode: 'lastNode' },
					webhookId: 'props',
					to: ['Request'],
				},
				Request: {
					type: 'n8n-nodes-base.httpRequest',
					typeVersion: 4.2,
					parameters: {
						url: `${keyed.url}/props`,
						authentication: 'predefinedCredentialType',
						nodeCredentialType: 'localLlamaApi',
					},
					credentials: { localLlamaApi: { id, name } },
				},
			}),
		);
		const answer = await n8n.webhook('props', { method: 'GET' });
		expect(await answer.json()).toMatchObject({ total_slots: expect.any(Number) as number });
		expect((await onlyExecution(created.id)).status).toBe('success');
		await keyed.stop();
	});
});
