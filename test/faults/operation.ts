/** What an operation of a node is, as far as faults are concerned. */
import type { INodeType } from 'n8n-workflow';

import { fakeContext } from '../support/context';
import { executeContext, type ExecuteSetup } from '../support/execute-context';
import { polling } from '../support/poll-context';
import type { Asked } from './fault-server';
import type { AnswerForm } from './marks';

/** The nodes by name, built or from the sources. */
export type NodeSet = Readonly<Record<string, INodeType>>;

/** Under which conditions an operation runs. */
export interface Setting {
	nodes: NodeSet;
	baseUrl: string;
	apiKey: string;
	/** Of what is asked about: a knowledge base, a message. */
	id: string;
	/** Of the credential, where it has some. */
	extraHeaders: Array<{ name: string; value: string }>;
	limits: LowLimits;
	/** Stop. */
	signal: AbortSignal;
	/** Of n8n, such as its egress filter. */
	helpers: object;
	/** So much is sent that it does not fit into the buffers of a connection. */
	big: boolean;
	/** The model is given tools. */
	tools: boolean;
	maxConcurrentRequests: number;
	ignoreSslIssues: boolean;
	continueOnFail: boolean;
	/** The workflow streams into a chat. */
	streaming: boolean;
}

/**
 * How an operation talks to its server. `stream`: a run or a generation, piece by piece. `answer`: a request that may
 * wait long and is answered as a whole. `call`: a short request. `upload`, `download`: a file goes or comes. `checks`: it
 * asks several routes, and says in its result what is wrong.
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
	/** As a user sees it: node and operation. */
	label: string;
	service: 'model' | 'dify';
	way: Way;
	form: AnswerForm;
	/** The requests that the faults strike. */
	target: (asked: Pick<Asked, 'method' | 'path'>) => boolean;
	/** A request of it can be so large that it takes time to send. */
	uploads: boolean;
	/** Waits in n8n for a place among Max Concurrent Requests. */
	queues: boolean;
	/** The model may call tools in it. */
	callsTools: boolean;
	/** Text that has arrived is in the details of an error. */
	keepsText: boolean;
	/** n8n looks at it again and again, and cannot stop it. */
	isPoll?: true;
	/** The longest that it may take with the limits that it is given here, in milliseconds. */
	limitMs: number;
	/** A server that answers it, the key that this server wants, and the ID of what is asked about, where there is one. */
	serve(tools: boolean): Promise<Served>;
	run(setting: Setting): Promise<unknown>;
}

export interface LowLimits {
	firstToken: number;
	idle: number;
	total: number;
}

/** Seconds, as the nodes' options take them: as low as a busy machine allows. */
export const LIMITS: LowLimits = { firstToken: 2, idle: 2, total: 6 };
/** For the way to a server, so that it is the nodes' own limit of 10 s for making a connection that ends the wait. */
export const CONNECT_LIMITS: LowLimits = { firstToken: 13, idle: 2, total: 16 };
/** Of calls whose limit is the package's own. */
export const CALL_LIMIT_MS = 15_000;

/** 6 MB of text: more than the buffers of both ends hold. */
const BIG = 'word and more '.repeat(450_000);

export function textFor({ big }: Setting, text: string): string {
	return big ? BIG : text;
}

export function credentialOf({ baseUrl, apiKey, extraHeaders, maxConcurrentRequests, ignoreSslIssues }: Setting) {
	return {
		baseUrl,
		apiKey,
		authentication: 'bearer',
		extraHeaders: { header: extraHeaders },
		maxConcurrentRequests,
		ignoreSslIssues,
	};
}

/** Runs a node that works on items. */
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

/** Lets a sub-node supply what it supplies, and uses it. */
export async function supply<Supplied>(
	setting: Setting,
	node: string,
	{ parameters, credentials }: { parameters: Record<string, unknown>; credentials: Record<string, unknown> },
	use: (supplied: Supplied) => Promise<unknown>,
): Promise<unknown> {
	const fake = fakeContext(parameters, credentials as Parameters<typeof fakeContext>[1]);
	Object.assign(fake.context.helpers, setting.helpers);
	Object.assign(fake.context, { getExecutionCancelSignal: () => setting.signal });
	const log = { inputs: fake.inputs, outputs: fake.outputs, hints: fake.hints, warnings: fake.warnings };
	try {
		const { response } = await setting.nodes[node]!.supplyData!.call(fake.context, 0);
		return { result: await use(response as Supplied), log };
	} catch (error) {
		throw Object.assign(error as Error, { log });
	}
}

/** One look of a polling node. */
export async function poll(
	setting: Setting,
	node: string,
	setup: { parameters: Parameters<typeof polling>[1]['parameters']; credentials: Record<string, unknown> },
): Promise<unknown> {
	const watching = polling(setting.nodes[node]!, {
		parameters: setup.parameters,
		credentials: () => setup.credentials as ReturnType<Parameters<typeof polling>[1]['credentials']>,
	});
	const given = await watching.poll();
	return { given, deliveries: watching.deliveries.map(({ items }) => items), stored: watching.stored() };
}

export const byId = (value: string) => ({ __rl: true, mode: 'id', value });
