/** Runs operations of the nodes against recorded responses, and collects their results. */
import { util } from '../support/node-builtins';
import { DIFY_OPERATIONS } from './dify-operations';
import { MODEL_OPERATIONS } from './model-operations';
import { LIMITS, type NodeSet, type Operation, type Setting } from './operation';
import { record, type Recording } from './recording';

export const OPERATIONS: readonly Operation[] = [...MODEL_OPERATIONS, ...DIFY_OPERATIONS];

/** The key and the header of every credential here: no part of eight characters may be visible anywhere. */
export const CANARY = 'app-Zq7Kx3Vw9Rt2Yp5Lm8Nc4Hd6';
export const CANARY_HEADER = { name: 'X-Canary-Token', value: 'Gb1Js5Fu8Wo3Ei6Ta9Mz2' };

/** The error that a user reads, or the result. */
export interface Outcome {
	failed: boolean;
	title: string;
	description: string;
	kind: string;
	/** Everything that n8n stores or shows. */
	shown: string;
}

export interface Prepared {
	operation: Operation;
	recording: Recording;
	id: string;
	tools: boolean;
}

/** Timeouts of a recording, which never expire. */
const PATIENT = { firstToken: 600, idle: 600, total: 1200 };

/** The settings that every run shares. */
export function settingFor(
	nodes: NodeSet,
	prepared: Pick<Prepared, 'id' | 'tools'>,
	more: Partial<Setting>,
): Setting {
	return {
		nodes,
		baseUrl: '',
		apiKey: CANARY,
		id: prepared.id,
		extraHeaders: [CANARY_HEADER],
		limits: LIMITS,
		signal: new AbortController().signal,
		helpers: {},
		big: false,
		tools: prepared.tools,
		maxConcurrentRequests: 0,
		ignoreSslIssues: false,
		continueOnFail: false,
		streaming: false,
		...more,
	};
}

/** Retries: on a busy machine the node may give up identifying the server, and send requests for an unknown type. */
const RECORDING_TRIES = 3;

/** Records the responses of a simulator to a successful operation. */
export async function prepare(
	nodes: NodeSet,
	operation: Operation,
	tools = false,
): Promise<Prepared> {
	let recordedKeys: string[] = [];
	for (let attempt = 0; attempt < RECORDING_TRIES; attempt++) {
		const prepared = await recordOperation(nodes, operation, tools);
		recordedKeys = [...prepared.recording.keys()];
		const hasTarget = recordedKeys.some((key) => {
			const [method = '', path = ''] = key.split(' ');
			return operation.target({ method, path });
		});
		if (hasTarget) return prepared;
	}
	throw new Error(`${operation.label} requested none of its targets: ${recordedKeys.join(', ')}`);
}

/** Uses a new server, so that no facts of an earlier attempt are cached. */
async function recordOperation(
	nodes: NodeSet,
	operation: Operation,
	tools: boolean,
): Promise<Prepared> {
	const served = await operation.serve(tools);
	try {
		const id = served.id ?? '';
		const recording = await record(served.url, async (baseUrl) => {
			const { apiKey } = served;
			const outcome = await outcomeOf(
				operation,
				settingFor(
					nodes,
					{ id, tools },
					{ baseUrl, apiKey, extraHeaders: [], streaming: true, limits: PATIENT },
				),
			);
			if (outcome.failed)
				throw new Error(`${operation.label} fails without a fault: ${outcome.shown}`);
		});
		return { operation, recording, id, tools };
	} finally {
		await served.close();
	}
}

/** Runs an operation to its end. Never rejects. */
export async function outcomeOf(operation: Operation, setting: Setting): Promise<Outcome> {
	try {
		const result = await operation.run(setting);
		return { ...itemFailure(result), shown: everythingIn(result) };
	} catch (error) {
		const { message, description, context } = error as Error & {
			description?: unknown;
			context?: { data?: { type?: unknown; findings?: Array<{ id?: unknown }> } };
		};
		return {
			failed: true,
			title: message,
			description: typeof description === 'string' ? description : '',
			kind: String(context?.data?.type ?? context?.data?.findings?.[0]?.id ?? ''),
			shown: everythingIn(error),
		};
	}
}

/** An error returned as an item: with continue on fail, or as the finding of a check. */
function itemFailure(result: unknown): Omit<Outcome, 'shown'> {
	const { given, items } = (result ?? {}) as {
		given?: Array<Array<{ json: unknown }>> | null;
		items?: Array<Array<{ json: unknown }>>;
	};
	const item = (given ?? items)?.flat()[0]?.json as
		| { error?: Record<string, unknown>; health?: Record<string, unknown> }
		| undefined;
	const health = item?.health as
		| { healthy?: boolean; findings?: Array<Record<string, unknown>> }
		| undefined;
	const finding = health?.healthy === false ? health.findings?.[0] : undefined;
	if (finding !== undefined) {
		const description = `${String(finding.detail)}. ${String(finding.suggestion)}`;
		return { failed: true, title: String(finding.detail), description, kind: String(finding.id) };
	}
	const error = item?.error;
	if (typeof error === 'object' && error !== null) {
		const { message, description, kind } = error;
		return {
			failed: true,
			title: String(message),
			description: String(description ?? ''),
			kind: String(kind ?? ''),
		};
	}
	return { failed: false, title: 'answered', description: '', kind: 'answered' };
}

/** The whole content of a value, at any depth: n8n stores items and errors completely. */
function everythingIn(value: unknown): string {
	return util.inspect(value, {
		depth: 12,
		showHidden: true,
		maxStringLength: 1_000_000,
		maxArrayLength: 10_000,
		breakLength: Infinity,
	});
}

/** Every part of eight characters of the key and of the header. */
const PARTS = [CANARY.slice('app-'.length), CANARY_HEADER.value].flatMap((secret) =>
	Array.from({ length: secret.length - 7 }, (_, at) => secret.slice(at, at + 8)),
);

/** The parts of the secrets that a text shows. */
export function leaksIn(text: string): string[] {
	return PARTS.filter((part) => text.includes(part));
}
