import type { INodeExecutionData, NodeExecutionHint } from 'n8n-workflow';

import { closePools } from '../../../lib/http/dispatcher';
import { ServerHealth } from '../../../nodes/ServerHealth/ServerHealth.node';
import { startLlamaServerSim } from '../../simulators/llama-server';
import type { LlamaServerSim, SimOptions } from '../../simulators/llama-server';
import { executeContext } from '../../support/n8n/execute-context';
import type { ExecuteSetup } from '../../support/n8n/execute-context';
import { setTimeout as delay } from 'node:timers/promises';

/** The key of the simulated server. */
export const SESAME = 'open-sesame-123456';

export interface Setup extends Partial<Omit<ExecuteSetup, 'items' | 'type'>> {
	/** Number of items. */
	items?: number;
	/** Names of the outputs, as n8n sees them. */
	outputs?: string[];
	mode?: string;
}

let current: LlamaServerSim | undefined;

/** The server of this test. */
export const server = (): LlamaServerSim => current!;

/** Credential types that the node requested. */
export const credentialTypes: string[] = [];

/** What the node showed above its output. */
export const hints: NodeExecutionHint[] = [];

/** Starts the server of this test. */
export async function sim(options: SimOptions = {}): Promise<void> {
	current = await startLlamaServerSim({ apiKey: SESAME, ...options });
}

export async function run({
	items = 1,
	outputs = ['main', 'main'],
	mode = 'manual',
	parameters,
	credentials = { baseUrl: server().url, apiKey: SESAME },
	...setup
}: Setup = {}): Promise<INodeExecutionData[][]> {
	const fake = executeContext({
		type: 'n8n-nodes-local-llama.serverHealth',
		credentials,
		items: Array.from({ length: items }, (_, index) => ({ json: { index } })),
		// Default of the tests: longer than a busy machine hangs.
		parameters: { options: { timeout: 60 }, ...parameters },
		...setup,
	});
	fake.hints = hints;
	const getCredentials = fake.context.getCredentials.bind(fake.context);
	Object.assign(fake.context, {
		getNodeOutputs: () => outputs.map((type) => ({ type })),
		getMode: () => mode,
		getCredentials: async (name: string, itemIndex: number) => {
			credentialTypes.push(name);
			return await getCredentials(name, itemIndex);
		},
	});
	return await new ServerHealth().execute.call(fake.context);
}

/** Status and paired item of each item, output by output. */
export function shape(outputs: INodeExecutionData[][]): Array<Array<[unknown, unknown]>> {
	return outputs.map((items) => items.map(({ json, pairedItem }) => [json.status, pairedItem]));
}

/**
 * Runs an operation, stops it in the middle, and checks that it ends at once and leaves nothing running on the server.
 */
export async function expectEndOnStop(
	options: SimOptions,
	parameters: Record<string, unknown>,
): Promise<void> {
	await sim({ apiKey: undefined, ...options });
	const abort = new AbortController();
	const running = run({ signal: abort.signal, parameters });
	const ended = running.then(
		() => 'result',
		(error: Error) => error.name,
	);
	const isBusy = () =>
		server()
			.slots()
			.some(({ busy }) => busy);
	if (parameters.operation !== 'waitUntilReady') await server().until(isBusy);
	else await server().until(() => server().connections.accepted > 0);
	await delay(300);
	abort.abort();
	expect(await ended).toBe('NodeOperationError');
	await server().until(() => !isBusy());
}

/** Before and after each test of a suite. */
export function useServer(): void {
	beforeEach(() => {
		credentialTypes.length = 0;
		hints.length = 0;
	});
	afterEach(async () => {
		await closePools();
		await current?.close();
		current = undefined;
	});
}
