import type {
	ICredentialDataDecryptedObject,
	IExecuteFunctions,
	INodeExecutionData,
	NodeExecutionHint,
} from 'n8n-workflow';

import { closePools } from '../../../lib/http/dispatcher';
import { ServerHealth } from '../../../nodes/ServerHealth/ServerHealth.node';
import {
	type LlamaServerSim,
	type SimOptions,
	startLlamaServerSim,
} from '../../simulators/llama-server';
import { setTimeout as delay } from 'node:timers/promises';

/** The key of the simulated server. */
export const SESAME = 'open-sesame-123456';

export interface Setup {
	parameters?: Record<string, unknown>;
	/** One set of parameters per item, over the others. */
	perItem?: Array<Record<string, unknown>>;
	credentials?: ICredentialDataDecryptedObject | ICredentialDataDecryptedObject[];
	items?: number;
	/** Contents of the items, instead of their number. */
	input?: Array<Record<string, unknown>>;
	continueOnFail?: boolean;
	/** Names of the outputs, as n8n sees them. */
	outputs?: string[];
	mode?: string;
	signal?: AbortSignal;
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

/** The node's context, as far as this node uses it. */
function context(setup: Setup): IExecuteFunctions {
	const {
		perItem = [],
		items = 1,
		continueOnFail = false,
		outputs = ['main', 'main'],
		mode = 'manual',
	} = setup;
	// Default of the tests: longer than a busy machine hangs.
	const parameters = { options: { timeout: 60 }, ...setup.parameters };
	const credentials = setup.credentials ?? { baseUrl: server().url, apiKey: SESAME };
	return {
		getInputData: () =>
			(setup.input ?? Array.from({ length: items }, (_, index) => ({ index }))).map((json) => ({
				json,
			})),
		getNodeParameter: (
			name: string,
			itemIndex: number,
			fallback: unknown,
			options?: { extractValue?: boolean },
		) => {
			const value = { ...parameters, ...perItem[itemIndex] }[name] ?? fallback;
			return options?.extractValue &&
				typeof value === 'object' &&
				value !== null &&
				'value' in value
				? value.value
				: value;
		},
		getCredentials: async (name: string, itemIndex: number) => {
			credentialTypes.push(name);
			return Array.isArray(credentials) ? credentials[itemIndex]! : credentials;
		},
		getNode: () => ({
			id: '1',
			name: 'Server Health',
			type: 'n8n-nodes-local-llama.serverHealth',
			typeVersion: 1,
			position: [0, 0],
			parameters: {},
		}),
		getNodeOutputs: () => outputs.map((type) => ({ type })),
		getMode: () => mode,
		isStreaming: () => false,
		continueOnFail: () => continueOnFail,
		getExecutionCancelSignal: () => setup.signal,
		getTimezone: () => 'Europe/Berlin',
		addExecutionHints: (...more: NodeExecutionHint[]) => void hints.push(...more),
		helpers: {
			prepareBinaryData: async (data: Buffer, fileName: string, mimeType: string) =>
				await Promise.resolve({
					data: data.toString('base64'),
					fileName,
					mimeType,
					id: 'filesystem-v2:1',
				}),
		},
	} as unknown as IExecuteFunctions;
}

export async function run(setup: Setup = {}): Promise<INodeExecutionData[][]> {
	return await new ServerHealth().execute.call(context(setup));
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
