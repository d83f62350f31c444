/**
 * Limits in the real n8n: whatever a server, an MCP server, a Dify or a visitor sends, n8n answers others within a second, needs
 * less than 400 MB more, and says what it left out. `LIMITS_TABLE=<file>` plays n8n's own nodes as well, and writes the table.
 *
 * What is measured ends with the execution: to read its data afterwards, as this test and the editor do, costs n8n more than all
 * that is played here.
 */
import * as fs from 'node:fs';
import process from 'node:process';
import { setTimeout as delay } from 'node:timers/promises';
import { MAX_LENGTH } from '../../lib/chat/body/schema-size';
import { asRecord } from '../../lib/values/records';
import {
	CHAT,
	calls,
	delta,
	LLAMA_SERVER,
	stuckAfter,
	text,
} from '../guarantees/support/responses';
import { appKey, startDifySim } from '../simulators/dify';
import type { DifySim } from '../simulators/dify';
import { startMcpServer } from '../support/servers/mcp-server';
import type { McpTool } from '../support/servers/mcp-server';
import { json, sendJson, startScripted } from '../support/servers/scripted-server';
import type { Answer, Routes, ScriptedServer } from '../support/servers/scripted-server';
import { chatLines, importWorkflow, startN8n, stopEverything } from '../e2e/support/playground';
import type { Execution, N8nServer } from '../e2e/support/playground';
import { until } from '../e2e/support/until';
import {
	agent,
	chatTrigger,
	documentLoader,
	insertIntoStore,
	localModel as modelOf,
	MANUAL,
	workflowOf,
} from '../e2e/support/workflows';
import type { N8nLoad } from './support/n8n-load';
import { watchLoad } from './support/n8n-load';

const LANGCHAIN = '@n8n/n8n-nodes-langchain.';
/** Until n8n answers others, whatever arrives. */
const MAX_WAIT_MS = 1_000;
/** Until an execution has ended after Stop. */
const MAX_STOP_MS = 1_000;
/** CPU time of n8n's main thread in one piece. */
const MAX_PIECE_MS = 1_000;
/** Of schemas: they are counted before n8n's converter, which needs time with the square of their fields. */
const MAX_SCHEMA_PIECE_MS = 100;
const MAX_MEMORY_MB = 400;

type Parts = Parameters<typeof workflowOf>[1];
type Json = Record<string, unknown>;

interface Credential {
	id: string;
	name: string;
}

/** What is played: where it enters, and what. */
interface Input {
	door: string;
	input: string;
	/** CPU time of n8n's main thread in one piece. Default: `MAX_PIECE_MS`. */
	maxPieceMs?: number;
	/** Whether a node of n8n plays it, for the table: then nothing is expected. Default: no. */
	isTheirs?: true;
}

let n8n: N8nServer;
const open: Array<{ close(): Promise<void> }> = [];
const table: string[][] = [
	['door', 'input', 'outcome', 'piece ms', 'wait ms', 'memory MB', 'seconds'],
];

beforeAll(async () => {
	n8n = await startN8n();
	// n8n loads its nodes with their first run.
	const { credential } = await startModel(text('Hello.'));
	await run({ Start: MANUAL, Agent: agent('Hi'), Model: localModel(credential) });
});
afterEach(async () => {
	await Promise.all(open.splice(0).map(async (server) => await server.close()));
});
afterAll(async () => {
	await stopEverything();
	const { LIMITS_TABLE } = process.env;
	const rows = table.map((row) => `| ${row.join(' | ')} |\n`);
	if (LIMITS_TABLE !== undefined) fs.writeFileSync(LIMITS_TABLE, rows.join(''));
});

async function register<T extends { close(): Promise<void> }>(starting: Promise<T>): Promise<T> {
	const server = await starting;
	open.push(server);
	return server;
}

async function createCredential(type: string, data: Json): Promise<Credential> {
	const { id, name } = await n8n.createCredential({ name: type, type, data });
	return { id, name };
}

/** A llama-server with these answers of its chat, and a credential of ours and of n8n's OpenAI nodes. */
async function startModel(answers: Answer | Answer[], routes: Routes = {}) {
	const server = await register(
		startScripted({ ...LLAMA_SERVER, [`POST ${CHAT}`]: answers, ...routes }),
	);
	return {
		server,
		credential: await createCredential('localLlamaApi', { baseUrl: server.url }),
		openAi: await createCredential('openAiApi', { apiKey: 'x', url: `${server.url}/v1` }),
	};
}

/** The model of the agent, by the name that the server lists. */
const localModel = (credential: Credential, parameters: Json = {}): Parts[string] =>
	modelOf(credential, { model: { __rl: true, mode: 'id', value: 'sim-model' }, ...parameters });

const openAiModel = (openAiApi: Credential): Parts[string] => ({
	type: `${LANGCHAIN}lmChatOpenAi`,
	typeVersion: 1.2,
	parameters: { model: { __rl: true, mode: 'id', value: 'sim-model' }, options: {} },
	credentials: { openAiApi },
	serves: [['ai_languageModel', 'Agent']],
});

const mcpClient = ({ url }: ScriptedServer): Parts[string] => ({
	type: `${LANGCHAIN}mcpClientTool`,
	typeVersion: 1.2,
	parameters: { endpointUrl: url, serverTransport: 'httpStreamable', authentication: 'none' },
	serves: [['ai_tool', 'Agent']],
});

const ourNode = (
	type: string,
	localLlamaApi: Credential,
	parameters: Json,
	more: Partial<Parts[string]> = {},
): Parts[string] => ({
	type: `CUSTOM.${type}`,
	parameters,
	credentials: { localLlamaApi },
	...more,
});

async function start(parts: Parts): Promise<string> {
	return await n8n.runWorkflow(await n8n.createWorkflow(workflowOf('Limits', parts)), 'Start');
}

/**
 * Runs a workflow to its end; one that does not end in this time is stopped.
 *
 * @returns the ID of the execution
 */
async function run(parts: Parts, timeoutMs = 180_000): Promise<string> {
	const id = await start(parts);
	try {
		await n8n.waitForEnd(id, timeoutMs);
	} catch {
		await n8n.stopExecution(id);
		await n8n.waitForEnd(id);
	}
	return id;
}

const round = (value: number): string => Math.round(value).toString();

/** Measures what is done, and adds a row: n8n stays responsive. */
async function measure<T>(
	what: Input,
	work: () => Promise<T>,
	describeOutcome: (result: T) => string | Promise<string>,
): Promise<T> {
	const watch = await watchLoad(n8n);
	const result = await work().then(
		(value) => ({ value }),
		(error: unknown) => ({ error: error as Error }),
	);
	const load = await watch.end();
	const outcome = 'value' in result ? await describeOutcome(result.value) : String(result.error);
	table.push([
		what.door,
		what.input,
		outcome.slice(0, 300).replaceAll(/[|\n]/g, ' '),
		...[load.longestPieceMs, load.longestWaitMs, load.memoryMb].map(round),
		(load.elapsedMs / 1000).toFixed(1),
	]);
	if ('error' in result) throw result.error;
	if (what.isTheirs !== true) expectResponsive(load, what);
	return result.value;
}

function expectResponsive(
	{ longestPieceMs, longestWaitMs, memoryMb }: N8nLoad,
	{ maxPieceMs = MAX_PIECE_MS }: Input,
): void {
	expect(longestPieceMs).toBeLessThanOrEqual(maxPieceMs);
	expect(longestWaitMs).toBeLessThanOrEqual(MAX_WAIT_MS);
	expect(memoryMb).toBeLessThan(MAX_MEMORY_MB);
}

/** The hints and errors that a person sees of an execution, and its status. */
function describeExecution({ status, data }: Execution): string {
	const { error, runData } = data.resultData;
	const written = JSON.stringify(runData).replaceAll('\\"', '"');
	const hints = [...written.matchAll(/"message":"((?:[^"\\]|"[^,}\]])*)","location"/g)].map(
		([, hint]) => hint,
	);
	const files = [...written.matchAll(/"fileName":"([^{}]*?)","/g)].map(
		([, name]) => `file ${name}`,
	);
	const told = [...new Set([...hints, ...files])].filter((hint) => !hint!.startsWith('Tokens per'));
	return [status, error?.message ?? '', ...told].filter(Boolean).join('; ');
}

/** Plays an input. */
async function play(what: Input, parts: Parts, timeoutMs?: number): Promise<Execution> {
	let execution: Execution | undefined;
	const describe = async (id: string) => {
		execution = await n8n.getExecution(id);
		return describeExecution(execution);
	};
	await measure(what, async () => await run(parts, timeoutMs), describe);
	return execution!;
}

/** Plays an input of n8n's own node, for the table. */
async function playTheirs({ door, input }: Input, parts: Parts): Promise<void> {
	if (process.env.LIMITS_TABLE === undefined) return;
	await play({ door, input: `${input} (n8n's own node)`, isTheirs: true }, parts);
}

const textOf = (execution: Execution): string =>
	JSON.stringify(execution.data.resultData).replaceAll('\\"', '"');

/** Items of a node. */
function itemsOf({ data }: Execution, node: string) {
	const { runData, error } = data.resultData;
	if (error !== undefined) throw new Error(JSON.stringify(error).slice(0, 1_000));
	return runData[node]!.at(-1)!.data!.main![0]!;
}

/** Text that does not repeat itself. */
const manyWords = (count: number): string =>
	Array.from({ length: count }, (_none, at) => `word ${at}`).join(' ');

const fieldsOf = (count: number): Json =>
	Object.fromEntries(
		Array.from({ length: count }, (_none, at) => [
			`field_${at}`,
			{ type: 'string', description: `Field number ${at}` },
		]),
	);

const schemaOf = (count: number): Json => ({ type: 'object', properties: fieldsOf(count) });

const SMALL: McpTool = { name: 'small', description: 'Small', inputSchema: schemaOf(1) };

/** A whole response, for n8n's own model, which does not stream here. */
const whole = (message: Json, finish: string): Answer =>
	json({
		id: 'c1',
		object: 'chat.completion',
		model: 'sim-model',
		choices: [
			{
				index: 0,
				message: { role: 'assistant', content: null, ...message },
				finish_reason: finish,
			},
		],
		usage: { prompt_tokens: 11, completion_tokens: 5, total_tokens: 16 },
	});

/** A model that calls the small tool three times, and then answers. */
function callSmall(): Answer[] {
	const call: Answer = (request, response) => {
		const { tools, stream, messages } = request.body;
		const offered = (tools as Array<{ function: { name: string } }> | undefined) ?? [];
		const name = offered.map((tool) => tool.function.name).find((one) => one.endsWith('small'));
		const id = `call_${(messages as unknown[]).length}`;
		const args = '{"field_0":"a"}';
		const message = { tool_calls: [{ id, type: 'function', function: { name, arguments: args } }] };
		const answer =
			stream === true ? calls([id, name ?? 'small', args]) : whole(message, 'tool_calls');
		answer(request, response);
	};
	const end: Answer = (request, response) => {
		const content = 'All done.';
		const answer = request.body.stream === true ? text(content) : whole({ content }, 'stop');
		answer(request, response);
	};
	return [call, call, call, end];
}

describe('tools', () => {
	/** A tool with one field, and the small one. */
	const withField = (field: Json): McpTool[] => [
		SMALL,
		{ name: 'big', inputSchema: { type: 'object', properties: { field } } },
	];
	const texts = (count: number) => Array.from({ length: count }, (_none, at) => `choice ${at}`);
	const union = (count: number): Json => ({
		anyOf: texts(count).map((description) => ({ type: 'string', description })),
	});
	const cases: Array<Input & { tools: McpTool[]; left: string | undefined }> = [
		{
			door: 'agent, MCP tool',
			input: '10,000 fields (0.6 MB)',
			tools: [SMALL, { name: 'big', inputSchema: schemaOf(10_000) }],
			left: 'MCP_big" (its schema has more than',
		},
		{
			door: 'agent, MCP tool',
			input: '3,000 fields',
			tools: [SMALL, { name: 'big', inputSchema: schemaOf(3_000) }],
			left: 'MCP_big" (its schema has more than',
		},
		{
			door: 'agent, MCP tool',
			input: '500 fields: offered',
			tools: [SMALL, { name: 'big', inputSchema: schemaOf(500) }],
			left: undefined,
		},
		{
			door: 'agent, MCP tool',
			input: 'a description of 3 MB',
			tools: [SMALL, { name: 'big', description: 'x'.repeat(3_000_000), inputSchema: schemaOf(1) }],
			left: 'MCP_big" (its description has more than',
		},
		{
			door: 'agent, MCP tool',
			input: 'an enumeration of 20,000 values',
			tools: withField({ enum: texts(20_000) }),
			left: 'MCP_big" (its schema has more than 3,000 choices',
		},
		{
			door: 'agent, MCP tool',
			input: 'an enumeration of 3,000 values: offered',
			tools: withField({ enum: texts(3_000) }),
			left: undefined,
		},
		{
			door: 'agent, MCP tool',
			input: 'an enumeration of 3,001 values',
			tools: withField({ enum: texts(3_001) }),
			left: 'MCP_big" (its schema has more than 3,000 choices',
		},
		{
			door: 'agent, MCP tool',
			input: 'a union of 1,664 texts: offered',
			tools: withField(union(1_664)),
			left: undefined,
		},
		{
			door: 'agent, MCP tool',
			input: 'a union of 1,665 texts',
			tools: withField(union(1_665)),
			left: 'MCP_big" (its schema has more than 10,000 values',
		},
		{
			door: 'agent, MCP tools',
			input: '1,000 tools with 29,989 values: offered',
			tools: [
				SMALL,
				...Array.from({ length: 999 }, (_none, at) => ({
					name: `tool_${at}`,
					description: `Number ${at}`,
					inputSchema: schemaOf(2),
				})),
			],
			left: undefined,
		},
		{
			door: 'agent, MCP tools',
			input: '5,000 tools',
			tools: [
				SMALL,
				...Array.from({ length: 5_000 }, (_none, at) => ({
					name: `tool_${at}`,
					description: `Number ${at}`,
					inputSchema: schemaOf(1),
				})),
			],
			// n8n itself makes schemas of zod of all of them in one piece, before the model sees them: 120 ms.
			maxPieceMs: 300,
			left: 'more',
		},
	];
	it.each(cases)('$door: $input', async ({ tools, left, ...input }) => {
		const what = { maxPieceMs: MAX_SCHEMA_PIECE_MS, ...input };
		const MCP = mcpClient(await register(startMcpServer(tools)));
		const Agent = agent('Go.');
		const ours = await startModel(callSmall());
		const execution = await play(what, {
			Start: MANUAL,
			Agent,
			Model: localModel(ours.credential),
			MCP,
		});
		expect(itemsOf(execution, 'Agent')).toMatchObject([{ json: { output: 'All done.' } }]);
		expect(ours.server.sent(CHAT)).toHaveLength(4);
		expect(textOf(execution).includes('were not offered to the model')).toBe(left !== undefined);
		expect(textOf(execution)).toContain(left ?? '');
		const theirs = await startModel(callSmall());
		await playTheirs(what, { Start: MANUAL, Agent, Model: openAiModel(theirs.openAi), MCP });
	});

	it('many long calls', async () => {
		const what = { door: 'agent, tool calls', input: '2 rounds with 20 calls of 60 KB each' };
		const MCP = mcpClient(await register(startMcpServer([SMALL])));
		const long = JSON.stringify({ field_0: 'x'.repeat(60_000) });
		const round = (at: number) =>
			calls(
				...Array.from({ length: 20 }, (_none, index): [string, string, string] => [
					`call_${at}_${index}`,
					'MCP_small',
					long,
				]),
			);
		const { credential } = await startModel([round(1), round(2), text('All done.')]);
		const model = localModel(credential, { options: { historyBudget: 100_000 } });
		const execution = await play(what, { Start: MANUAL, Agent: agent('Go.'), Model: model, MCP });
		expect(itemsOf(execution, 'Agent')).toMatchObject([{ json: { output: 'All done.' } }]);
	});

	it('1,000 calls, whose copies are kept', async () => {
		const what = { door: 'agent, tool calls', input: '25 executions with 40 calls of 60 KB each' };
		const MCP = mcpClient(await register(startMcpServer([SMALL])));
		const long = JSON.stringify({ field_0: 'x'.repeat(60_000) });
		const idsOf = (at: number) =>
			Array.from({ length: 20 }, (_none, index) => `kept_${at}_${index}`);
		const ours = await startModel(
			Array.from({ length: 75 }, (_none, at) =>
				at % 3 === 2
					? text('All done.')
					: calls(...idsOf(at).map((id): [string, string, string] => [id, 'MCP_small', long])),
			),
		);
		const play25 = (Model: Parts[string]) => async () => {
			const statuses: string[] = [];
			for (let execution = 0; execution < 25; execution++) {
				const id = await start({ Start: MANUAL, Agent: agent('Go.'), Model, MCP });
				statuses.push(await n8n.waitForEnd(id));
			}
			return statuses;
		};
		const describe = (statuses: string[]) => statuses.join(' ');
		// 60 MB of arguments: of 1,000 calls, the last 16 MB are kept.
		const options = { historyBudget: 100_000 };
		const statuses = await measure(
			what,
			play25(localModel(ours.credential, { options })),
			describe,
		);
		expect(new Set(statuses)).toEqual(new Set(['success']));
		expect(ours.server.sent(CHAT)).toHaveLength(75);
		if (process.env.LIMITS_TABLE === undefined) return;
		const called = (at: number) =>
			idsOf(at).map((id) => ({
				id,
				type: 'function',
				function: { name: 'MCP_small', arguments: long },
			}));
		const theirs = await startModel(
			Array.from({ length: 75 }, (_none, at) =>
				at % 3 === 2
					? whole({ content: 'All done.' }, 'stop')
					: whole({ tool_calls: called(at) }, 'tool_calls'),
			),
		);
		const input = `${what.input} (n8n's own node)`;
		await measure({ ...what, input, isTheirs: true }, play25(openAiModel(theirs.openAi)), describe);
	});

	describe('a structured output parser', () => {
		const parserOf = (fields: number): Parts[string] => ({
			type: `${LANGCHAIN}outputParserStructured`,
			typeVersion: 1.3,
			parameters: { schemaType: 'manual', inputSchema: JSON.stringify(schemaOf(fields)) },
			serves: [['ai_outputParser', 'Agent']],
		});
		const formatted: Answer = ({ body: { stream } }, response) => {
			const id = ['call_1', 'format_final_json_response', '{"output":{"field_0":"a"}}'] as const;
			const called = { id: id[0], type: 'function', function: { name: id[1], arguments: id[2] } };
			const answer =
				stream === true ? calls([...id]) : whole({ tool_calls: [called] }, 'tool_calls');
			answer({ body: {} } as never, response);
		};
		it.each([
			// n8n makes a schema of zod of it before the model sees it: 80 ms. To count it takes 1 ms.
			{ fields: 10_000, input: '10,000 fields', says: 'has more than 500 fields', maxPieceMs: 200 },
			// The parser puts them into another field.
			{ fields: 500, input: '501 fields', says: 'has more than 500 fields' },
			{ fields: 499, input: '500 fields: accepted', says: '"field_0":"a"' },
		])('with $input', async ({ fields, says, ...input }) => {
			const what = { door: 'agent, output parser', maxPieceMs: MAX_SCHEMA_PIECE_MS, ...input };
			const parts = {
				Start: MANUAL,
				Agent: agent('Go.', { hasOutputParser: true }),
				Parser: parserOf(fields),
			};
			const { server, credential } = await startModel(formatted);
			const execution = await play(what, { ...parts, Model: localModel(credential) });
			expect(textOf(execution)).toContain(says);
			expect(server.sent(CHAT)).toHaveLength(fields < 500 ? 1 : 0);
			const theirs = await startModel(formatted);
			await playTheirs(what, { ...parts, Model: openAiModel(theirs.openAi) });
		});
	});

	describe('operation, JSON Schema', () => {
		const nested = (levels: number): Json =>
			JSON.parse(`${'{"items":'.repeat(levels - 1)}{}${'}'.repeat(levels - 1)}`) as Json;
		/** The largest schema of some kind that is not too long, and the smallest one that is. */
		const largest = (build: (count: number) => Json) => {
			let [fits, exceeds] = [1, 200_000];
			while (exceeds - fits > 1) {
				const middle = (fits + exceeds) >> 1;
				const isShort = JSON.stringify(build(middle)).length <= MAX_LENGTH;
				[fits, exceeds] = isShort ? [middle, exceeds] : [fits, middle];
			}
			return { accepted: build(fits), beyond: build(exceeds), count: fits };
		};
		const fields = largest(schemaOf);
		const choices = largest((count) => ({ enum: texts(count) }));
		const unions = largest(union);
		const TOO_LONG = 'The JSON schema is too long';
		const TOO_DEEP = 'nested deeper than 500 levels';
		it.each([
			{
				input: '10,000 fields',
				schema: schemaOf(10_000),
				says: 'would take more than 4 MB of memory',
			},
			{ input: `${fields.count} fields: accepted`, schema: fields.accepted, says: undefined },
			{ input: 'one field more', schema: fields.beyond, says: TOO_LONG },
			{ input: `${choices.count} choices: accepted`, schema: choices.accepted, says: undefined },
			{ input: 'one choice more', schema: choices.beyond, says: TOO_LONG },
			{ input: `a union of ${unions.count}: accepted`, schema: unions.accepted, says: undefined },
			{ input: 'a union of one more', schema: unions.beyond, says: TOO_LONG },
			{ input: '500 levels: accepted', schema: nested(500), says: undefined },
			{ input: '501 levels', schema: nested(501), says: TOO_DEEP },
			{ input: '3,000 levels', schema: nested(3_000), says: TOO_DEEP },
		])('$input', async ({ schema, says, input }) => {
			const what = { door: 'operation, JSON Schema', input, maxPieceMs: MAX_SCHEMA_PIECE_MS };
			const answer = schema.type === 'object' ? '{}' : '"choice 1"';
			const { server, credential } = await startModel(text(answer));
			const execution = await play(what, {
				Start: { ...MANUAL, to: ['Chat'] },
				Chat: ourNode('localLlama', credential, {
					resource: 'text',
					operation: 'chat',
					prompt: 'Hi',
					options: { responseFormat: 'jsonSchema', jsonSchema: JSON.stringify(schema) },
				}),
			});
			expect(textOf(execution)).toContain(says ?? '');
			expect(server.sent(CHAT).length > 0).toBe(says === undefined);
		});
	});

	it('a result of a tool', async () => {
		const MCP = mcpClient(await register(startMcpServer([SMALL], manyWords(400_000))));
		const { server, credential } = await startModel(callSmall());
		const execution = await play(
			{ door: 'agent, tool result', input: '4.7 MB, three times' },
			{ Start: MANUAL, Agent: agent('Go.'), Model: localModel(credential), MCP },
		);
		// Two of them are the longest conversation.
		expect(server.sent(CHAT)).toHaveLength(2);
		expect(JSON.stringify(server.sent(CHAT)[1]!.messages)).toContain('[Cut: the result has');
		expect(textOf(execution)).toContain('The model got its beginning.');
	});

	it.each([
		{ count: 500, input: '500 fields of $fromAI: offered', left: undefined },
		{
			count: 501,
			input: '501 fields of $fromAI',
			left: 'Ask" (its schema has more than 500 fields',
		},
		{ count: 3_000, input: '3,000 fields of $fromAI', left: 'Ask" (its schema has more than' },
	])('$input', async ({ count, left, input }) => {
		// n8n itself makes a schema of zod of its expressions, before the model sees it.
		const what = { door: 'tool mode, $fromAI', input, maxPieceMs: MAX_SCHEMA_PIECE_MS };
		const MCP = mcpClient(await register(startMcpServer([SMALL])));
		const tool = await startModel(text('Yes.'));
		const called = Array.from(
			{ length: count },
			(_none, at) => `$fromAI('field_${at}', 'Field number ${at}', 'string', 'x')`,
		);
		const parts = {
			Start: MANUAL,
			Agent: agent('Go.'),
			MCP,
			Ask: ourNode(
				'localLlamaTool',
				tool.credential,
				{ resource: 'text', operation: 'chat', prompt: `={{ ${called.join(' + ')} }}` },
				{ serves: [['ai_tool', 'Agent']] },
			),
		};
		const { credential } = await startModel(callSmall());
		const execution = await play(what, { ...parts, Model: localModel(credential) });
		expect(itemsOf(execution, 'Agent')).toMatchObject([{ json: { output: 'All done.' } }]);
		expect(textOf(execution).includes('were not offered to the model')).toBe(left !== undefined);
		expect(textOf(execution)).toContain(left ?? '');
		const theirs = await startModel(callSmall());
		await playTheirs(what, { ...parts, Model: openAiModel(theirs.openAi) });
	});

	it('a tool of ours whose question the model writes', async () => {
		const tool = await startModel(text('Yes.'));
		const { credential } = await startModel([
			calls(['call_1', 'Ask', JSON.stringify({ prompt: manyWords(100_000) })]),
			text('All done.'),
		]);
		const execution = await play(
			{ door: 'tool mode, $fromAI', input: 'an argument of 1.1 MB' },
			{
				Start: MANUAL,
				Agent: agent('Go.'),
				Model: localModel(credential),
				Ask: ourNode(
					'localLlamaTool',
					tool.credential,
					{
						resource: 'text',
						operation: 'chat',
						prompt: "={{ $fromAI('prompt', 'The question', 'string') }}",
					},
					{ serves: [['ai_tool', 'Agent']] },
				),
			},
		);
		expect(itemsOf(execution, 'Agent')).toMatchObject([{ json: { output: 'All done.' } }]);
		expect(JSON.stringify(tool.server.sent(CHAT)).length).toBeGreaterThan(1_000_000);
	});
});

describe('bytes say what they are', () => {
	const svg = '<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>';
	const page = '<!doctype html><html><script>alert(1)</script></html>';
	const speech = (body: string | Buffer): Routes => ({
		'POST /v1/audio/speech': (_request, response) => {
			response.writeHead(200, { 'content-type': 'audio/mpeg' });
			response.end(body);
		},
	});
	const image = (bytes: string): Routes => ({
		'POST /v1/images/generations': json({
			data: [{ b64_json: Buffer.from(bytes).toString('base64') }],
		}),
	});
	it.each([
		{
			door: 'operation, Generate',
			input: 'an SVG with a script',
			routes: image(svg),
			parameters: { resource: 'image', operation: 'generate', prompt: 'A bike' },
			theirs: { resource: 'image', operation: 'generate', prompt: 'A bike', model: 'dall-e-3' },
			says: 'SVG',
		},
		{
			door: 'operation, Generate',
			input: 'a page',
			routes: image(page),
			parameters: { resource: 'image', operation: 'generate', prompt: 'A bike' },
			theirs: undefined,
			says: 'image',
		},
		{
			door: 'operation, Speak',
			input: 'a page as audio/mpeg',
			routes: speech(page),
			parameters: { resource: 'audio', operation: 'speak', text: 'Hi' },
			theirs: { resource: 'audio', operation: 'generate', input: 'Hi', voice: 'alloy' },
			says: 'audio',
		},
		{
			door: 'operation, Speak',
			input: 'a PDF as audio/mpeg',
			routes: speech('%PDF-1.7\n%\n1 0 obj\n'),
			parameters: { resource: 'audio', operation: 'speak', text: 'Hi' },
			theirs: undefined,
			says: 'audio',
		},
	])('$door: $input', async ({ routes, parameters, theirs, says, ...what }) => {
		const { credential, openAi } = await startModel(text(''), routes);
		const Start = { ...MANUAL, to: ['Task'] };
		const execution = await play(what, {
			Start,
			Task: ourNode('localLlama', credential, parameters),
		});
		expect(execution.status).toBe('error');
		expect(textOf(execution)).toContain(says);
		expect(textOf(execution)).not.toContain('"binary"');
		if (theirs === undefined) return;
		const task = {
			type: `${LANGCHAIN}openAi`,
			typeVersion: 1.8,
			parameters: { ...theirs, options: {} },
			credentials: { openAiApi: openAi },
		};
		await playTheirs(what, { Start, Task: task });
	});
});

describe('names, lists and vectors', () => {
	/** A vector of this many numbers for each text. */
	const embed =
		(dimensions: number): Answer =>
		({ body: { input } }, response) => {
			const numbers = `[${Array.from({ length: dimensions }, (_none, at) => `0.${at}123456789`).join(',')}]`;
			const data = [input]
				.flat()
				.map((_text, index) => `{"index":${index},"embedding":${numbers}}`);
			sendJson(response, `{"data":[${data.join(',')}],"model":"m","usage":{"prompt_tokens":1}}`);
		};

	it('a binary field named constructor', async () => {
		const { credential } = await startModel(text(''));
		const execution = await play(
			{ door: 'operation, Transcribe', input: 'a binary field named `constructor`' },
			{
				Start: { ...MANUAL, to: ['File'] },
				File: {
					type: 'n8n-nodes-base.code',
					typeVersion: 2,
					parameters: {
						jsCode:
							"return [{ json: {}, binary: { sound: { data: 'QUJD', mimeType: 'audio/wav', fileName: 'a.wav' } } }];",
					},
					to: ['Task'],
				},
				Task: ourNode('localLlama', credential, {
					resource: 'audio',
					operation: 'transcribe',
					binaryPropertyName: 'constructor',
				}),
			},
		);
		expect(execution.status).toBe('error');
		expect(execution.data.resultData.error?.message).toContain('constructor');
		expect(textOf(execution)).not.toContain("reading 'slice'");
	});

	it('vectors for a vector store: one of 64 MB', async () => {
		const { credential } = await startModel(text(''), {
			'POST /v1/embeddings': embed(4_000_000),
		});
		const execution = await play(
			{ door: 'sub-node, Local Embeddings', input: 'one vector of 64 MB' },
			{
				Start: { ...MANUAL, to: ['Store'] },
				Store: insertIntoStore('limits'),
				Document: documentLoader('Store'),
				Embeddings: ourNode(
					'localEmbeddings',
					credential,
					{},
					{ serves: [['ai_embedding', 'Store']] },
				),
			},
		);
		expect(execution.status).toBe('error');
		expect(textOf(execution)).toContain('is larger than');
	});

	it('a file name with separators', async () => {
		const { credential } = await startModel(text(''), {
			'POST /v1/audio/speech': (_request, response) => response.end(`ID3${'x'.repeat(500)}`),
		});
		const execution = await play(
			{ door: 'operation, Speak', input: 'File Name `Preis: 5/6 "Sonder"`' },
			{
				Start: { ...MANUAL, to: ['Task'] },
				Task: ourNode('localLlama', credential, {
					resource: 'audio',
					operation: 'speak',
					text: 'Hi',
					options: { fileName: 'Preis: 5/6 "Sonder"' },
				}),
			},
		);
		expect(itemsOf(execution, 'Task')[0]!.binary).toMatchObject({
			data: { fileName: expect.stringMatching(/^Preis.*5-6 .*Sonder.*\.mp3$/) as string },
		});
	});

	it.each([
		{ input: 'one vector of 64 MB', dimensions: 4_000_000, texts: 1, says: 'error' },
		{ input: '64 texts in a batch, 29 MB', dimensions: 32_768, texts: 64, says: 'success' },
	])('operation, Embed: $input', async ({ dimensions, texts, says, input }) => {
		const what = { door: 'operation, Embed', input };
		const { credential } = await startModel(text(''), {
			'POST /v1/embeddings': embed(dimensions),
		});
		const code = (item: string): Parts[string] => ({
			type: 'n8n-nodes-base.code',
			typeVersion: 2,
			parameters: {
				jsCode: `return Array.from({ length: ${texts} }, (_, at) => ({ json: ${item} }));`,
			},
		});
		const execution = await play(what, {
			Start: { ...MANUAL, to: ['Many'] },
			Many: { ...code("{ text: 'Text ' + at }"), to: ['Task'] },
			Task: ourNode('localLlama', credential, {
				resource: 'vector',
				operation: 'embed',
				text: '={{ $json.text }}',
				options: { batchSize: 64 },
			}),
		});
		expect(execution.status).toBe(says);
		// n8n has no such node: another one that outputs as many numbers.
		const vector = `Array.from({ length: ${dimensions} }, (_none, index) => Number('0.' + index + '12'))`;
		if (says === 'success')
			await playTheirs(what, {
				Start: { ...MANUAL, to: ['Many'] },
				Many: code(`{ embedding: ${vector} }`),
			});
	});

	it('a list of 50,000 models, and a name of half a million characters', async () => {
		const models = Array.from({ length: 50_000 }, (_none, at) => ({ id: `model-${at}` }));
		const { credential } = await startModel(text(''), {
			'GET /v1/models': json({ object: 'list', data: [{ id: 'x'.repeat(500_000) }, ...models] }),
		});
		const search = async () =>
			await n8n.request('POST', '/rest/dynamic-node-parameters/resource-locator-results', {
				nodeTypeAndVersion: { name: 'CUSTOM.localChatModel', version: 1 },
				path: 'parameters.model',
				methodName: 'searchModels',
				currentNodeParameters: {},
				credentials: { localLlamaApi: credential },
			});
		const result = await measure(
			{ door: 'list, Model', input: '50,000 models, one name of 500,000 characters' },
			async () => await search().then(JSON.stringify, String),
			(answer) => answer.slice(0, 300),
		);
		expect(result).toContain('The server lists 50001 models, more than 5000.');
	});

	it('a credential test that is answered with 5 MB of models', async () => {
		const models = Array.from({ length: 100_000 }, (_none, at) => ({
			id: `model-${at}`,
			object: 'model',
		}));
		const { server, credential } = await startModel(text(''), {
			'GET /v1/models': json({ object: 'list', data: models }),
		});
		const result = await measure(
			{ door: 'credential test', input: 'a list of 5 MB' },
			async () =>
				await n8n.request<{ status: string; message: string }>('POST', '/rest/credentials/test', {
					credentials: {
						...credential,
						type: 'localLlamaApi',
						data: { baseUrl: server.url },
					},
				}),
			({ status, message }) => `${status}: ${message}`,
		);
		expect(result.status).toBe('OK');
	});

	it('a report about a server whose model has a name of half a million characters', async () => {
		const id = `<img src=x onerror=alert(1)>${'x'.repeat(500_000)}`;
		const { credential } = await startModel(text('Hello.'), {
			'GET /v1/models': json({ object: 'list', data: [{ id, owned_by: 'llamacpp' }] }),
		});
		const execution = await play(
			{ door: 'operation, Server Health: Report', input: 'a name of 500,000 characters with tags' },
			{
				Start: { ...MANUAL, to: ['Report'] },
				Report: ourNode('serverHealth', credential, {
					service: 'modelServer',
					operation: 'report',
					measureSpeed: true,
					tokens: 16,
				}),
			},
		);
		const [item] = itemsOf(execution, 'Report');
		const { report } = item!.json as { report: { text: string } };
		expect(report.text).not.toContain('<img');
		expect(report.text.length).toBeLessThan(20_000);
	});
});

describe('Dify', () => {
	const startApp = async (mode: 'chat' | 'advanced-chat' = 'chat') => {
		const sim = await register(startDifySim({ apps: [{ mode, key: appKey(mode) }] }));
		const data = { baseUrl: sim.url, apiKey: appKey(mode), keyType: 'app' };
		return { sim, difyApi: await createCredential('difyApi', data) };
	};
	const usersOf = (sim: DifySim) =>
		sim.requests
			.filter(({ path }) => path.endsWith('/chat-messages'))
			.map(({ body }) => asRecord(JSON.parse(body)).user);

	it('a visitor whose session is the name of the workflow is another user', async () => {
		const { sim, difyApi } = await startApp();
		const { id } = await importWorkflow(
			n8n,
			workflowOf('Chat', {
				Chat: chatTrigger('limits-dify', 'Ask'),
				Ask: { type: 'CUSTOM.difyChatMessage', parameters: {}, credentials: { difyApi } },
			}),
		);
		const names = [`n8n-${id}`, `N8N-${id} `, `n8n\u200b-${id}`];
		await measure(
			{
				door: 'trigger, Chat',
				input: "sessions with the name of the workflow's user; two requests without a session",
			},
			async () => {
				for (const sessionId of names) await chatLines(n8n, 'limits-dify', 'Hi', { sessionId });
				const body = { action: 'sendMessage', chatInput: 'Hi' };
				for (let request = 0; request < 2; request++)
					await (await n8n.webhook('limits-dify/chat', { body })).text();
			},
			() => JSON.stringify(usersOf(sim)),
		);
		// docs/security.md: visitors without a session are the user of the workflow, each in a new conversation.
		expect(usersOf(sim)).toEqual([
			...names.map((name) => `session-${name}`),
			`n8n-${id}`,
			`n8n-${id}`,
		]);
		expect(sim.app('chat').conversations.size).toBe(5);
	});

	it('a Dify that shows a key without its public prefix', async () => {
		const key = appKey('chat');
		const server = await register(
			startScripted(json({ code: 'unauthorized', message: `Key ${key.slice(4)} is wrong` }, 401)),
		);
		const difyApi = await createCredential('difyApi', {
			baseUrl: `${server.url}/v1`,
			apiKey: key,
			keyType: 'app',
		});
		const execution = await play(
			{ door: 'operation, Dify Chat Message', input: 'an error with the key without `app-`' },
			{
				Start: { ...MANUAL, to: ['Ask'] },
				Ask: {
					type: 'CUSTOM.difyChatMessage',
					parameters: { query: 'Hi', user: 'anna', inputsMode: 'json', inputsJson: '{}' },
					credentials: { difyApi },
				},
			},
		);
		expect(execution.status).toBe('error');
		expect(JSON.stringify(execution)).not.toContain(key.slice(4));
		expect(JSON.stringify(execution)).toContain('***');
	});

	it('a file that arrives with 20 bytes per second ends', async () => {
		const fileId = '5e0c1d7b-7a40-4b0c-9d1e-5b2f8a6c7d90';
		const drip: Answer = async (_request, response) => {
			response.writeHead(200, { 'content-type': 'application/octet-stream' });
			while (!response.destroyed) {
				response.write('drip');
				await delay(200);
			}
		};
		const server = await register(startScripted({ [`GET /v1/files/${fileId}/preview`]: drip }));
		const difyApi = await createCredential('difyApi', {
			baseUrl: `${server.url}/v1`,
			apiKey: appKey('chat'),
			keyType: 'app',
		});
		const execution = await play(
			{ door: 'operation, Dify File: Download', input: '4 bytes each 200 ms, for ever' },
			{
				Start: { ...MANUAL, to: ['Get'] },
				Get: {
					type: 'CUSTOM.difyApp',
					parameters: { resource: 'file', operation: 'download', fileId },
					credentials: { difyApi },
				},
			},
			240_000,
		);
		expect(execution.status).toBe('error');
		await server.requests[0]!.cut;
	});

	it('a form of 5,000 fields, with long labels and a list of 20,000 options', async () => {
		const form = [
			...Array.from({ length: 5_000 }, (_none, at) => ({
				paragraph: { variable: `field_${at}`, label: `Field number ${at}`, required: false },
			})),
			...Array.from({ length: 20 }, (_none, at) => ({
				'text-input': { variable: `long_${at}`, label: 'x'.repeat(20_000), required: false },
			})),
			{
				select: {
					variable: 'choice',
					label: 'Choice',
					required: false,
					options: Array.from({ length: 20_000 }, (_none, at) => `option ${at}`),
				},
			},
		];
		const server = await register(
			startScripted({
				'GET /v1/parameters': json({ user_input_form: form }),
				'POST /v1/chat-messages': (_request, response) => {
					response.writeHead(200, { 'content-type': 'text/event-stream' });
					response.end(
						['message', 'message_end']
							.map((event) => ({
								event,
								task_id: 't1',
								message_id: 'm1',
								conversation_id: 'c1',
								...(event === 'message' ? { answer: 'Hello.' } : { metadata: {} }),
							}))
							.map((event) => `data: ${JSON.stringify(event)}\n\n`)
							.join(''),
					);
				},
			}),
		);
		const difyApi = await createCredential('difyApi', {
			baseUrl: `${server.url}/v1`,
			apiKey: appKey('chat'),
			keyType: 'app',
		});
		const result = await measure(
			{
				door: 'list, Dify form',
				input: '5,000 fields, labels of 20,000 characters, 20,000 options',
			},
			async () =>
				await n8n
					.request<{ fields: unknown[] }>(
						'POST',
						'/rest/dynamic-node-parameters/resource-mapper-fields',
						{
							nodeTypeAndVersion: { name: 'CUSTOM.difyChatMessage', version: 1 },
							path: 'parameters.inputs',
							methodName: 'getForm',
							currentNodeParameters: {},
							credentials: { difyApi },
						},
					)
					.then(({ fields }) => `${fields.length} fields`, String),
			(answer) => answer.slice(0, 300),
		);
		expect(result).toBe('5021 fields');
		const execution = await play(
			{
				door: 'operation, Dify Chat Message',
				input: 'the same form',
				maxPieceMs: MAX_SCHEMA_PIECE_MS,
			},
			{
				Start: { ...MANUAL, to: ['Ask'] },
				Ask: {
					type: 'CUSTOM.difyChatMessage',
					parameters: {
						query: 'Hi',
						user: 'anna',
						inputsMode: 'json',
						inputsJson: '{"field_1":"a","choice":"option 19999"}',
					},
					credentials: { difyApi },
				},
			},
		);
		expect(itemsOf(execution, 'Ask')).toHaveLength(1);
		expect(server.sent('/v1/chat-messages')).toMatchObject([
			{ inputs: { field_1: 'a', choice: 'option 19999' } },
		]);
	});

	it('a run that our Total Timeout ends is stopped in Dify', async () => {
		const { sim, difyApi } = await startApp('advanced-chat');
		sim.app('advanced-chat').reply = () => ({
			steps: [{ text: 'One' }, { wait: 600_000 }, { text: 'two' }],
		});
		const execution = await play(
			{ door: 'operation, Dify Chat Message', input: 'a run longer than Total Timeout (2 s)' },
			{
				Start: { ...MANUAL, to: ['Ask'] },
				Ask: {
					type: 'CUSTOM.difyChatMessage',
					parameters: {
						query: 'Hi',
						user: 'anna',
						inputsMode: 'json',
						inputsJson: '{}',
						options: { totalTimeout: 2 },
					},
					credentials: { difyApi },
				},
			},
		);
		expect(execution.status).toBe('error');
		expect(sim.stops).toHaveLength(1);
	});

	describe('the trigger', () => {
		const rating = (at: number, more: Json = {}): Json => ({
			id: `rating-${at}`,
			message_id: `message-${at}`,
			rating: 'like',
			from_source: 'user',
			created_at: new Date(Date.UTC(2026, 0, 1) + at * 60_000).toISOString().slice(0, 19),
			updated_at: new Date(Date.UTC(2026, 0, 1) + at * 60_000).toISOString().slice(0, 19),
			...more,
		});
		const old = (count: number, more: (at: number) => Json = () => ({})) =>
			Array.from({ length: count }, (_none, at) => rating(count - at, more(count - at)));
		const cases = [
			{
				input: 'the newest of 200 has no time',
				ratings: old(199),
				next: rating(999, { created_at: null }),
			},
			{
				input: 'the newest of 200 has the time "now"',
				ratings: old(199),
				next: rating(999, { created_at: 'now' }),
			},
			{
				input: 'one of the year 9999, then another one',
				ratings: [rating(200, { created_at: '9999-01-01T00:00:00' }), ...old(199)],
				next: rating(201, { created_at: new Date().toISOString().slice(0, 19) }),
			},
			{
				input: '5,000 with IDs of 900 characters, then another one',
				ratings: old(5_000, (at) => ({ id: `${at}-${'x'.repeat(900)}` })),
				next: rating(6_000, { created_at: new Date().toISOString().slice(0, 19) }),
			},
			{
				input: 'fields `event` and `isNew` of Dify',
				ratings: old(3),
				next: rating(999, {
					created_at: new Date().toISOString().slice(0, 19),
					event: 'deleted',
					isNew: 'no',
				}),
			},
		];

		it('starts the workflow once for one new rating, whatever the others contain', async () => {
			const lists = cases.map(({ ratings }) => [...ratings]);
			const servers = await Promise.all(
				lists.map(
					async (list) =>
						await register(
							startScripted({
								'GET /v1/app/feedbacks': ({ path }, response) => {
									const query = new URLSearchParams(path.split('?')[1]);
									const [page, limit] = ['page', 'limit'].map((name) => Number(query.get(name)));
									const from = (page! - 1) * limit!;
									sendJson(response, { data: list.slice(from, from + limit!) });
								},
							}),
						),
				),
			);
			const workflows = await Promise.all(
				servers.map(async ({ url }, at) => {
					const data = { baseUrl: `${url}/v1`, apiKey: appKey('chat'), keyType: 'app' };
					return await importWorkflow(
						n8n,
						workflowOf(`Ratings ${at}`, {
							Rated: {
								type: 'CUSTOM.difyTrigger',
								parameters: { pollTimes: { item: [{ mode: 'everyMinute' }] } },
								credentials: { difyApi: await createCredential('difyApi', data) },
								to: ['End'],
							},
							End: { type: 'n8n-nodes-base.noOp' },
						}),
					);
				}),
			);
			const hasPolled = async (rounds: readonly number[]) =>
				await until(
					async () => servers.every(({ requests }, at) => requests.length > rounds[at]!),
					Boolean,
				);
			await measure(
				{ door: 'trigger, Dify Event', input: cases.map(({ input }) => input).join('; ') },
				async () => {
					await hasPolled(servers.map(() => 0));
					lists.forEach((list, at) => list.unshift(cases[at]!.next));
					await hasPolled(servers.map(({ requests }) => requests.length));
					// The poll after that starts nothing.
					await delay(2_000);
					await hasPolled(servers.map(({ requests }) => requests.length));
					await delay(2_000);
				},
				() => 'polled',
			);
			const results = await Promise.all(
				workflows.map(async ({ id }, at) => {
					const executions = await n8n.listExecutions({ workflowId: id });
					const items = await Promise.all(
						executions.map(async (one) => itemsOf(await n8n.getExecution(one.id), 'Rated')),
					);
					const { staticData } = await n8n.request<Json>('GET', `/rest/workflows/${id}`);
					const state = JSON.stringify(staticData ?? '').length;
					const ids = items.flat().map((item) => item.json.id);
					table.push([
						'trigger, Dify Event',
						cases[at]!.input,
						`started ${executions.length} times with ${ids.length} items; state ${state} characters`,
						...Array.from({ length: 4 }, () => ''),
					]);
					return { ids, state, items: items.flat().map((item) => item.json) };
				}),
			);
			expect(results.map(({ ids }) => ids)).toEqual(cases.map(({ next }) => [next.id]));
			expect(results.at(-1)!.items).toMatchObject([{ event: 'feedback', isNew: true }]);
			expect(Math.max(...results.map(({ state }) => state))).toBeLessThan(100_000);
		});
	});
});

describe('Server Health Trigger', () => {
	it('a server whose model has a name of half a million characters, and which then answers with tags', async () => {
		const tags = `<img src=x onerror=alert(1)>${'x'.repeat(500_000)}`;
		let isUp = true;
		const list: Answer = (_request, response) =>
			sendJson(
				response,
				isUp ? { data: [{ id: tags }] } : { error: { message: tags } },
				isUp ? 200 : 500,
			);
		const server = await register(startScripted({ ...LLAMA_SERVER, 'GET /v1/models': list }));
		const localLlamaApi = await createCredential('localLlamaApi', { baseUrl: server.url });
		const polls = async () =>
			await until(
				async () => server.sent('/v1/models').length,
				(count) => count > 0,
			);
		const { id } = await importWorkflow(
			n8n,
			workflowOf('Health', {
				Changed: {
					type: 'CUSTOM.serverHealthTrigger',
					parameters: {
						pollTimes: { item: [{ mode: 'everyMinute' }] },
						options: { confirmations: 1 },
					},
					credentials: { localLlamaApi },
					to: ['End'],
				},
				End: { type: 'n8n-nodes-base.noOp' },
			}),
		);
		const started = await measure(
			{
				door: 'trigger, Server Health',
				input: 'a name and an error of 500,000 characters with tags',
			},
			async () => {
				await polls();
				isUp = false;
				return await until(
					async () => await n8n.listExecutions({ workflowId: id }),
					(executions) => executions.length > 0,
				);
			},
			(executions) => `started ${executions.length} times`,
		);
		const [item] = itemsOf(await n8n.getExecution(started[0]!.id), 'Changed');
		expect(item!.json).toMatchObject({ event: 'unhealthy' });
		const { staticData } = await n8n.request<Json>('GET', `/rest/workflows/${id}`);
		for (const stored of [item!.json, staticData]) {
			const written = JSON.stringify(stored);
			expect(written.length).toBeLessThan(100_000);
			expect(written).not.toContain('<img');
		}
	});
});

describe('Stop', () => {
	const never: Answer = () => {};
	const drip: Answer = async (_request, response) => {
		response.writeHead(200, { 'content-type': 'audio/mpeg' });
		response.write(`ID3${'x'.repeat(500)}`);
		while (!response.destroyed) {
			response.write('drip');
			await delay(200);
		}
	};
	const Start = { ...MANUAL, to: ['Task'] };
	const llama = (parameters: Json) => (credential: Credential) => ({
		Start,
		Task: ourNode('localLlama', credential, parameters),
	});
	const cases: Array<{
		door: string;
		input: string;
		route: string;
		answer: Answer;
		toParts(credential: Credential): Parts;
	}> = [
		{
			door: 'agent',
			input: 'a model that hangs after a word',
			route: CHAT,
			answer: stuckAfter(delta({ content: 'One' })),
			toParts: (credential) => ({
				Start: MANUAL,
				Agent: agent('Hi'),
				Model: localModel(credential),
			}),
		},
		{
			door: 'operation, Chat',
			input: 'a model that never answers',
			route: CHAT,
			answer: never,
			toParts: llama({ resource: 'text', operation: 'chat', prompt: 'Hi' }),
		},
		{
			door: 'operation, Speak',
			input: 'sound that drips',
			route: '/v1/audio/speech',
			answer: drip,
			toParts: llama({ resource: 'audio', operation: 'speak', text: 'Hi' }),
		},
		{
			door: 'operation, Embed',
			input: 'a server that never answers',
			route: '/v1/embeddings',
			answer: never,
			toParts: llama({ resource: 'vector', operation: 'embed', text: 'Hi' }),
		},
		{
			door: 'operation, Generate',
			input: 'an image that never comes',
			route: '/v1/images/generations',
			answer: never,
			toParts: llama({ resource: 'image', operation: 'generate', prompt: 'A bike' }),
		},
		{
			door: 'operation, Server Health: Test Tool Calls',
			input: 'a model that never answers',
			route: CHAT,
			answer: never,
			toParts: (credential) => ({
				Start,
				Task: ourNode('serverHealth', credential, {
					service: 'modelServer',
					operation: 'toolTest',
				}),
			}),
		},
	];
	it.each(cases)('$door: $input', async ({ route, answer, toParts, ...what }) => {
		const { server, credential } = await startModel(answer, { [`POST ${route}`]: answer });
		const result = await measure(
			{ ...what, input: `Stop: ${what.input}` },
			async () => {
				const id = await start(toParts(credential));
				const [request] = await server.arrived(route);
				const at = performance.now();
				await n8n.stopExecution(id);
				await request!.cut;
				const cutMs = performance.now() - at;
				const status = await n8n.waitForEnd(id);
				return { status, times: [cutMs, performance.now() - at] };
			},
			({ status, times: [cut, ended] }) =>
				`${status}; connection closed ${round(cut!)} ms after Stop, execution listed as ended ${round(ended!)} ms`,
		);
		expect(result.status).toBe('canceled');
		expect(Math.max(...result.times)).toBeLessThanOrEqual(MAX_STOP_MS);
		expect(server.sent(route)).toHaveLength(1);
	});
});
