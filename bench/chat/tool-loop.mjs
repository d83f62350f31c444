/** An agent of the real n8n that calls a tool six times in a row: how many prompt tokens the server reads. */
import { join } from 'node:path';
import { startLlamaServer } from '../../scripts/lib/models/llama-server.mjs';
import { copyPreparedUserFolder, startN8n, TEST_LOGIN } from '../../scripts/lib/n8n/n8n.mjs';
import { writeScriptedModel } from '../../test/support/servers/scripted-model.mjs';
import { ratio } from '../lib/statistics.mjs';

const TOOL_STEPS = 6;

/** @param {number} step */
const product = (step) => String(step * 111);
/** @param {number} step */
const call = (step) =>
	`<think>\nStep ${step} of ${TOOL_STEPS} comes now.\n</think>\n\n<tool_call>\n{"name": "Calculator", "arguments": {"input": "${step}*111"}}\n</tool_call>`;

/**
 * Runs an agent that calls a tool six times in a row, and counts the prompt tokens that the server reads.
 *
 * @param {string} binary
 * @param {string} model
 * @param {import('../../scripts/lib/types').N8nServer} n8n
 * @param {(url: string) => { credential: import('../../scripts/lib/types').Credential, node:
 *   Pick<import('../../scripts/lib/types').WorkflowNode, 'type' | 'typeVersion' | 'parameters'> }} chatModel
 */
const readTokens = async (binary, model, n8n, chatModel) => {
	const server = await startLlamaServer(binary, {
		model,
		alias: 'bench-model',
		contextSize: 8192,
		parallel: 1,
		threads: 1,
		args: ['--metrics'],
	});
	try {
		const { credential, node: modelNode } = chatModel(server.url);
		const { id, name } = await n8n.createCredential(credential);
		const workflow = await n8n.createWorkflow({
			name: 'Tool loop',
			nodes: [
				{
					id: '1',
					name: 'Start',
					type: 'n8n-nodes-base.manualTrigger',
					typeVersion: 1,
					position: [0, 0],
					parameters: {},
				},
				{
					id: '2',
					name: 'Agent',
					type: '@n8n/n8n-nodes-langchain.agent',
					typeVersion: 3,
					position: [200, 0],
					parameters: {
						promptType: 'define',
						text: 'Calculate the multiples of 111.',
						options: { maxIterations: 10, systemMessage: 'You are exact. '.repeat(40) },
					},
				},
				{
					...modelNode,
					id: '3',
					name: 'Model',
					position: [200, 200],
					credentials: { [credential.type]: { id, name } },
				},
				{
					id: '4',
					name: 'Calculator',
					type: '@n8n/n8n-nodes-langchain.toolCalculator',
					typeVersion: 1,
					position: [400, 200],
					parameters: {},
				},
			],
			connections: {
				Start: { main: [[{ node: 'Agent', type: 'main', index: 0 }]] },
				Model: { ai_languageModel: [[{ node: 'Agent', type: 'ai_languageModel', index: 0 }]] },
				Calculator: { ai_tool: [[{ node: 'Agent', type: 'ai_tool', index: 0 }]] },
			},
		});
		const execution = await n8n.waitForExecution(await n8n.runWorkflow(workflow, 'Start'));
		const { runData } = execution.data.resultData;
		const calls = runData.Calculator?.length ?? 0;
		if (execution.status !== 'success' || calls !== TOOL_STEPS) {
			throw new Error(
				`The tool loop ended as ${execution.status} after ${calls} calls: ${execution.data.resultData.error?.message ?? ''}`,
			);
		}
		const metrics = await (await fetch(`${server.url}/metrics`)).text();
		const count = (/** @type {string} */ counter) =>
			Number(new RegExp(`^llamacpp:${counter} (\\d+)`, 'm').exec(metrics)?.[1] ?? NaN);
		return {
			read: count('prompt_tokens_total'),
			cached: count('prompt_tokens_cached_total'),
		};
	} finally {
		await server.stop();
	}
};

/** @param {string} file of the model whose answers are the calls, one after another */
const writeCallingModel = (file) => {
	const steps = Array.from({ length: TOOL_STEPS - 1 }, (_, index) => index + 1).reverse();
	writeScriptedModel(
		file,
		[
			{ last: 'tool', contains: product(TOOL_STEPS), reply: 'All multiples are there.' },
			...steps.map((step) => ({
				last: /** @type {const} */ ('tool'),
				contains: product(step),
				reply: call(step + 1),
			})),
			{ last: 'user', reply: call(1) },
		],
		{ contextLength: 8192, readsAsWritten: true },
	);
};

const model = { __rl: true, mode: 'id', value: 'bench-model' };
/** @param {string} url */
const ownModel = (url) => ({
	credential: { name: 'own', type: 'localLlamaApi', data: { baseUrl: url } },
	node: { type: 'CUSTOM.localChatModel', typeVersion: 1, parameters: { model, options: {} } },
});
/** @param {string} url */
const openAiModel = (url) => ({
	credential: { name: 'openai', type: 'openAiApi', data: { apiKey: 'none', url: `${url}/v1` } },
	node: {
		type: '@n8n/n8n-nodes-langchain.lmChatOpenAi',
		typeVersion: 1.2,
		parameters: { model, options: {} },
	},
});

/**
 * @param {{ install: import('../../scripts/lib/types').N8nInstall, nodes: string, binary: string }} parts
 * @param {string} work folder for the model and n8n's own
 * @returns {Promise<string[]>} a table
 */
export const toolLoop = async ({ install, nodes, binary }, work) => {
	const scripted = join(work, 'scripted.gguf');
	writeCallingModel(scripted);
	const userFolder = join(work, 'home');
	await copyPreparedUserFolder(install, userFolder);
	const n8n = await startN8n(install, { userFolder, customExtensions: [nodes] });
	await n8n.login(TEST_LOGIN);
	const own = await readTokens(binary, scripted, n8n, ownModel);
	const openAi = await readTokens(binary, scripted, n8n, openAiModel);
	await n8n.stop();
	return [
		'## Tool loop',
		'',
		`n8n's agent calls a tool ${TOOL_STEPS} times in a row with thinking, one slot. The model is scripted, each of its answers one token. Prompt tokens by the server's own count (\`/metrics\`).`,
		'',
		"| | prompt tokens read | taken from the cache | read, against n8n's OpenAI Chat Model |",
		'|---|---|---|---|',
		`| Local Chat Model | ${own.read} | ${own.cached} | ${ratio(own.read / openAi.read)} |`,
		`| n8n's OpenAI Chat Model | ${openAi.read} | ${openAi.cached} | 1.00× |`,
		'',
	];
};
