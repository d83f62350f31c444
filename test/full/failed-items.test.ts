import type { IDataObject } from 'n8n-workflow';

import { startN8n, stopEverything, type N8nServer } from '../e2e/support/playground';
import { MANUAL, workflowOf } from '../e2e/support/workflows';

const SECRETS = { modelServer: 'sk-behind-the-mask-4711', dify: 'app-behind-the-mask-4711' };
/** Nothing listens on this port. */
const NOWHERE = 'http://127.0.0.1:9/v1';

const text = expect.any(String) as string;
const expectedError = {
	message: text,
	description: text,
	type: 'connectionRefused',
	retryable: true,
	url: text,
};

/** One node of each type, and the fields of its failed item without a server. */
const NODES: Record<
	string,
	{ type: string; credential: string; parameters: IDataObject; error: object }
> = {
	'Server Health': {
		type: 'CUSTOM.serverHealth',
		credential: 'localLlamaApi',
		parameters: { operation: 'check', options: { failWhenUnhealthy: true } },
		error: {
			message: text,
			description: text,
			healthy: false,
			status: 'unreachable',
			summary: text,
			findings: [
				{
					id: 'connectionRefused',
					severity: 'error',
					detail: text,
					suggestion: text,
					observed: text,
				},
			],
		},
	},
	'Local Llama': {
		type: 'CUSTOM.localLlama',
		credential: 'localLlamaApi',
		parameters: {
			resource: 'text',
			operation: 'chat',
			model: { __rl: true, mode: 'id', value: 'any' },
			prompt: 'hi',
			options: { maxRetries: 0 },
		},
		error: expectedError,
	},
	'Dify Chat Message': {
		type: 'CUSTOM.difyChatMessage',
		credential: 'difyApi',
		parameters: { query: 'hi', user: 'anna', options: { maxRetries: 0 } },
		error: expectedError,
	},
	'Dify Knowledge': {
		type: 'CUSTOM.difyKnowledge',
		credential: 'difyApi',
		parameters: { resource: 'knowledgeBase', operation: 'getAll' },
		error: expectedError,
	},
};

let n8n: N8nServer;
let credentials: Record<string, { id: string; name: string }>;

beforeAll(async () => {
	n8n = await startN8n({});
	credentials = {};
	for (const [type, apiKey] of [
		['localLlamaApi', SECRETS.modelServer],
		['difyApi', SECRETS.dify],
	] as const) {
		const data = { baseUrl: NOWHERE, apiKey };
		credentials[type] = await n8n.createCredential({ name: type, type, data });
	}
});

afterAll(async () => {
	await stopEverything();
});

describe.each(Object.keys(NODES))('a failed item of %s keeps all details of the error', (name) => {
	const { type, credential, parameters, error } = NODES[name]!;

	it.each(['continueRegularOutput', 'continueErrorOutput'])('%s', async (onError) => {
		const { id } = credentials[credential]!;
		const workflow = workflowOf(`${name} ${onError}`, {
			Start: { ...MANUAL, to: [name] },
			[name]: {
				type,
				parameters,
				credentials: { [credential]: { id, name: credential } },
				onError,
			},
		});
		const execution = await n8n.waitForExecution(
			await n8n.runWorkflow(await n8n.createWorkflow(workflow), 'Start'),
		);
		expect(execution.status).toBe('success');
		const outputs = execution.data.resultData.runData[name]!.at(-1)!.data!.main!;
		const items = outputs.flatMap((output) => output ?? []);
		expect(items.map(({ json }) => json)).toEqual([
			{ error: expect.objectContaining(error) as object },
		]);
		// The error output comes last.
		if (onError === 'continueErrorOutput') expect(outputs.at(-1)).toEqual(items);
		for (const secret of Object.values(SECRETS))
			expect(JSON.stringify(execution)).not.toContain(secret);
	});
});
