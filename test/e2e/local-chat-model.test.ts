import { reply, startLlamaServerSim } from '../simulators/llama-server';
import { createDeferred } from '../support/waiting/deferred';
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
} from './support/playground';
import type {
	ChatLine,
	Execution,
	ExecutionData,
	GateN8n,
	LlamaServer,
	ModelCall,
	Workflow,
} from './support/playground';
import { stopWhileBusy } from './support/stop-while-busy';
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
): Promise<Execution> {
	const credential = await n8n.createCredential({ ...llamaCredential(server), id: undefined });
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
	it('a prompt that does not fit into the context', async () => {
		const server = await startLlamaServer({ contextSize: 512, parallel: 1 });
		const failed = failureOf(await run(server, agentWith('word '.repeat(400))));
		expect(failed.message).toMatch(
			/^request \(\d+ tokens\) exceeds the available context size \(512 tokens\)/,
		);
		expect(failed.description).toContain('--ctx-size');
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

	it.each([
		{
			id: 'described',
			what: 'that describes its tool is shown',
			text: '[{"name":"Calculator","description":"Calculates"}]',
			shown: '[{"name":"Calculator","description":"Calculates"}]',
			runs: 0,
			hint: undefined,
		},
		{
			id: 'read',
			what: 'that is a complete call runs it, and only its result is shown',
			text: '<minimax:tool_call>\n<invoke name="Calculator">\n<parameter name="input">17*23</parameter>\n</invoke>\n</minimax:tool_call>',
			shown: 'It is 391.',
			runs: 1,
			hint: undefined,
		},
		{
			id: 'incomplete',
			what: 'with arguments under an unknown key runs nothing',
			text: '<tool_call>{"name":"Calculator","values":{"input":"17*23"}}</tool_call>',
			shown: '<tool_call>{"name":"Calculator","values":{"input":"17*23"}}</tool_call>',
			runs: 0,
			hint: 'It was not executed, because it states no arguments.',
		},
		{
			id: 'args',
			what: 'with arguments under "args" runs it',
			text: '<tool_call>{"name":"Calculator","args":{"input":"17*23"}}</tool_call>',
			shown: 'It is 391.',
			runs: 1,
			hint: undefined,
		},
		{
			id: 'mixed',
			what: 'with a complete call next to one of another tool runs nothing',
			text: '<invoke name="get_date"></invoke>\n<tool_call>{"name":"Calculator","arguments":{"input":"17*23"}}</tool_call>',
			shown:
				'<invoke name="get_date"></invoke>\n<tool_call>{"name":"Calculator","arguments":{"input":"17*23"}}</tool_call>',
			runs: 0,
			hint: 'It was not executed, because no such tool is connected.',
		},
		{
			id: 'definition',
			what: 'that is the definition of its tool is shown',
			text: '{"type":"function","function":{"name":"Calculator","parameters":{"type":"object","properties":{"input":{"type":"string"}}}}}',
			shown:
				'{"type":"function","function":{"name":"Calculator","parameters":{"type":"object","properties":{"input":{"type":"string"}}}}}',
			runs: 0,
			hint: undefined,
		},
		{
			id: 'notation',
			what: 'in another notation of parameters runs it',
			text: '<tool_call><function=Calculator><parameter name="input">17*23</parameter></function></tool_call>',
			shown: 'It is 391.',
			runs: 1,
			hint: undefined,
		},
		{
			id: 'words',
			what: 'with words between its marks runs nothing',
			text: '<tool_call><function=Calculator>I use <parameter=input>17*23</parameter></function></tool_call>',
			shown:
				'<tool_call><function=Calculator>I use <parameter=input>17*23</parameter></function></tool_call>',
			runs: 0,
			hint: 'It was not executed, because it contains text that is not part of a call.',
		},
		{
			id: 'seed',
			what: 'of Seed-OSS runs it',
			text: '<seed:tool_call><function=Calculator><parameter=input>17*23</parameter></function></seed:tool_call>',
			shown: 'It is 391.',
			runs: 1,
			hint: undefined,
		},
		{
			id: 'deepseek',
			what: 'of DeepSeek V3.1 runs it',
			text: '<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>Calculator<｜tool▁sep｜>{"input":"17*23"}<｜tool▁call▁end｜><｜tool▁calls▁end｜>',
			shown: 'It is 391.',
			runs: 1,
			hint: undefined,
		},
		{
			id: 'bare',
			what: 'with a call without marks runs nothing',
			text: 'Calculator(input="17*23")',
			shown: 'Calculator(input="17*23")',
			runs: 0,
			hint: 'It was not executed, because its format is unknown or incomplete.',
		},
		{
			id: 'status',
			what: 'that states something about its tool is shown',
			text: '{"name":"Calculator","status":"available"}',
			shown: '{"name":"Calculator","status":"available"}',
			runs: 0,
			hint: undefined,
		},
		{
			id: 'fenced',
			what: 'that lists its tools in a code block is shown',
			text: '```json\n[{"name":"Calculator","description":"Calculates"}]\n```',
			shown: '```json\n[{"name":"Calculator","description":"Calculates"}]\n```',
			runs: 0,
			hint: undefined,
		},
		{
			id: 'unclosed',
			what: 'with a parameter that does not end runs nothing',
			text: '<tool_call><function=Calculator><parameter=input>17*23<parameter=note>x</parameter></function></tool_call>',
			shown:
				'<tool_call><function=Calculator><parameter=input>17*23<parameter=note>x</parameter></function></tool_call>',
			runs: 0,
			hint: 'It was not executed',
		},
		{
			id: 'object',
			what: 'with a name before an object runs nothing',
			text: 'functions.Calculator:0{"input":"17*23"}',
			shown: 'functions.Calculator:0{"input":"17*23"}',
			runs: 0,
			hint: 'It was not executed, because its format is unknown or incomplete.',
		},
		{
			id: 'indented',
			what: 'with an indented call behind an unknown mark runs nothing',
			text: '<unknown_mark>\n    {\n        "name": "Calculator",\n         "arguments": {"input": "17*23"}\n    }',
			shown:
				'<unknown_mark>\n    {\n        "name": "Calculator",\n         "arguments": {"input": "17*23"}\n    }',
			runs: 0,
			hint: 'It was not executed',
		},
	])('a response $what, streamed and as a whole', async ({ id, text, shown, runs, hint }) => {
		for (const isWhole of [false, true]) {
			const server = await startLlamaServerSim();
			const chunks = isWhole ? [text] : Array.from(text);
			server.script(reply.chunks(chunks), reply.text('It is 391.'));
			const name = `calls-${id}-${isWhole}`;
			const { id: workflowId } = await live(server, name, (credential) =>
				workflowOf(name, {
					Chat: chatTrigger(name),
					Agent: agent(),
					[MODEL]: localModel(credential),
					Calculator: calculator,
				}),
			);
			expect(textOf(await linesOf(name, 'Go on'))).toBe(shown);
			const { data } = await onlyExecution(workflowId);
			expect(data.resultData.runData.Calculator ?? []).toHaveLength(runs);
			const hints = JSON.stringify(data.resultData.runData[MODEL]!.map((one) => one.hints));
			if (hint === undefined) expect(hints).not.toContain('It was not executed');
			else expect(hints).toContain(hint);
			await server.close();
		}
	});

	it.each([
		{ id: 'no-arguments', what: 'without arguments', args: '' },
		{ id: 'half', what: 'with half of its arguments', args: '{"input":"17*' },
	])(
		'a call of the server $what at the token limit is an error after one request, streamed and as a whole',
		async ({ id, args }) => {
			for (const isWhole of [false, true]) {
				const server = await startLlamaServerSim();
				const call = { name: 'Calculator', arguments: args };
				const entry = { index: 0, id: 'a', type: 'function', function: call };
				server.script(
					isWhole
						? reply.chunks([{ tool_calls: [entry] }], { finish: 'length' })
						: reply.toolCalls([call], { finish: 'length' }),
				);
				const name = `cut-${id}-${isWhole}`;
				const { id: workflowId } = await live(server, name, (credential) =>
					workflowOf(name, {
						Chat: chatTrigger(name),
						Agent: agent(),
						[MODEL]: localModel(credential),
						Calculator: calculator,
					}),
				);
				const lines = await linesOf(name, 'Go on');
				expect(lines.filter(({ type }) => type === 'error')).toHaveLength(1);
				const execution = await onlyExecution(workflowId);
				expect(failureOf(execution).message).toBe('A tool call was cut off at the token limit');
				expect(execution.data.resultData.runData.Calculator).toBeUndefined();
				expect(server.requests.filter(({ method }) => method === 'POST')).toHaveLength(1);
				await server.close();
			}
		},
	);

	it.each([false, true])(
		'a call in thinking that never ends is named in the error (as a whole: %s)',
		async (isWhole) => {
			const text = '<think>I look. <|plugin_2|>{"name":"Calculator","arguments":{"input":';
			const server = await startLlamaServerSim();
			const response = reply.chunks(isWhole ? [text] : Array.from(text));
			// A response that is only thinking is requested once more.
			server.script(response, response);
			const name = `thinking-${isWhole}`;
			const { id } = await live(server, name, (credential) =>
				workflowOf(name, {
					Chat: chatTrigger(name),
					Agent: agent(),
					[MODEL]: localModel(credential),
					Calculator: calculator,
				}),
			);
			await linesOf(name, 'Go on');
			const execution = await onlyExecution(id);
			expect(failureOf(execution).everything).toContain('looks like a call to Calculator');
			expect(execution.data.resultData.runData.Calculator).toBeUndefined();
			await server.close();
		},
	);

	it('markup of a call that did not run does not go back to the model (the second question of a chat with a memory)', async () => {
		const markup = '<foo_call>{"tool":"Calculator","input":"1"}</foo_call>';
		const server = await startLlamaServerSim();
		server.script(reply.chunks([`I look. ${markup} Wait.`]), reply.text('Hi.'));
		await live(server, 'history', (credential) =>
			workflowOf('History', {
				Chat: chatTrigger('history'),
				Agent: agent(),
				[MODEL]: localModel(credential),
				Calculator: calculator,
				Memory: {
					type: '@n8n/n8n-nodes-langchain.memoryBufferWindow',
					typeVersion: 1.3,
					parameters: { sessionIdType: 'customKey', sessionKey: 'calls-history' },
					serves: [['ai_memory', 'Agent']],
				},
			}),
		);
		expect(textOf(await linesOf('history', 'Go on'))).toContain(markup);
		expect(textOf(await linesOf('history', 'And?'))).toBe('Hi.');
		const last = JSON.stringify(server.requests.filter(({ method }) => method === 'POST').at(-1));
		expect(last).toContain('I look.');
		expect(last).not.toContain('foo_call');
		await server.close();
	});

	it.each([false, true])(
		'arguments that the last chunk repeats run once (in pieces before: %s)',
		async (isInPieces) => {
			const complete = '{"input":"17*23"}';
			const pieces = isInPieces ? ['{"inp', 'ut":"17*23', complete] : [complete, complete];
			const [first, ...others] = pieces;
			const server = await startLlamaServerSim();
			server.script(
				reply.chunks([
					{
						tool_calls: [{ index: 0, id: 'a', function: { name: 'Calculator', arguments: first } }],
					},
					...others.map((args) => ({ tool_calls: [{ index: 0, function: { arguments: args } }] })),
				]),
				reply.text('It is 391.'),
			);
			const name = `repeated-${isInPieces}`;
			const { id } = await live(server, name, (credential) =>
				workflowOf(name, {
					Chat: chatTrigger(name),
					Agent: agent(),
					[MODEL]: localModel(credential),
					Calculator: calculator,
				}),
			);
			expect(textOf(await linesOf(name, 'Go on'))).toBe('It is 391.');
			const { data } = await onlyExecution(id);
			expect(data.resultData.runData.Calculator).toHaveLength(1);
			expect(server.requests.filter(({ method }) => method === 'POST')).toHaveLength(2);
			await server.close();
		},
	);

	it.each([false, true])(
		'a call that the user quoted does not run as text (as a whole: %s)',
		async (isWhole) => {
			const text = CALL('17*23');
			const server = await startLlamaServerSim();
			server.script(reply.chunks(isWhole ? [text] : Array.from(text)));
			const name = `quoted-${isWhole}`;
			const { id } = await live(server, name, (credential) =>
				workflowOf(name, {
					Chat: chatTrigger(name),
					Agent: agent(),
					[MODEL]: localModel(credential),
					Calculator: calculator,
				}),
			);
			await linesOf(name, `A colleague got this, what is it? ${text}`);
			const { data } = await onlyExecution(id);
			expect(data.resultData.runData.Calculator).toBeUndefined();
			expect(JSON.stringify(data.resultData.runData[MODEL]!.map((one) => one.hints))).toContain(
				'the same text appears in the input',
			);
			await server.close();
		},
	);

	it('a megabyte of [TOOL_CALLS] runs nothing, and n8n goes on', async () => {
		const server = await startLlamaServerSim();
		server.script(reply.chunks(['[TOOL_CALLS]'.repeat(83_334)]));
		const { id } = await live(server, 'marks', (credential) =>
			workflowOf('Marks', {
				Chat: chatTrigger('marks'),
				Agent: agent(),
				[MODEL]: localModel(credential),
				Calculator: calculator,
			}),
		);
		await linesOf('marks', 'Go on');
		expect((await onlyExecution(id)).data.resultData.runData.Calculator).toBeUndefined();
		await server.close();
	});

	it('a visitor sees neither address nor suggestion of an error, and the owner finds both in the execution', async () => {
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
		expect(await stopWhileBusy(n8n, server, id)).toBe(false);
		// n8n leaves the chat's own request open.
		reader.abort();
		await reading;
		await server.stop();
	});
});
