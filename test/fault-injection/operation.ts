/** Operations of the nodes, as the fault tests use them. */
import type { INodeType } from 'n8n-workflow';

import { fakeContext } from '../support/context';
import { executeContext, type ExecuteSetup } from '../support/execute-context';
import { polling } from '../support/poll-context';
import type { FaultRequest } from './fault-server';
import type { AnswerForm } from './fault-offsets';

/** The nodes by name, built or from the sources. */
export type NodeSet = Readonly<Record<string, INodeType>>;

/** Settings of one run of an operation. */
export interface Setting {
	nodes: NodeSet;
	baseUrl: string;
	apiKey: string;
	/** ID of the subject: a knowledge base, a message. */
	id: string;
	/** Extra headers of the credential, if any. */
	extraHeaders: Array<{ name: string; value: string }>;
	limits: LowLimits;
	/** Stop. */
	signal: AbortSignal;
	/** n8n's helpers, such as its egress filter. */
	helpers: object;
	/** Whether to send more than the buffers of a connection can store. */
	big: boolean;
	/** Whether the model gets tools. */
	tools: boolean;
	maxConcurrentRequests: number;
	ignoreSslIssues: boolean;
	continueOnFail: boolean;
	/** Whether the workflow streams into a chat. */
	streaming: boolean;
}

/**
 * How an operation uses its server. `stream`: a streamed run or generation. `answer`: a long request with a non-streamed
 * response. `call`: a short request. `upload`, `download`: transfers a file. `checks`: requests several routes, and reports
 * problems in its result.
 */
export type Way = 'stream' | 'answer' | 'call' | 'upload' | 'download' | 'checks';

export interface Served {
	url: string;
	apiKey: string;
	id?: string;
	close(): Promise<void>;
}

export interface Operation {
	/** Name of the node, as in `package.json`. */
	node: string;
	/** Label: node and operation. */
	label: string;
	service: 'model' | 'dify';
	way: Way;
	form: AnswerForm;
	/** The requests that get faults. */
	target: (request: Pick<FaultRequest, 'method' | 'path'>) => boolean;
	/** Whether a request can be large enough to take time to send. */
	uploads: boolean;
	/** Whether it waits in n8n for Max Concurrent Requests. */
	queues: boolean;
	/** Whether the model may call tools. */
	callsTools: boolean;
	/** Whether arrived text is in the details of an error. */
	keepsText: boolean;
	/** Whether n8n polls it, and cannot stop it. */
	isPoll?: true;
	/** Maximum duration with these timeouts, in milliseconds. */
	limitMs: number;
	/** Starts a server for it. @returns also the key, and the ID of the subject, if any */
	serve(tools: boolean): Promise<Served>;
	run(setting: Setting): Promise<unknown>;
}

export interface LowLimits {
	firstToken: number;
	idle: number;
	total: number;
}

/** Timeouts in seconds, as in the nodes' options: as low as a busy machine allows. */
export const LIMITS: LowLimits = { firstToken: 2, idle: 2, total: 6 };
/** For faults of the connection: longer than the package's connect timeout of 10 s, which then ends the wait. */
export const CONNECT_LIMITS: LowLimits = { firstToken: 13, idle: 2, total: 16 };
/** For calls with a timeout of the package. */
export const CALL_LIMIT_MS = 15_000;

/** 6 MB of text: more than the buffers of both ends can store. */
const BIG = 'word and more '.repeat(450_000);

export function textFor({ big }: Setting, text: string): string {
	return big ? BIG : text;
}

export function credentialOf({
	baseUrl,
	apiKey,
	extraHeaders,
	maxConcurrentRequests,
	ignoreSslIssues,
}: Setting) {
	return {
		baseUrl,
		apiKey,
		authentication: 'bearer',
		extraHeaders: { header: extraHeaders },
		maxConcurrentRequests,
		ignoreSslIssues,
	};
}

/** Runs a node that processes items. */
export async function execute(
	setting: Setting,
	node: string,
	setup: Omit<ExecuteSetup, 'type' | 'signal'>,
): Promise<unknown> {
	const { signal, helpers, continueOnFail, streaming } = setting;
	const fake = executeContext({
		type: `n8n-nodes-local-llama.${node}`,
		signal,
		continueOnFail,
		streaming,
		...setup,
	});
	Object.assign(fake.context.helpers, helpers);
	Object.assign(fake.context, {
		getNodeOutputs: () => [{ type: 'main' }, { type: 'main' }],
		getMode: () => 'manual',
	});
	const items = await setting.nodes[node]!.execute!.call(fake.context);
	return { items, chunks: fake.chunks, hints: fake.hints };
}

/** Runs a sub-node's `supplyData`, and uses the result. */
export async function supply<Supplied>(
	setting: Setting,
	node: string,
	{
		parameters,
		credentials,
	}: { parameters: Record<string, unknown>; credentials: Record<string, unknown> },
	use: (supplied: Supplied) => Promise<unknown>,
): Promise<unknown> {
	const fake = fakeContext(parameters, credentials as Parameters<typeof fakeContext>[1]);
	Object.assign(fake.context.helpers, setting.helpers);
	Object.assign(fake.context, { getExecutionCancelSignal: () => setting.signal });
	const log = {
		inputs: fake.inputs,
		outputs: fake.outputs,
		hints: fake.hints,
		warnings: fake.warnings,
	};
	try {
		const { response } = await setting.nodes[node]!.supplyData!.call(fake.context, 0);
		return { result: await use(response as Supplied), log };
	} catch (error) {
		throw Object.assign(error as Error, { log });
	}
}

/** One poll of a polling node. */
export async function poll(
	setting: Setting,
	node: string,
	setup: {
		parameters: Parameters<typeof polling>[1]['parameters'];
		credentials: Record<string, unknown>;
	},
): Promise<unknown> {
	const watching = polling(setting.nodes[node]!, {
		parameters: setup.parameters,
		credentials: () =>
			setup.credentials as ReturnType<Parameters<typeof polling>[1]['credentials']>,
	});
	const polledItems = await watching.poll();
	return {
		given: polledItems,
		stored: watching.stored(),
	};
}

export const byId = (value: string) => ({ __rl: true, mode: 'id', value });
