/** What a node makes of a recorded exchange, as data. */
import type { INodeExecutionData, NodeOperationError } from 'n8n-workflow';

import type { Chunk } from '../../support/execute-context';
import { buffer, crypto } from '../../support/node-builtins';
import { execute, prepare, supplyRetriever, type ActionNode } from './dify-node-runner';
import type { DifyExchange } from './dify-exchanges';
import type { OperationRow } from './dify-operations';
import { startDifyPlayback } from './dify-playback';

/** Longer texts are shortened, hints and titles excepted. */
const LONGEST_TEXT = 120;
const WHOLE_TEXTS = ['hints', 'title'];

/** What a user gets. */
export interface DifyResult {
	items?: unknown[];
	/** Of a retriever. */
	documents?: unknown;
	/** What was typed into the chat, message by message. */
	typed?: string[];
	hints?: string[];
	error?: unknown;
}

export interface PlayedResult {
	result: DifyResult;
	/** How often a run was asked for. */
	starts: number;
}

/** Plays an exchange to the operation that sends its request. */
export async function resultOf(
	exchange: DifyExchange,
	row: OperationRow,
	siblings: readonly DifyExchange[],
): Promise<PlayedResult> {
	const playback = await startDifyPlayback(exchange, row, siblings);
	try {
		const found =
			row.node === 'difyRetriever'
				? await retrieved(playback.url, row.parameters(exchange))
				: await executed(row.node, row, exchange, playback.url);
		const result = normalized(found, new URL(playback.url).origin) as DifyResult;
		return { result, starts: playback.starts() };
	} finally {
		await playback.close();
	}
}

const APP_KEY = `app-${'Contract'.padEnd(24, '0')}`;
const KNOWLEDGE_KEY = `dataset-${'Contract'.padEnd(24, '0')}`;

async function executed(
	node: ActionNode,
	row: OperationRow,
	exchange: DifyExchange,
	baseUrl: string,
): Promise<DifyResult> {
	const apiKey = node === 'difyKnowledge' ? KNOWLEDGE_KEY : APP_KEY;
	const parameters = row.parameters(exchange);
	const setup = { items: [{ json: {}, binary: FILES }], streaming: true };
	const fake = prepare(node, row.operation, { baseUrl, apiKey }, parameters, setup);
	const outcome = await settled(async () => await execute(node, fake));
	const typed = typedIn(fake.chunks);
	const hints = fake.hints.map(({ message }) => message);
	const seen = { ...(typed.length > 0 && { typed }), ...(hints.length > 0 && { hints }) };
	if ('error' in outcome) return { error: errorOf(outcome.error), ...seen };
	return { items: outcome.value.map(itemOf), ...seen };
}

async function retrieved(
	baseUrl: string,
	parameters: Record<string, unknown>,
): Promise<DifyResult> {
	const access = { baseUrl, apiKey: KNOWLEDGE_KEY };
	const { retriever, fake } = await supplyRetriever(access, parameters);
	const outcome = await settled(async () => await retriever.invoke(parameters.query));
	const hints = fake.hints.map(({ message }) => message);
	const seen = hints.length > 0 ? { hints } : {};
	if ('error' in outcome) return { error: errorOf(outcome.error), ...seen };
	return { documents: outcome.value, ...seen };
}

async function settled<T>(work: () => Promise<T>): Promise<{ value: T } | { error: unknown }> {
	return await work().then(
		(value) => ({ value }),
		(error: unknown) => ({ error }),
	);
}

const inBase64 = (content: string) => buffer.Buffer.from(content).toString('base64');

/** An empty recording of one second, for operations that send sound. */
const SOUND = `RIFF\u0024\u0000\u0000\u0000WAVEfmt \u0010\u0000\u0000\u0000\u0001\u0000\u0001\u0000${'\u0000'.repeat(24)}`;

const FILES = {
	data: { data: inBase64('llama wool'), mimeType: 'text/plain', fileName: 'a.txt' },
	sound: { data: inBase64(SOUND), mimeType: 'audio/wav', fileName: 'a.wav' },
};

function itemOf({ json, binary }: INodeExecutionData): unknown {
	if (binary === undefined) return { json };
	const files = Object.entries(binary).map(([name, { fileName, mimeType, data }]) => {
		const bytes = buffer.Buffer.from(data, 'base64');
		return [name, { fileName, mimeType, bytes: bytes.byteLength, sha256: hashOf(bytes) }];
	});
	return { json, binary: Object.fromEntries(files) as object };
}

/** What a workflow can read of a failure. Its explanation is not pinned. */
function errorOf(error: unknown): unknown {
	const { message, context } = error as NodeOperationError;
	const { kind, status, code, answer, ...data } = (context?.data ?? {}) as Record<string, unknown>;
	const { conversationId, messageId, taskId, workflowRunId } = data;
	return {
		kind,
		title: message,
		status,
		code,
		answer,
		conversationId,
		messageId,
		taskId,
		workflowRunId,
	};
}

/** The text of each message in the chat. */
function typedIn(chunks: readonly Chunk[]): string[] {
	const messages: string[] = [];
	for (const { type, content } of chunks) {
		if (type === 'begin' || messages.length === 0) messages.push('');
		const shown = typeof content === 'string' ? content : JSON.stringify(content ?? '');
		if (type === 'item') messages[messages.length - 1] += shown;
	}
	return messages.filter((message) => message !== '');
}

/** Records of which only these fields are written out; a hash says whether the others are the same. */
const NAMED_FIELDS: Readonly<Record<string, readonly string[]>> = {
	nodes: ['title', 'type', 'status', 'error'],
	usage: ['prompt_tokens', 'completion_tokens', 'total_tokens'],
	tool_labels: [],
};

/** Records of a list beyond these are only counted. */
const MOST_RECORDS = 3;

/** Sorted keys, short texts, short lists, and the address of the playback replaced. */
function normalized(value: unknown, origin: string, name = ''): unknown {
	if (typeof value === 'string') {
		const text = value.replaceAll(origin, 'http://dify');
		return WHOLE_TEXTS.includes(name) ? text : shortened(text);
	}
	if (Array.isArray(value)) return listed(value, origin, name);
	if (typeof value !== 'object' || value === null) return value;
	const entries = Object.entries(value)
		.filter(([, entry]) => entry !== undefined)
		.sort(([one], [other]) => (one < other ? -1 : 1))
		.map(([key, entry]) => [key, normalized(entry, origin, key)] as const);
	const named = NAMED_FIELDS[name];
	if (named === undefined) return Object.fromEntries(entries);
	const shown = entries.filter(([key]) => named.includes(key));
	const others = entries.filter(([key]) => !named.includes(key));
	if (others.length === 0) return Object.fromEntries(shown);
	const hash = hashOf(buffer.Buffer.from(JSON.stringify(others)));
	return Object.fromEntries([...shown, ['others', `${others.length} fields, ${hash}`]]);
}

function listed(list: readonly unknown[], origin: string, name: string): unknown[] {
	const entries = list.map((entry) => normalized(entry, origin, name));
	const isOfRecords = entries.some((entry) => typeof entry === 'object');
	const most = name === 'nodes' ? list.length : MOST_RECORDS;
	if (!isOfRecords || list.length <= most) return entries;
	const others = entries.slice(most);
	const hash = hashOf(buffer.Buffer.from(JSON.stringify(others)));
	return [...entries.slice(0, most), `and ${others.length} more, ${hash}`];
}

function shortened(long: string): string {
	if (long.length <= LONGEST_TEXT) return long;
	const head = long.slice(0, 60);
	return `${head}… (${long.length} characters, ${hashOf(buffer.Buffer.from(long))})`;
}

function hashOf(bytes: Uint8Array): string {
	return crypto.createHash('sha256').update(bytes).digest('hex').slice(0, 12);
}
